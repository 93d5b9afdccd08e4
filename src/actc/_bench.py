"""One cell of the benchmark: a function, pass, dtype and size, in actc and in the plain NumPy of the same formula."""

from __future__ import annotations

import gc
import os
import platform
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain, permutations, repeat
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from actc import _cli_formula, _core, _surface, elementwise, exact
from actc._config import config

ROWS = {row.name: row for row in _core.rows()}
PASSES = ("forward", *_surface.PASSES)
SAMPLE = 20_000  # points at which errors are looked at; fewer where the reference is mpmath
SAMPLE_MPMATH = 400
BLOCKS = 3


@dataclass(frozen=True)
class Cell:
    """One line of the table. Times are nanoseconds per element, errors the largest in the sample, in ULP."""

    function: str
    which: str
    dtype: str
    size: int
    actc_ns: float
    numpy_ns: float | None
    actc_ulp: float | None
    numpy_ulp: float | None
    expression: str | None

    @property
    def ratio(self) -> float | None:
        """How many times faster actc is; below 1 it is slower."""
        return self.numpy_ns / self.actc_ns if self.numpy_ns else None


def replace_times(cell: Cell, other: Cell) -> Cell:
    """The first cell with the times of the second."""
    return replace(cell, actc_ns=other.actc_ns, numpy_ns=other.numpy_ns)


def dtypes() -> dict[str, np.dtype[Any]]:
    """Short name -> dtype; bfloat16 only where ml_dtypes is installed."""
    found: dict[str, np.dtype[Any]] = {f"f{8 * size}": np.dtype(f"f{size}") for size in (2, 4, 8)}
    if _core.bfloat16_is_supported():
        from ml_dtypes import bfloat16

        found["bf16"] = np.dtype(bfloat16)
    return found


def ufunc_of(name: str, which: str, tier: Any = None) -> Any:
    """The ufunc of one function and pass; `tier` is `actc.elementwise` or `actc.exact.elementwise`."""
    f = (elementwise if tier is None else tier)[name]
    return f if which == "forward" else getattr(f, which)


def inputs(which: str, dtype: np.dtype[Any], size: int) -> tuple[np.ndarray[Any, Any], ...]:
    """(g,) x: normal values of standard deviation 3, the same for everybody."""
    rng = np.random.default_rng(1)
    count = 2 if which == "backward" else 1
    blocks = [(3 * rng.standard_normal(min(size, 2**16))).astype(dtype) for _ in range(count)]
    return tuple(np.tile(b, -(-size // b.size))[:size].copy() for b in blocks)


# ---- opponents -------------------------------------------------------------------------------------------------------


def expression(name: str, which: str) -> str | None:
    """The NumPy expression, for people to read."""
    source = _cli_formula.numpy_source(ROWS[name], "" if which == "forward" else which)
    return source and source.replace("return ", "")


def opponents(name: str, which: str, dtype: np.dtype[Any]) -> dict[str, Callable[..., Any]]:
    """The NumPy expression; for halves also computed in float32 and rounded, as NumPy's own halves are slow."""
    f = _cli_formula.numpy_function(ROWS[name], "" if which == "forward" else which)
    source = expression(name, which)
    if f is None or source is None:
        return {}
    if dtype.itemsize > 2:
        return {source: f}

    def cast(y: Any) -> Any:
        return tuple(map(cast, y)) if isinstance(y, tuple) else y.astype(dtype, copy=False)

    candidates = {
        source: lambda *a: cast(f(*a)),
        source + " (in float32)": lambda *a: cast(f(*(v.astype(np.float32) for v in a))),
    }
    return {s: g for s, g in candidates.items() if _runs(g, inputs(which, dtype, 8))}


def _runs(f: Callable[..., Any], arguments: Sequence[Any]) -> bool:
    """SciPy has no bfloat16, for one."""
    try:
        with np.errstate(all="ignore"):
            f(*arguments)
    except TypeError:
        return False
    return True


# ---- time ------------------------------------------------------------------------------------------------------------


def _batch(f: Callable[..., Any], arguments: Sequence[Any]) -> Callable[[int], int]:
    """n -> nanoseconds of n calls, with as little of the loop's own cost as Python allows."""
    clock = time.perf_counter_ns
    if len(arguments) == 1:
        (x,) = arguments

        def run(n: int) -> int:
            start = clock()
            for _ in repeat(None, n):
                f(x)
            return clock() - start
    else:
        g, x = arguments

        def run(n: int) -> int:
            start = clock()
            for _ in repeat(None, n):
                f(g, x)
            return clock() - start

    return run


def _middle(times: Sequence[float]) -> float:
    """The mean of the middle half."""
    cut = len(times) // 4
    return mean(sorted(times)[cut : len(times) - cut])


def _orders(callers: int, turns: int) -> list[tuple[int, ...]]:
    """Who comes when in each turn: every order as often as the others, shuffled; of many callers, any order."""
    chance = random.Random(1)
    if callers > 4:
        return [tuple(chance.sample(range(callers), callers)) for _ in range(turns)]
    every = list(permutations(range(callers)))
    orders = every * (turns // len(every) + 1)
    chance.shuffle(orders)
    return orders[:turns]


def take_turns(runs: Sequence[Callable[[int], int]], counts: Sequence[int], seconds: float) -> list[float]:
    """Nanoseconds per call of each: the callers take turns, so that a slow moment of the machine hits all alike.

    The best of three blocks of turns of so many calls. Who comes after a caller that frees much memory gets cold pages,
    so that a time may have two values, of which a median would take either by chance (two equal copies of 8 MB: 0.7 to
    1.2): hence a mean, of what is left without the slow and fast quarters.
    """
    cost = sum(run(n) for run, n in zip(runs, counts, strict=True))
    rounds = int(min(25, max(1, 1e9 * seconds / BLOCKS // max(cost, 1))))
    collecting = gc.isenabled()
    gc.disable()
    try:
        blocks: list[list[float]] = []
        for orders in np.array_split(_orders(len(runs), rounds * BLOCKS), BLOCKS):
            times: list[list[float]] = [[] for _ in runs]
            for i in chain.from_iterable(orders):
                times[i].append(runs[i](counts[i]) / counts[i])
            blocks.append([_middle(t) for t in times])
    finally:
        if collecting:
            gc.enable()
    return [min(block[i] for block in blocks) for i in range(len(runs))]


def interleaved(calls: Sequence[Callable[..., Any]], arguments: Sequence[Any], seconds: float) -> list[float]:
    """Nanoseconds per call of each, in turns. Calls under 10 us are timed in a loop of about 200 us."""
    runs = [_batch(f, arguments) for f in calls]
    once = [max(1, min(run(1), run(1))) for run in runs]
    return take_turns(runs, [1 if t >= 10_000 else 200_000 // t + 1 for t in once], seconds)


# ---- error -----------------------------------------------------------------------------------------------------------


def sample(dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Both signs, 1e-6 <= |x| <= 20, as many points per octave everywhere, and 0."""
    count = SAMPLE_MPMATH if dtype.itemsize == 8 else SAMPLE
    size = np.geomspace(1e-6, 20, count // 2)
    return np.concatenate([-size[::-1], [0.0], size]).astype(dtype)


def _zeros_of_value(judge: Any) -> list[float]:
    """Where f crosses 0, other than at 0, within 20."""
    x = np.linspace(-20, 20, 40_001)
    sign = np.sign(judge(x))
    return [float(z) for z in x[1:][sign[1:] != sign[:-1]] if abs(z) > 0.01]


@cache
def _reference(name: str, derivative: bool, dtype: np.dtype[Any]) -> tuple[Any, Any, Any] | None:
    """f or f' on the sample as (high, low), and the size that an error is relative to: near a zero of f' or f
    its own size would be meaningless. float64 has mpmath for a judge, the others have `actc.exact` in float64."""
    row, x = ROWS[name], sample(dtype)
    judge = ufunc_of(name, "derivative" if derivative else "forward", exact.elementwise)
    if dtype.itemsize == 8:
        evaluate = _cli_formula.mpmath_function(row.derivative if derivative else row.formula, row.parameters)
        if evaluate is None:
            return None
        high, low = np.array([evaluate(float(v)) for v in x]).T
    else:
        high = np.asarray(judge(x.astype(np.float64)))
        low = np.zeros_like(high)
    scale = np.abs(high)
    for zero in _cli_formula.zeros(row, 20) if derivative else _zeros_of_value(judge):
        beside = np.abs(judge(np.array([zero - 1, zero + 1]))).max()
        near = np.abs(x.astype(np.float64) - zero) <= 0.25
        scale = np.where(near, np.maximum(scale, beside), scale)
    return high, low, scale


def _finfo(dtype: np.dtype[Any]) -> Any:
    if dtype.kind == "f":
        return np.finfo(dtype)
    import ml_dtypes

    return ml_dtypes.finfo(dtype)  # type: ignore[no-untyped-call]


def ulps(got: Any, high: Any, low: Any, scale: Any, dtype: np.dtype[Any]) -> float:
    """The largest error in units of the last place of `scale`; inf where a finite value came out as none."""
    info = _finfo(dtype)
    exponent = np.where(scale > 0, np.maximum(np.frexp(scale)[1] - 1, int(info.minexp)), int(info.minexp))
    with np.errstate(all="ignore"):
        error = np.abs((got.astype(np.float64) - high) - low) / np.ldexp(1.0, exponent - int(info.nmant))
    overflows = (np.abs(high) > float(info.max)) & (got == np.copysign(np.inf, high))
    error = np.where(overflows, 0, error)
    return float(np.where(np.isnan(error), np.inf, error).max())


def max_ulp(f: Callable[..., Any], name: str, which: str, dtype: np.dtype[Any]) -> float | None:
    """Largest error of one pass over the sample, both outputs of a pair included; None where there is no judge."""
    if which == "second_derivative":  # near its zeros, which nobody lists, ULP would mean nothing
        return None
    x = sample(dtype)
    g = np.ldexp(1.0, np.arange(x.size) % 3).astype(dtype)  # powers of two: g*f'(x) is as exact as f'(x)
    with np.errstate(all="ignore"):
        results = f(g, x) if which == "backward" else f(x)
    worst = 0.0
    for i, got in enumerate(results if isinstance(results, tuple) else (results,)):
        found = _reference(name, which in ("derivative", "backward") or i == 1, dtype)
        if found is None:
            return None
        factor = g.astype(np.float64) if which == "backward" else 1.0
        high, low, scale = (part * factor for part in found)
        worst = max(worst, ulps(got, high, low, scale, dtype))
    return worst


# ---- cells -----------------------------------------------------------------------------------------------------------


class Bench:
    """Measures cells, and remembers errors, which do not depend on the size."""

    def __init__(self, seconds: float = 0.1, tier: Any = None, errors: bool = True) -> None:
        self.seconds, self.tier, self.errors = seconds, tier, errors
        self._ulp: dict[tuple[str, ...], float | None] = {}

    def _error(self, who: str, f: Callable[..., Any], name: str, which: str, dtype: np.dtype[Any]) -> float | None:
        key = (who, name, which, str(dtype))
        if self.errors and key not in self._ulp:
            self._ulp[key] = max_ulp(f, name, which, dtype)
        return self._ulp.get(key)

    def cell(self, name: str, which: str, dtype: str, size: int) -> Cell:
        """Time actc and the fastest way of writing the same in NumPy."""
        kind = dtypes()[dtype]
        ours = ufunc_of(name, which, self.tier)
        theirs = opponents(name, which, kind)
        with np.errstate(all="ignore"):
            times = interleaved([ours, *theirs.values()], inputs(which, kind, size), self.seconds)
        best = min(zip(times[1:], theirs, strict=True), default=None)
        error = self._error("actc", ours, name, which, kind)
        if best is None:
            return Cell(name, which, dtype, size, times[0] / size, None, error, None, None)
        other = self._error(best[1], theirs[best[1]], name, which, kind)
        return Cell(name, which, dtype, size, times[0] / size, best[0] / size, error, other, best[1])


def processor() -> str:
    """The processor's name, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def machine() -> dict[str, Any]:
    """What a reader must know to judge the numbers: versions, instruction set, threads and how busy the machine is."""
    found = {k: v for k, v in config().items() if k not in ("library", "available", "functions", "machine")}
    for module in ("scipy", "ml_dtypes"):
        try:
            found[module] = __import__(module).__version__
        except ImportError:
            found[module] = None
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = [round(v, 2) for v in os.getloadavg()] if hasattr(os, "getloadavg") else None
    import actc

    threads = getattr(actc, "get_num_threads", lambda: 1)()
    return {**found, "processor": processor(), "cores": affinity, "threads": threads, "load average": load}
