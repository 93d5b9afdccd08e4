"""The second tier: the same functions, correctly rounded in float16, bfloat16 and float32, and within 1 ULP in float64
where their documentation says so. A given input has the same float32 and half-precision result on every machine."""

from types import MappingProxyType

from actc import _apl_surface, _gates, _row_surface, _rrelu, _surface

elementwise, _flat = _surface.build(exact=True)
gates, _flat_gates = _gates.build(exact=True)
row_functions, _flat_rows = _row_surface.build(exact=True)
_apl, _flat_apl = _apl_surface.build(exact=True)
_flat |= _flat_gates | _flat_rows | _flat_apl | _rrelu.build(elementwise, exact=True)
globals().update(_flat)

functions = MappingProxyType({**elementwise, "apl": _apl, "crelu": row_functions["crelu"]})

__all__ = ["elementwise", "functions", "gates", "row_functions", *_flat]
