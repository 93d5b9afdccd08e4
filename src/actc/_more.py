"""The functions that are not elementwise ufuncs of a number: gates, row functions, APL and RReLU."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from actc import _apl_surface, _gates, _row_surface, _rrelu


def build(elementwise: Mapping[str, Any], exact: bool) -> dict[str, Any]:
    """The mappings of one tier, and under "flat" every name of a function."""
    gates, flat = _gates.build(exact)
    row_functions, of_rows = _row_surface.build(exact)
    apl, of_apl = _apl_surface.build(exact)
    return {
        "functions": MappingProxyType({**elementwise, "apl": apl, "crelu": row_functions["crelu"]}),
        "gates": gates,
        "row_functions": row_functions,
        "flat": flat | of_rows | of_apl | _rrelu.build(elementwise, exact),
    }
