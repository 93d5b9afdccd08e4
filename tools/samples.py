"""The other types: halves, of which all are tried, and doubles, of which some are; and where a function vanishes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import proof
from mpmath import mp, mpf
from proof import Item, oracle

import actc

F64 = oracle.FORMATS["float64"]


def zeros_of(item: Item, reference: oracle.Reference) -> list[tuple[float, float]]:
    """Isolated zeros other than 0 within 200, with the size of what is one away from them: the contract's section 4."""
    formula, row, values = reference.formulas[item.order], item.row, item.parameters
    grid = np.arange(-25600, 25600) / 128 + 1 / 3001  # no zero lies on it
    grid = grid[oracle.inside(row, grid, *values)]
    with np.errstate(all="ignore"):
        y = item.function("default")(grid, *values)
    zeros: list[tuple[Any, float]] = []
    with mp.workprec(1200):
        found = [mpf(r) for r in (oracle.zeros_of(row, *values) if item.order else [])]  # some touch 0 only
        for i in np.flatnonzero(np.sign(y[:-1]) * np.sign(y[1:]) < 0):
            near = reference._zeros_near(item.order, float(grid[i]), *values)
            found += [r for r in near if grid[i] - 0.01 <= r <= grid[i + 1] + 0.01]
        for r in found:
            # what the precision makes of the zero at 0 is none
            if 1e-6 < abs(r) < 200 and all(abs(r - s) > 1e-9 for s, _ in zeros):
                beside = [r + s for s in (-1, 1) if oracle.inside(row, r + s, *values)]
                zeros.append((r, float(max(abs(formula.at(s, *map(mpf, values))) for s in beside))))
    return [(float(r), larger) for r, larger in zeros]


def ulp(f: oracle.Format, value: float) -> float:
    """Of one number."""
    return float(f.ulp(np.array([value]))[0])


def near_zeros(
    zeros: list[tuple[float, float]], x: Any, error: Any, value: Any, f: oracle.Format, bound: float,
    reference: oracle.Reference, item: Item,
) -> Any:  # fmt: skip
    """Errors as they count within 1/4 of a zero; of those too far away to be known, zeros are looked for where an error
    exceeds the bound."""
    for r, larger in zeros:
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is far away
            share = np.minimum(1, f.ulp(value) / ulp(f, larger))
        error = error * np.where(np.abs(x - r) <= 0.25, share, 1)
    return reference.relative_to_neighbours(item.order, x, error, value, f, bound, *item.parameters)


def halves(item: Item, tier: str, dtype: str, reference: oracle.Reference) -> dict[str, Any]:
    """All 65,536."""
    f = oracle.FORMATS[dtype]
    x = np.arange(1 << 16, dtype=np.uint16).view(f.dtype)
    x = x[np.isfinite(x.astype(np.float32))]
    x = x[oracle.inside(item.row, x, *item.parameters)]
    y = item.function(tier)(x, *item.parameters)
    (error,), _, kept = reference.errors(item.order, x, [y], f, *item.parameters, rounding=True)
    i = int(error.argmax())
    return {
        "worst": proof.round_up(float(error[i])), "at": float(x[kept][i]).hex(), "misrounded": int((error > 0.5).sum()),
        "inputs": 1 << 16, "step": 1, "slice": item.digest(dtype, tier), "isas": {actc.isa(): 1},
    }  # fmt: skip


def doubles(item: Item, tier: str, count: int, reference: oracle.Reference) -> dict[str, Any]:
    """At random, around what is special, and then ever nearer to where it was worst."""
    rng = np.random.default_rng(64)
    row, values, steps = item.row, item.parameters, 2.0 ** -np.arange(1, 60)
    zeros = zeros_of(item, reference)
    special = [0.0, *oracle.kinks_of(row, *values), *(r for r, _ in zeros)]
    patterns = rng.integers(0, (1 << 64) - 1, count // 4, np.uint64, endpoint=True).view(np.float64)
    x = np.concatenate([
        patterns, *(rng.uniform(-a, a, count // 4) for a in (760, 40, 4)), np.arange(-2200, 2201) * (math.log(2) / 2),
        *(r + s * steps for r in special for s in (-1, 1) if abs(r) < 1e300),
    ])  # fmt: skip
    worst, at, tried = 0.0, 0.0, 0
    for _ in range(6):
        x = x[np.isfinite(x) & oracle.inside(row, x, *values)]
        tried += len(x)
        best: list[tuple[float, float]] = [(worst, at)]
        for part in oracle.chunks(x):
            y = item.function(tier)(part, *values)
            (error,), value, kept = reference.errors(item.order, part, [y], F64, *values, cap=50)
            part = part[kept]
            error = near_zeros(zeros, part, error, value, F64, item.bound("float64", tier), reference, item)
            order = np.argsort(error)[-20:]
            best += [(float(error[i]), float(part[i])) for i in order]
        best = sorted(best)[-20:]
        worst, at = best[-1]
        centres = np.array([v for _, v in best])
        spread = 2.0 ** -rng.integers(2, 50, (len(centres), 500)) * rng.uniform(-1, 1, (len(centres), 500))
        with np.errstate(over="ignore"):
            x = (centres[:, None] * (1 + spread)).ravel()
    return {
        "worst": proof.round_up(worst), "at": at.hex(), "inputs": tried,
        "slice": item.digest("float64", tier), "isas": {actc.isa(): proof.STEPS["float64"]},
    }  # fmt: skip
