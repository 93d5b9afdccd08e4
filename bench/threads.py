"""What further threads bring: actc, and PyTorch if it is installed, with one thread and with several.

    python bench/threads.py [--threads N] [--size N ...] [--json FILE]

Prints a table: nanoseconds per float32 element with one thread, and how many times as fast it is with N, the two
taking turns; the middle half of the rounds counts. Outputs are given and have been written to before. N is 2 by default
and never more than the processors that this process may use.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import actc

NAMES = ("relu", "sigmoid", "tanh", "gelu", "mish", "softmax")
COLUMNS = 1000  # of softmax


def timed(call: Callable[[], object]) -> float:
    """Seconds of one call."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def in_turns(call: Callable[[], object], choose: Callable[[int], object], threads: int) -> tuple[float, float]:
    """Seconds with one thread, and how many times as fast it is with so many."""
    choose(threads)
    once = timed(call)
    rounds = max(11, min(400, int(0.6 / max(once, 1e-6))))
    times: dict[int, list[float]] = {1: [], threads: []}
    for _ in range(rounds):
        for n, found in times.items():
            choose(n)
            call()  # a pool that was asleep, or a cache that the other side filled
            found.append(timed(call))
    choose(1)
    quarter = rounds // 4
    one, several = (statistics.mean(sorted(t)[quarter : rounds - quarter]) for t in (times[1], times[threads]))
    return one, one / several


def candidates(size: int) -> dict[str, tuple[Callable[[int], object], dict[str, Callable[[], object]]]]:
    """Library -> how to choose the number of threads, and its calls."""
    x = np.random.default_rng(0).standard_normal(size // COLUMNS * COLUMNS).astype(np.float32)
    y = np.zeros_like(x)
    table, out = x.reshape(-1, COLUMNS), y.reshape(-1, COLUMNS)

    def ours(name: str) -> Callable[[], object]:
        f = getattr(actc, name)
        return (lambda: f(table, out=out)) if name == "softmax" else (lambda: f(x, out=y))

    found: dict[str, Any] = {"actc": (actc.set_num_threads, {name: ours(name) for name in NAMES})}
    try:
        import torch
    except ImportError:
        return found
    tx, ty, ttable, tout = map(torch.from_numpy, (x, y, table, out))
    op = torch.ops.aten
    calls = {
        "relu": lambda: torch.clamp_min(tx, 0, out=ty),
        "sigmoid": lambda: torch.sigmoid(tx, out=ty),
        "tanh": lambda: torch.tanh(tx, out=ty),
        "gelu": lambda: op.gelu.out(tx, out=ty),
        "mish": lambda: op.mish.out(tx, out=ty),
        "softmax": lambda: torch.softmax(ttable, -1, out=tout),
    }
    found["torch"] = torch.set_num_threads, calls
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--size", type=int, nargs="+", default=[100_000, 1_000_000, 32_000_000])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    threads = min(options.threads, actc._core.processors())
    if threads < 2 or min(options.size) < COLUMNS:
        parser.error(f"needs two processors and sizes of at least {COLUMNS}")
    rows = []
    print(f"{'':10} {'elements':>10}  " + "".join(f"{name:>16}" for name in NAMES))
    for size in options.size:
        for library, (choose, calls) in candidates(size).items():
            found = {name: in_turns(call, choose, threads) for name, call in calls.items()}
            rows.append(
                {"library": library, "size": size, "threads": threads}
                | {n: {"ns": s / size * 1e9, "times": times} for n, (s, times) in found.items()}
            )
            cells = "".join(f"{s / size * 1e9:9.3f} x{times:5.2f}" for s, times in found.values())
            print(f"{library:10} {size:10}  {cells}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
