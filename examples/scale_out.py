"""Does an array that is larger than the workers' memory go through dask as through one process, and what is gained?

A file of 1 GiB goes through `actc apply gelu_tanh --dask` with two workers that may have 400 MB each, one of which is
killed in the middle; then once more with one worker and with two. The same array as zarr goes through a dask pipeline,
with actc.gelu_tanh and with the expression that is written by hand for it in plain NumPy.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import common
import numpy as np
from common import Claim

import actc
from actc.__main__ import main as command

LIMIT = 400_000_000  # bytes that a worker may have before dask restarts it
CHUNK = 2**21  # elements of a zarr chunk


def by_hand(x: Any) -> Any:
    """gelu_tanh as it is found in many a code base."""
    return 0.5 * x * (1 + np.tanh(np.float32(np.sqrt(2 / np.pi)) * (x + np.float32(0.044715) * x**3)))


def peak() -> int:
    """Resident memory of the process that calls it at its largest, in bytes."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def warm() -> None:
    """What a worker does once: imports, and a first block."""
    import zarr

    zarr.array(actc.gelu_tanh(np.ones(CHUNK, np.float32)))


@contextlib.contextmanager
def workers(count: int) -> Iterator[Any]:
    """A client of as many processes with a thread each, which have imported what they need."""
    from distributed import Client, LocalCluster

    options = dict(n_workers=count, threads_per_worker=1, memory_limit=LIMIT, dashboard_address="127.0.0.1:0")
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        client.run(warm)
        yield client


def kill_one(client: Any, folder: Path, size: int) -> threading.Thread:
    """A worker dies once a quarter of the output has been written."""
    victim = min(client.run(os.getpid).values())

    def watch() -> None:
        while not any(p.stat().st_blocks * 512 > size / 4 for p in folder.glob(".*.tmp")):
            time.sleep(0.005)
        os.kill(victim, signal.SIGKILL)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


def apply(source: Path, target: Path, client: Any = None) -> float:
    """Seconds that the command takes, on the workers of a client or in this process."""
    more = [] if client is None else ["--dask", "--scheduler", client.scheduler.address]
    start = time.perf_counter()
    if command(["apply", "gelu_tanh", str(source), str(target), "--force", *more]):
        raise RuntimeError("actc apply failed")
    return time.perf_counter() - start


def pipeline(source: Path, target: Path, f: Callable[[Any], Any]) -> float:
    """Seconds for the same through dask.array, from zarr to zarr."""
    import dask.array as da

    start = time.perf_counter()
    f(da.from_zarr(source)).to_zarr(target, overwrite=True)
    return time.perf_counter() - start


def write(folder: Path, size: int) -> tuple[Path, Path]:
    """The input, twice."""
    import zarr

    rng = np.random.default_rng(0)
    some = (3 * rng.standard_normal(CHUNK)).astype(np.float32)
    npy = np.lib.format.open_memmap(folder / "in.npy", "w+", np.float32, (size,))
    stored = zarr.create_array(folder / "in.zarr", shape=(size,), chunks=(CHUNK,), dtype="f4", compressors=None)
    for i in range(0, size, CHUNK):
        npy[i : i + CHUNK] = stored[i : i + CHUNK] = np.roll(some, i // CHUNK)[: size - i]
    return folder / "in.npy", folder / "in.zarr"


def measure(quick: bool) -> dict[Any, Any]:
    """Seconds, bytes, and whether the files are the same."""
    size, rounds = (2**25, 1) if quick else (2**28, 3)
    found: dict[Any, Any] = {"bytes": 4 * size}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        npy, stored = write(folder, size)
        one, many = folder / "one.npy", folder / "many.npy"
        found["one process"] = min(apply(npy, one) for _ in range(rounds))
        with workers(2) as client:
            before = max(client.run(peak).values())
            thread = kill_one(client, folder, 4 * size)
            apply(npy, many, client)
            found["killed"] = not thread.is_alive()
            found["memory"] = max(client.run(peak).values()) - before
        found["same"] = same(one, many)
        for count in (1, 2):
            with workers(count) as client:
                found[f"{count} worker{'s' * (count > 1)}"] = min(apply(npy, many, client) for _ in range(rounds))
                for what, f in (("NumPy", by_hand), ("actc", actc.gelu_tanh)):
                    out = folder / "out.zarr"
                    found[what, count] = min(pipeline(stored, out, f) for _ in range(rounds))
    return found


def same(a: Path, b: Path) -> bool:
    """Whether two files hold the same bytes, read a piece at a time."""
    with open(a, "rb") as first, open(b, "rb") as second:
        while (piece := first.read(2**22)) == second.read(2**22):
            if not piece:
                return True
    return False


def claims(found: Any) -> list[Claim]:
    """What is said, beside what was measured."""
    size, memory = found["bytes"], found["memory"]
    ways = ("one process", "1 worker", "2 workers")
    rates = "; ".join(f"{way}: {found[way]:.2f} s, {size / found[way] / 1e9:.2f} GB/s" for way in ways)
    return [
        Claim(
            "with a worker killed in the middle, two make the file that one process makes",
            found["killed"] and found["same"],
            f"{size / 1e9:.2f} GB, {'the same bytes' if found['same'] else 'OTHER bytes'}",
        ),
        Claim(
            "workers need little memory for it (below 32 MiB more than before, of what was read and written)",
            memory < 2**25,
            f"{memory / 2**20:.1f} MiB for {2 * size / 1e9:.2f} GB, where {LIMIT / 1e6:.0f} MB were allowed",
        ),
        Claim(
            "two workers are faster than one",
            found["2 workers"] < found["1 worker"],
            rates,
        ),
        Claim(
            "in a pipeline of dask, actc is faster than the expression in NumPy",
            all(found["actc", n] < found["NumPy", n] for n in (1, 2)),
            "; ".join(
                f"{n} worker{'s' * (n > 1)}: NumPy {found['NumPy', n]:.2f} s, actc {found['actc', n]:.2f} s,"
                f" {found['NumPy', n] / found['actc', n]:.1f} times"
                for n in (1, 2)
            ),
        ),
    ]


def draw(found: Any) -> Any:
    """The seconds of each way."""
    figure, (plot,) = common.plots(1, width=7)
    ways = {
        "actc apply": found["one process"],
        "apply --dask, 1 worker": found["1 worker"],
        "apply --dask, 2 workers": found["2 workers"],
        **{f"dask, {what}, {n} worker{'s' * (n > 1)}": found[what, n] for what in ("NumPy", "actc") for n in (1, 2)},
    }
    colors = [common.COLORS[1] if "NumPy" in way else common.COLORS[0] for way in ways]
    plot.barh(list(ways)[::-1], list(ways.values())[::-1], color=colors[::-1])
    plot.set_title(f"seconds for {found['bytes'] / 2**30:g} GiB of float32 to and from files", fontsize=10, loc="left")
    return figure


if __name__ == "__main__":
    sys.exit(common.main(sys.modules[__name__]))
