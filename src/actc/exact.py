"""The second tier: the same functions, correctly rounded in float16, bfloat16 and float32, and within 1 ULP in float64
where their documentation says so. A given input has the same float32 and half-precision result on every machine."""

from actc import _gates, _row_surface, _rrelu, _surface

functions, _flat = _surface.build(exact=True)
gates, _flat_gates = _gates.build(exact=True)
row_functions, _of_rows = _row_surface.build(exact=True)
_flat |= _flat_gates | _of_rows | _rrelu.build(functions, exact=True)
globals().update(_flat)

__all__ = ["functions", "gates", "row_functions", *_flat]
