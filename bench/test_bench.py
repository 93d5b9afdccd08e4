"""pytest-benchmark over the table: every function, pass, dtype and size, against the plain NumPy of the same formula.

    pytest bench                        a smoke run
    pytest bench --grid full            sizes to 16 million
    pytest bench --benchmark-disable    every benchmark once, as a test

The harness misreports calls under 10 us unless it is told how often to repeat them, hence `pedantic`.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import actc
from actc import _bench, _core

DTYPES = _bench.dtypes()
CASES = [(name, which) for name in actc.elementwise for which in _bench.PASSES]
SUMS = [name for name, f in actc.elementwise.items() if f.parameters]
ROUNDS, ROUND_NS = 5, 500_000


def measure(benchmark: Any, f: Callable[..., Any], *arguments: Any) -> None:
    """About half a millisecond a round, whatever the call takes."""
    f(*arguments)
    start = time.perf_counter_ns()
    f(*arguments)
    once = max(1, time.perf_counter_ns() - start)
    iterations = max(1, min(10_000, ROUND_NS // once))
    with np.errstate(all="ignore"):
        benchmark.pedantic(f, arguments, iterations=iterations, rounds=ROUNDS, warmup_rounds=1)


@pytest.mark.parametrize("who", ["actc", "numpy"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "which"), CASES)
def test_pass(benchmark: Any, name: str, which: str, dtype: str, size: int, who: str) -> None:
    benchmark.group = f"{name} {which} {dtype} {size}"
    arguments = _bench.inputs(which, DTYPES[dtype], size)
    if who == "actc":
        measure(benchmark, _bench.ufunc_of(name, which), *arguments)
        return
    opponents = _bench.opponents(name, which, DTYPES[dtype])
    if not opponents:
        pytest.skip("the table has no formula for this pass")
    source, f = list(opponents.items())[-1]  # of halves: the way through float32
    benchmark.extra_info["expression"] = source
    with np.errstate(all="ignore"):
        measure(benchmark, f, *arguments)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SUMS)
def test_parameter_backward(benchmark: Any, name: str, dtype: str, size: int) -> None:
    benchmark.group = f"{name} parameter_backward {dtype} {size}"
    g, x = _bench.inputs("backward", DTYPES[dtype], size)
    measure(benchmark, actc.elementwise[name].parameter_backward, g, x)


def test_every_function_and_pass_has_a_benchmark() -> None:
    """The C core is asked what there is: a new row or pass must not go unmeasured."""
    measured = {*CASES, *((name, "parameter_sums") for name in SUMS)}
    exists = set()
    for row in _core.rows():
        for suffix in _core.PASSES:
            if suffix != "_parameter_sums" or row.parameters:
                exists.add((row.name, suffix.removeprefix("_") or "forward"))
    assert measured == exists
