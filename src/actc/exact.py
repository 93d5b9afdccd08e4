"""The second tier: the same functions, f and f' correctly rounded in float16, bfloat16 and float32 (at parameters other
than the defaults within 0.5000001 ULP), and within 1 ULP in float64 where their documentation says so. A given input
has the same float32 and half-precision result on every machine."""

from actc import _more, _surface

elementwise, _flat = _surface.build(exact=True)
_mappings, _others = _more.build(elementwise, exact=True)
_flat |= _others
globals().update(_mappings, **_flat)

__all__ = ["elementwise", *_mappings, *_flat]
