"""Write examples/embed/input.f32 and expected/*.f32: what every program of examples/embed must reproduce, bit for bit.

The numbers owe nothing to libactc: mpmath evaluates the formulas of the table, and each result is rounded once, as
the exact tier promises for float32. Run it again only if a formula is found to be wrong.

    python tools/embed_expected.py
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
from mpmath import mp

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "src")]
import oracle  # noqa: E402

from actc import _core  # noqa: E402

FUNCTIONS = ("gelu", "elu", "mish")  # a bounded tail, a parameter at its default, and the longest formula
FOLDER = ROOT / "examples" / "embed"


def inputs() -> np.ndarray:
    """Zeros, infinities, the smallest and largest numbers, and an odd number of ordinary ones. (The sign of a NaN is
    the processor's own.)"""
    tiny, small, largest = 2.0**-149, 2.0**-126, float(np.finfo(np.float32).max)
    special = [0.0, tiny, small, 1e-20, 1e-3, 0.5, 1.0, math.e, 10.0, 88.75, 104.0, 1e10, largest, math.inf]
    ordinary = np.random.default_rng(7).normal(0, 3, 229)
    return np.array([*special, *(-v for v in special), *ordinary], np.float32)


def rounded(v: Any) -> float:
    """To the nearest float32, ties to even, subnormal numbers too; what underflows keeps its sign."""
    unit = oracle.FORMATS["float32"].ulp_exponent(oracle.exponent_of(v))
    return math.copysign(math.ldexp(int(mp.nint(mp.ldexp(v, -unit))), unit), v)


def expected(row: Any, order: int, x: float) -> float:
    """f(x) or f'(x); zeros have the sign of the side from which they are approached."""
    if x == 0 and order == 0:
        return x  # these functions have f(0) = 0 and f'(0) > 0
    limit = oracle.limits_of(row)[2 * order + (x > 0)]
    if math.isinf(x) and limit:
        return limit
    with oracle.MP, mp.workprec(4096):
        return rounded(oracle.formula_of(row, order).exact(max(x, -1e10), *row.parameters.values()))


def main() -> None:
    x = inputs()
    (FOLDER / "expected").mkdir(parents=True, exist_ok=True)
    x.astype("<f4").tofile(FOLDER / "input.f32")
    rows = {row.name: row for row in _core.rows()}
    for name in FUNCTIONS:
        both = [expected(rows[name], order, float(v)) for order in (0, 1) for v in x]
        np.array(both, "<f4").tofile(FOLDER / "expected" / f"{name}.f32")


if __name__ == "__main__":
    main()
