"""Does an array that is larger than the workers' memory go through dask as through one process, and what is gained?

A file of 1 GiB goes through `actc apply gelu_tanh --dask` with two workers that may have 500 MB each, one of which is
killed in the middle. The same array as zarr then goes through `actc apply --dask` and through a pipeline of dask.array,
with actc.gelu_tanh and with the expression that is written by hand for it in plain NumPy, on one worker and on two:
the same file, the same chunks, all ways taking turns. With `--page FILE` the figures go into that page, where its table
of them stands.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import common
import numpy as np
from common import Claim

import actc
from actc.__main__ import main as command
from actc._bench import processor

LIMIT = 500_000_000  # bytes that a worker may have before dask restarts it; at 80 % of them it would pause
CHUNK = 2**21  # elements of a zarr chunk


def by_hand(x: Any) -> Any:
    """gelu_tanh as it is found in many a code base."""
    return 0.5 * x * (1 + np.tanh(np.float32(np.sqrt(2 / np.pi)) * (x + np.float32(0.044715) * x**3)))


WAYS = ("apply --dask", "dask.array, actc", "dask.array, NumPy")


def peak() -> int:
    """Resident memory of the process that calls it at its largest, in bytes.

    Linux hands ru_maxrss down from the process that started this one, and small growth would hide below it.
    """
    try:
        return 1024 * int(re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[0])
    except (OSError, IndexError):
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def forget_peak() -> int:
    """Let `peak` begin anew, where the system can (Linux), and say what it begins with."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return peak()


def warm() -> None:
    """What a worker does once: imports, and first blocks."""
    import dask.array as da
    import zarr

    for f in (actc.gelu_tanh, by_hand):
        f(da.from_zarr(zarr.array(np.ones(CHUNK, np.float32)))).compute(scheduler="synchronous")


@contextlib.contextmanager
def workers(count: int) -> Iterator[Any]:
    """A client of as many processes with a thread each, which have imported what they need."""
    from distributed import Client, LocalCluster

    options = dict(threads_per_worker=1, memory_limit=LIMIT, dashboard_address="127.0.0.1:0", silence_logs="ERROR")
    with LocalCluster(n_workers=count, **options) as cluster, Client(cluster) as client:
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


def pipeline(source: Path, target: Path, client: Any, f: Callable[[Any], Any]) -> float:
    """Seconds for the same through dask.array, from zarr to zarr."""
    import dask.array as da

    with client.as_current():
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
    """Seconds and bytes of memory of every way and number of workers, and whether the results are the same."""
    size, rounds = (2**25, 1) if quick else (2**28, 3)
    found: dict[Any, Any] = {"bytes": 4 * size, "rounds": rounds, "load": [os.getloadavg()[0]]}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        npy, stored = write(folder, size)
        one, many, out = folder / "one.npy", folder / "many.npy", folder / "out.zarr"
        found["one process"] = [apply(npy, one) for _ in range(rounds)]
        with workers(2) as client:
            client.run(forget_peak)
            thread = kill_one(client, folder, 4 * size)
            apply(npy, many, client)
            found["killed"] = not thread.is_alive()
        found["same"] = [same(one, many)]
        with workers(1) as single, workers(2) as pair:
            seconds: dict[Any, list[float]] = {(way, n): [] for way in WAYS for n in (1, 2)}
            memory: dict[Any, list[int]] = {key: [] for key in seconds}
            for way, n in list(seconds) * rounds:
                client = single if n == 1 else pair
                before = client.run(forget_peak)
                if way == "apply --dask":
                    took = apply(stored, out, client)
                else:
                    took = pipeline(stored, out, client, by_hand if way.endswith("NumPy") else actc.gelu_tanh)
                after = client.run(peak)
                seconds[way, n].append(took)
                memory[way, n].append(max(after[w] - before[w] for w in after))
                if not way.endswith("NumPy"):
                    found["same"].append(same_array(one, out))
        found["load"].append(os.getloadavg()[0])
    return found | {"seconds": seconds, "memory": {key: max(values) for key, values in memory.items()}}


def same(a: Path, b: Path) -> bool:
    """Whether two files hold the same bytes, read a piece at a time."""
    with open(a, "rb") as first, open(b, "rb") as second:
        while (piece := first.read(2**22)) == second.read(2**22):
            if not piece:
                return True
    return False


def same_array(npy: Path, stored: Path) -> bool:
    """Whether an .npy file and a zarr array hold the same bits, read a chunk at a time."""
    import zarr

    a, b = np.load(npy, mmap_mode="r"), zarr.open_array(stored, mode="r")
    pieces = (slice(i, i + CHUNK) for i in range(0, a.size, CHUNK))
    return a.shape == b.shape and all(np.array_equal(a[p].view("u4"), np.asarray(b[p]).view("u4")) for p in pieces)


def ratio(found: Any, slow: tuple[str, int], fast: tuple[str, int]) -> float:
    """How many times as fast one is as the other: the median over rounds, as the two of a round met the same load."""
    pairs = zip(found["seconds"][slow], found["seconds"][fast], strict=True)
    return float(median(a / b for a, b in pairs))


def claims(found: Any) -> list[Claim]:
    """What is said, beside what was measured."""
    size = found["bytes"]
    memory = max(found["memory"][WAYS[0], n] for n in (1, 2))
    gained = {way: ratio(found, (way, 1), (way, 2)) for way in WAYS}
    against = [ratio(found, (WAYS[2], n), (WAYS[1], n)) for n in (1, 2)]
    return [
        Claim(
            "with a worker killed in the middle, two make the file that one process makes; all ways give the same bits",
            found["killed"] and all(found["same"]),
            f"{size / 1e9:.2f} GB, {sum(found['same'])} of {len(found['same'])} results with the same bits",
        ),
        Claim(
            "workers of `actc apply --dask` need a chunk and its result (below 48 MiB), whatever the size of the array",
            memory < 48 * 2**20,
            f"{memory / 2**20:.1f} MiB at most for {2 * size / 1e9:.2f} GB read and written, chunks of "
            f"{4 * CHUNK / 2**20:g} MiB, where {LIMIT / 1e6:.0f} MB were allowed",
        ),
        Claim(
            "two workers are faster than one",
            all(g > 1 for g in gained.values()),
            "; ".join(f"{way}: {g:.2f} times" for way, g in gained.items()),
        ),
        Claim(
            "in a pipeline of dask, actc is faster than the expression in NumPy",
            min(against) > 1,
            "; ".join(f"{n} worker{'s' * (n > 1)}: {a:.1f} times" for n, a in zip((1, 2), against, strict=True)),
        ),
    ]


def table(found: Any) -> list[str]:
    """The figures, as a table of a page."""
    size, (before, after) = found["bytes"], found["load"]
    lines = [
        f"{size / 2**30:g} GiB of float32 read and as much written, zarr chunks of {4 * CHUNK / 2**20:g} MiB, every "
        f"way {found['rounds']} times, all taking turns; medians, also of the ratios within a round. {processor()}, "
        f"{os.cpu_count()} cores, load average {before:.1f} before and {after:.1f} after.",
        "",
        "| | 1 worker | 2 workers | 2 over 1 | memory of a worker |",
        "|---|---:|---:|---:|---:|",
    ]
    for way in WAYS:
        cells = [f"{median(found['seconds'][way, n]):.2f} s" for n in (1, 2)]
        grown = max(found["memory"][way, n] for n in (1, 2)) / 2**20
        lines.append(f"| {way} | {' | '.join(cells)} | {ratio(found, (way, 1), (way, 2)):.2f} | {grown:.0f} MiB |")
    cells = [f"{ratio(found, (WAYS[2], n), (way, n)):.1f}" for way in WAYS[1::-1] for n in (1, 2)]
    return [
        *lines,
        "",
        f"Beside NumPy's expression, on one worker and on two: dask.array with actc {cells[0]} and {cells[1]} times as "
        f"fast, `apply --dask` {cells[2]} and {cells[3]} times. `actc apply` in one process without dask, .npy to "
        f".npy: {median(found['one process']):.2f} s.",
    ]


def draw(found: Any) -> Any:
    """The seconds of each way."""
    figure, (plot,) = common.plots(1, width=7)
    ways = {f"{way}, {n} worker{'s' * (n > 1)}": median(s) for (way, n), s in found["seconds"].items()}
    ways["actc apply, one process"] = median(found["one process"])
    colors = [common.COLORS[1] if "NumPy" in way else common.COLORS[0] for way in ways]
    plot.barh(list(ways)[::-1], list(ways.values())[::-1], color=colors[::-1])
    plot.set_title(f"seconds for {found['bytes'] / 2**30:g} GiB of float32 to and from files", fontsize=10, loc="left")
    return figure


if __name__ == "__main__":
    sys.exit(common.main(sys.modules[__name__]))
