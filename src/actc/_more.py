"""The functions that are not elementwise ufuncs of a number: gates, row functions, APL and RReLU."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import actc
from actc import _apl_surface, _gates, _row_surface, _rrelu


def build(elementwise: Mapping[str, Any], exact: bool) -> tuple[dict[str, Mapping[str, Any]], dict[str, Any]]:
    """The public mappings of one tier, and every flat name of a function."""
    gates, flat = _gates.build(exact)
    row_functions, of_rows = _row_surface.build(exact)
    apl, of_apl = _apl_surface.build(exact)
    functions = MappingProxyType({**elementwise, "apl": apl, "crelu": row_functions["crelu"]})
    mappings: dict[str, Mapping[str, Any]] = {"functions": functions, "gates": gates, "row_functions": row_functions}
    return mappings, flat | of_rows | of_apl | _rrelu.build(elementwise, exact)


default = build(actc.elementwise, exact=False)  # here, so that an import makes it once for all threads
