"""Many threads at once, a released GIL, and fork."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from conftest import DTYPES, TIERS, UFUNCS, arguments, arity, run_python, same_bits
from test_ufunc import check, empties, outputs

import actc


def test_many_threads_give_the_right_bits() -> None:
    """Every function, pass, tier and dtype from eight threads, small and large, into arrays of one's own."""
    work = []
    for _, _, _, f in UFUNCS:
        for dtype in DTYPES.values():
            for n in (3, 1200):
                inputs = arguments(f, dtype, n)
                keywords = dict.fromkeys(arity(f), 0.3)
                work.append((f, inputs, keywords, outputs(f(*inputs, **keywords))))
    barrier = threading.Barrier(8)

    def run(seed: int) -> None:
        barrier.wait()
        for i in np.random.default_rng(seed).permutation(len(work)):
            f, inputs, keywords, wanted = work[i]
            out = empties(f, inputs[0])
            f(*inputs, out=out, **keywords)
            check(out, wanted)
            check(f(*inputs, **keywords), wanted if f.nout == 2 else wanted[0])

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(run, range(8)))
    finally:
        sys.setswitchinterval(before)


def test_threads_in_parts_of_one_array(tier: str) -> None:
    """Neighbouring parts of one array, cut anywhere, in place: no thread writes beyond its own part."""
    rng = np.random.default_rng(0)
    for f in TIERS[tier].values():
        x = rng.standard_normal(20_011).astype(np.float32)
        wanted, shared = f(x), x.copy()
        cuts = np.sort(rng.choice(len(x), 40, replace=False))
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda part: f(part, out=part), np.split(shared, cuts)))  # noqa: B023
        same_bits(shared, wanted)


def longest_pause(call: object) -> tuple[float, float]:
    """How long `call` takes and the longest time in which another Python thread could not run meanwhile."""
    stop, gaps = threading.Event(), [0.0]

    def tick() -> None:
        last = time.perf_counter()
        while not stop.is_set():
            now = time.perf_counter()
            gaps[0] = max(gaps[0], now - last)
            last = now

    ticker = threading.Thread(target=tick)
    ticker.start()
    time.sleep(0.02)
    gaps[0] = 0.0
    start = time.perf_counter()
    call()  # type: ignore[operator]
    took = time.perf_counter() - start
    stop.set()
    ticker.join()
    return took, gaps[0]


@pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2 if hasattr(os, "sched_getaffinity") else False, reason="needs two cores"
)
@pytest.mark.parametrize("way", ["contiguous", "strided", "parameters"])
def test_the_gil_is_released_in_big_calls(way: str) -> None:
    """Another thread runs while one of them computes, along the fast path and NumPy's."""
    n = 12_000_000
    f = actc.exact.elementwise[list(actc.elementwise)[-1]]
    if way == "parameters":
        f = next(f for f in actc.exact.elementwise.values() if arity(f))
    x = (
        np.linspace(-5, 5, n, dtype=np.float32)
        if way != "strided"
        else np.linspace(-5, 5, 2 * n, dtype=np.float32)[::2]
    )
    out = np.empty(n, np.float32)
    arguments = [np.full(n, 0.5)] * len(arity(f)) if way == "parameters" else []
    for _ in range(3):  # other work on the machine may pause any thread
        took, pause = longest_pause(lambda: f(x, *arguments, out=out))
        if pause < took / 2:
            return
    pytest.fail(f"a call of {took:.3f} s kept other threads waiting for {pause:.3f} s")


def test_switching_instruction_sets_meanwhile() -> None:
    """use_isa while others compute: every result is one of the instruction sets'."""
    f = actc.elementwise[list(actc.elementwise)[-1]]
    x = np.linspace(-20, 20, 5001, dtype=np.float32)
    before = actc.isa()
    allowed = set()
    for isa in actc.isas():
        actc.use_isa(isa)
        allowed.add(f(x).tobytes())
    stop = threading.Event()

    def switch() -> None:
        while not stop.is_set():
            for isa in actc.isas():
                actc.use_isa(isa)

    thread = threading.Thread(target=switch)
    thread.start()
    try:
        for _ in range(300):
            assert f(x).tobytes() in allowed
    finally:
        stop.set()
        thread.join()
        actc.use_isa(before)


def child(names: list[str], queue: object) -> None:
    x = np.linspace(-9, 9, 3000, dtype=np.float32)
    queue.put([actc.elementwise[n](x).tobytes() for n in names])  # type: ignore[attr-defined]


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork")
def test_fork_while_threads_compute() -> None:
    """A child forked in the middle of other threads' calls computes the same, and does not hang."""
    run_python("""
import multiprocessing, threading, warnings
import numpy as np
warnings.simplefilter("ignore")
import actc
from test_threads import child
x = np.linspace(-9, 9, 3000, dtype=np.float32)
names = list(actc.elementwise)
wanted = [f(x).tobytes() for f in actc.elementwise.values()]
stop = threading.Event()
def busy():
    while not stop.is_set():
        for f in actc.exact.elementwise.values(): f(np.ones(5000, "f4"))
threads = [threading.Thread(target=busy) for _ in range(3)]
for t in threads: t.start()
try:
    context = multiprocessing.get_context("fork")
    for _ in range(8):
        queue = context.Queue()
        process = context.Process(target=child, args=(names, queue))
        process.start()
        assert queue.get(timeout=30) == wanted
        process.join(30)
        assert process.exitcode == 0
finally:
    stop.set()
""")


def test_ufuncs_travel_to_spawned_processes() -> None:
    """Functions of both tiers and all passes as arguments of multiprocessing's map."""
    run_python("""
import multiprocessing
import numpy as np
import actc
from conftest import UFUNCS, arguments
from test_threads import call
if __name__ == "__main__":
    jobs = [(f, arguments(f, np.float32, 50)) for *_, f in UFUNCS]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.starmap(call, jobs)
    assert found == [call(*job) for job in jobs]
""")


def call(f: np.ufunc, inputs: list[np.ndarray]) -> list[bytes]:
    return [y.tobytes() for y in outputs(f(*inputs))]
