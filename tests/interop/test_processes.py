"""Other processes: functions are pickled by their names, and give the same bits there."""

from __future__ import annotations

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from conftest import UFUNCS, arguments, same_bits
from tables import X, need
from test_ufunc import outputs

import actc

# every pass of every function in both tiers, and the row functions
CALLS = [(f, tuple(arguments(f, np.dtype(np.float32), 9))) for *_, f in UFUNCS]
CALLS += [(f, (X.reshape(4, 6),)) for n, f in actc.row_functions.items() if n != "maxout"]
CALLS += [(f, (X, X)) for f in actc.gates.values()]
pytestmark = pytest.mark.filterwarnings("default")  # theirs, of forks and sockets


def check(results: Any) -> None:
    for (f, inputs), result in zip(CALLS, results, strict=True):
        for a, b in zip(outputs(result), outputs(f(*inputs)), strict=True):
            same_bits(a, b)


def apply(call: Any) -> Any:
    f, inputs = call
    return f(*inputs)


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_multiprocessing(method: str) -> None:
    """Also forked from a process whose threads have used actc."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(apply, CALLS))
        with ProcessPoolExecutor(2, multiprocessing.get_context(method)) as processes:
            check(processes.map(apply, CALLS, chunksize=50))


def test_joblib() -> None:
    joblib = need("joblib")
    for backend in ("loky", "threading"):
        check(joblib.Parallel(2, backend=backend, batch_size=50)(joblib.delayed(f)(*inputs) for f, inputs in CALLS))


def test_distributed() -> None:
    """Two processes with an address of their own."""
    distributed = need("dask.array", "distributed")
    da = need("dask.array")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
        distributed.Client(cluster) as client,
    ):
        functions, inputs = zip(*CALLS, strict=True)
        check(client.gather(client.map(lambda f, i: f(*i), functions, inputs, pure=False, batch_size=100)))
        lazy = [f(da.from_array(X, chunks=5)) for f in actc.elementwise.values()]
        for f, result in zip(actc.elementwise.values(), client.compute(lazy, sync=True), strict=True):
            same_bits(result, f(X))


@pytest.mark.skipif(sys.platform == "win32", reason="ray is for Unix")
def test_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    ray = need("ray")
    ray.init(num_cpus=2, include_dashboard=False, logging_level="error", log_to_driver=False, object_store_memory=10**8)
    try:
        run = ray.remote(lambda calls: [f(*inputs) for f, inputs in calls])
        check(r for part in ray.get([run.remote(CALLS[i::1][:]) for i in range(1)]) for r in part)
    finally:
        ray.shutdown()
