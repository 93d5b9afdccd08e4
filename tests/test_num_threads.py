"""One call shared by several threads: set_num_threads, threads, ACTC_NUM_THREADS, threadpoolctl; the same bits."""

from __future__ import annotations

import asyncio
import contextvars
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import actc

N = 2_000_003  # enough that every function is worth a second thread


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = actc.set_num_threads(1)
    yield
    actc.set_num_threads(before)


@pytest.fixture(scope="module")
def x() -> np.ndarray:
    made = np.random.default_rng(0).standard_normal(N) * 8
    made[::1001] = np.nan
    return made


def bits(result: Any) -> list[np.ndarray]:
    """An array, or the arrays of a tuple or dictionary, as bytes."""
    if isinstance(result, dict):
        result = tuple(result.values())
    if isinstance(result, tuple):
        return [b for part in result for b in bits(part)]
    return [np.atleast_1d(np.asarray(result)).view(np.uint8)]


def same(call: Any) -> bool:
    """Whether two and seven threads give the bits of one."""
    alone = bits(call())
    good = True
    for n in (2, 7):
        with actc.threads(n):
            good &= all(np.array_equal(a, b) for a, b in zip(alone, bits(call()), strict=True))
    return good


def calls(x: np.ndarray) -> dict[str, Any]:
    """A call of each kind."""
    f, g = x.astype(np.float32), x[::-1].astype(np.float32)
    table = f[: N // 1000 * 1000].reshape(-1, 1000)
    out = np.empty(N, np.float32)
    key = 7

    def shifted(begin: int) -> np.ndarray:
        """An output that overlaps its input."""
        memory = f.copy()
        actc.elu(memory[8 : N - 8], out=memory[8 + begin : N - 8 + begin])
        return memory

    def by_view() -> np.ndarray:
        actc.views.softplus(f, out)
        return out

    return {
        "float32": lambda: actc.gelu(f),
        "out": lambda: actc.mish(f, out=out),
        "float16": lambda: actc.tanh(f.astype(np.float16)),
        "float64": lambda: actc.silu(x),
        "exact": lambda: actc.exact.sigmoid(f),
        "derivative": lambda: actc.selu.derivative(f),
        "second": lambda: actc.gelu.second_derivative(f),
        "backward": lambda: actc.gelu.backward(g, f),
        "both": lambda: actc.softplus.value_and_derivative(f),
        "strided": lambda: actc.elu(f[::2], alpha=0.5),
        "parameter array": lambda: actc.prelu(f, np.abs(x)),
        "sums": lambda: actc.prelu.parameter_backward(g, f, alpha=0.25),
        "begins before its input": lambda: shifted(-3),
        "begins after its input": lambda: shifted(3),
        "in place": lambda: shifted(0),
        "gate": lambda: actc.swiglu(f, g),
        "gate backward": lambda: actc.geglu.backward(f, g, f),
        "packed": lambda: actc.glu.packed(table),
        "rows": lambda: actc.softmax(table),
        "columns": lambda: actc.softmax(table, axis=0),
        "long rows": lambda: actc.log_softmax(f[: N // 4 * 4].reshape(4, -1)),
        "reduced": lambda: actc.logsumexp(table, axis=1),
        "rows backward": lambda: actc.softmax.backward(table, actc.softmax(table)),
        "doubled": lambda: actc.crelu(table),
        "apl": lambda: actc.apl(f, [0.5, -0.25], [1.0, 2.0]),
        "rrelu": lambda: actc.rrelu(f, training=True, rng=key),
        "views": by_view,
    }


@pytest.mark.parametrize("what", sorted(calls(np.zeros(N))))
def test_same_bits(x: np.ndarray, what: str) -> None:
    assert same(calls(x)[what])


def test_numbers() -> None:
    assert actc.get_num_threads() == 1
    assert actc.set_num_threads(3) == 1
    assert actc.set_num_threads(2) == 3
    with actc.threads(5):
        assert actc.get_num_threads() == 5
        with actc.threads(1):
            assert actc.get_num_threads() == 1
            actc.set_num_threads(4)  # for the others
            assert actc.get_num_threads() == 1
        assert actc.get_num_threads() == 5
    assert actc.get_num_threads() == 4
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert actc.set_num_threads(0) == 4
    assert actc.get_num_threads() == processors
    actc.set_num_threads(np.int64(2))
    assert actc.get_num_threads() == 2


@pytest.mark.parametrize("make", [actc.set_num_threads, actc.threads])
@pytest.mark.parametrize(
    ("n", "error"), [(-1, ValueError), (1025, ValueError), (10**30, ValueError), (1.5, TypeError), ("2", TypeError)]
)
def test_bad_numbers(make: Any, n: object, error: type[Exception]) -> None:
    with pytest.raises(error, match="a number of threads is"):
        make(n)
    assert actc.get_num_threads() == 1


def test_an_error_ends_the_context() -> None:
    with pytest.raises(RuntimeError), actc.threads(3):
        raise RuntimeError
    assert actc.get_num_threads() == 1


def test_threads_have_contexts_of_their_own() -> None:
    seen: dict[str, int] = {}
    with actc.threads(3):
        other = threading.Thread(target=lambda: seen.update(other=actc.get_num_threads()))
        other.start()
        other.join()
        copy = contextvars.copy_context()
        heir = threading.Thread(target=lambda: seen.update(heir=copy.run(actc.get_num_threads)))
        heir.start()
        heir.join()
        actc.relu(np.ones(2000, np.float32))
    assert seen == {"other": 1, "heir": 3}


def test_tasks_have_contexts_of_their_own() -> None:
    """Tasks of one thread that enter and leave in turns."""
    seen = []

    async def task(n: int) -> None:
        with actc.threads(n):
            for _ in range(3):
                await asyncio.sleep(0)
                actc.relu(np.ones(2000, np.float32))
                seen.append((n, actc.get_num_threads()))

    async def both() -> None:
        await asyncio.gather(task(2), task(5), task(1))

    asyncio.run(both())
    assert len(seen) == 9
    assert all(n == found for n, found in seen)
    assert actc.get_num_threads() == 1


PROGRAM = """
import numpy as np, os, threading
import actc
def alive():
    return len(os.listdir("/proc/self/task"))
x = np.linspace(-5, 5, 4_000_000)
before = alive()
actc.exact.gelu(x[:400_000])
print(actc.get_num_threads(), alive() - before)
"""


def fresh(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts the threads in /proc")
@pytest.mark.parametrize(("text", "printed"), [(None, "1 0"), ("1", "1 0"), ("3", "3 2"), (" 4 ", "4 3")])
def test_environment(text: str | None, printed: str) -> None:
    """Threads start with the first call that needs them, and none where nobody asks."""
    done = fresh(PROGRAM, **({} if text is None else {"ACTC_NUM_THREADS": text}))
    assert done.stdout.strip() == printed, done.stderr


@pytest.mark.parametrize("text", ["two", "-1", "1025", "", "2.0"])
def test_bad_environment(text: str) -> None:
    done = fresh("import actc", ACTC_NUM_THREADS=text)
    assert done.returncode
    assert f"ValueError: ACTC_NUM_THREADS={text!r}: a number of threads is from 1 to 1024" in done.stderr


FORKING = """
import multiprocessing, os
import numpy as np, actc
x = np.linspace(-5, 5, 3_000_000)
def digest(_):
    y = actc.mish(x)
    return hash(y.tobytes()), actc.get_num_threads()
if __name__ == "__main__":
    alone = hash(actc.mish(x).tobytes())
    actc.set_num_threads(3)
    assert hash(actc.mish(x).tobytes()) == alone
    os.environ["PYTHONHASHSEED"] = "0"
    with multiprocessing.get_context("fork").Pool(2) as pool:
        results = pool.map(digest, range(4))
    assert results == [(alone, 3)] * 4, results
    assert hash(actc.mish(x).tobytes()) == alone
    print("good")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="has no fork")
def test_children_of_a_process_with_threads() -> None:
    done = fresh(FORKING, PYTHONHASHSEED="0")
    assert done.stdout.strip() == "good", done.stderr


def test_calls_from_several_threads(x: np.ndarray) -> None:
    """One of them has the pool, the others work alone: the same bits, and nobody waits for ever."""
    f = x[: N // 4].astype(np.float32)
    alone = actc.mish(f).view(np.uint32)
    actc.set_num_threads(4)
    wrong: list[int] = []

    def work() -> None:
        for _ in range(10):
            wrong.append(int((actc.mish(f).view(np.uint32) != alone).sum()))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for w in workers:
        w.start()
    for w in workers:
        w.join(100)
    assert wrong == [0] * 40


def test_threadpoolctl() -> None:
    threadpoolctl = pytest.importorskip("threadpoolctl")
    actc.set_num_threads(3)

    def ours() -> list[dict[str, Any]]:
        return [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "actc"]

    assert [pool["num_threads"] for pool in ours()] == [3]
    assert ours()[0]["version"] == actc.__version__
    with threadpoolctl.threadpool_limits(1):
        assert actc.get_num_threads() == 1
    assert actc.get_num_threads() == 3
    with actc.threads(2):
        assert [pool["num_threads"] for pool in ours()] == [3]
        assert actc.get_num_threads() == 2
