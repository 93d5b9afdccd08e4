"""What an if-else costs against an exponential: the founding claim, relu is far cheaper than sigmoid, as an experiment.

    python bench/claim.py [--quick] [--json FILE] [--pictures FOLDER] [--page FILE] [--from FILE]

relu, leaky_relu, elu, sigmoid, tanh and gelu, f and f', float32 and float64, from one element to more than any cache
holds: in Python's own arithmetic, NumPy, PyTorch, C as a compiler found here makes it, and actc on its scalar unit and
on its best one. In each cell of pass, type and size all of them take turns, np.copyto too, one thread each. Then an
if-else on signs that can and that cannot be foretold. This is how docs/guides/if_else_or_exponential.md is made, on a
quiet machine:

    python bench/claim.py --json docs/claim.json
    python bench/claim.py --from docs/claim.json --pictures docs/pictures --page docs/guides/if_else_or_exponential.md
"""

from __future__ import annotations

import environment  # noqa: F401 - first of all

# isort: split
import argparse
import ctypes
import functools
import json
import math
import os
import platform
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cases
import claim_page
import numpy as np
import peers
from cases import Array, Arrays, Case

import actc
from actc import _bench

FUNCTIONS = ("relu", "leaky_relu", "elu", "sigmoid", "tanh", "gelu")
PASSES = ("forward", "derivative")
DTYPES = ("f32", "f64")
SIZES = (1, 100, 2000, 32_768, 1_000_000, 32_000_000)
QUICK = (1, 2000)
CONTESTANTS = ("Python", "NumPy", "PyTorch", "C -O2", "actc scalar", "actc SIMD")
MOST = {"Python": 32_768, "actc scalar": 32_768, "C -O2": 1_000_000}  # elements: from there on each costs the same
LEVELS = ("-O1", "-O2", "-O3")
SIGNS = 65_536  # elements of the experiment with them: more than a branch predictor remembers
TURN = 200_000  # nanoseconds: long enough for everybody to have his own data in cache again
SPINS = 500
EVENTS = ("cycles:u", "instructions:u", "branch-misses:u")
HERE = Path(__file__).resolve().parent


class Way(NamedTuple):
    """One function by one contestant, ready to be timed."""

    who: str
    name: str
    text: str
    run: Callable[[int], int]  # nanoseconds of n calls


# ---- contestants -----------------------------------------------------------------------------------------------------


def in_python(case: Case, x: Array) -> tuple[str, Callable[[int], int]]:
    """The formula of actc's table, which is Python, over a list."""
    row = _bench.ROWS[case.name]
    text = f"[{row.formula if case.which == 'forward' else row.derivative} for x in xs]"
    own: dict[str, Any] = {**vars(math), **row.parameters}
    exec(f"def f(xs): return {text}", own)
    return text, _bench._batch(own["f"], [x.tolist()])


@functools.cache
def compiler() -> str | None:
    return shutil.which(os.environ.get("CC", "cc")) if os.name == "posix" else None


@functools.cache
def compiled(level: str) -> ctypes.CDLL:
    """claim.c at an optimisation level."""
    with tempfile.TemporaryDirectory() as folder:  # once it is loaded the file is not needed
        library = Path(folder) / "claim.so"
        command = [str(compiler()), level, "-shared", "-fPIC", str(HERE / "claim.c"), "-o", str(library), "-lm"]
        subprocess.run(command, check=True)
        found = ctypes.CDLL(str(library))
    found.ticks.restype = ctypes.c_ulonglong
    return found


def in_c(level: str, case: Case, x: Array, y: Array) -> tuple[str, Callable[[int], int]]:
    """A loop of claim.c. The repetitions are C's too, so that no call from Python is in it."""
    library = compiled(level)
    name = f"{case.name}_{case.which}_{case.dtype}"
    arguments = (library[name], *map(ctypes.c_void_p, (x.ctypes.data, y.ctypes.data)), ctypes.c_size_t(x.size))

    def run(n: int) -> int:
        start = time.perf_counter_ns()
        library.repeat(*arguments, ctypes.c_size_t(n))
        return time.perf_counter_ns() - start

    return f"{name} of claim.c", run


def on(isa: str, run: Callable[[int], int]) -> Callable[[int], int]:
    """The same on another instruction set."""

    def switched(n: int) -> int:
        before = actc.use_isa(isa)
        try:
            return run(n)
        finally:
            actc.use_isa(before)

    return switched


class Contest:
    """Who takes part, as far as it is here."""

    def __init__(self) -> None:
        self.peers = {p.name: p for p in peers.installed(["actc", "numpy", "torch"])}
        missing = {"PyTorch": "torch" not in self.peers, "C -O2": not compiler(), "NumPy": "numpy" not in self.peers}
        self.missing = [who for who in CONTESTANTS if missing.get(who)]

    def takes_part(self, who: str, size: int) -> bool:
        return who not in self.missing and size <= MOST.get(who, size)

    def way(self, who: str, case: Case, given: Arrays) -> Way:
        if who == "Python":
            text, run = in_python(case, given["x"])
        elif who.startswith("C "):
            text, run = in_c(who[2:], case, given["x"], given["y"])
        else:  # the first call of each is the one with out=
            call = self.peers[{"NumPy": "numpy", "PyTorch": "torch"}.get(who, "actc")].calls(case, given)[0]
            text, run = call.text, on("scalar", call.run) if who == "actc scalar" else call.run
        return Way(who, case.name, text, run)


# ---- measuring -------------------------------------------------------------------------------------------------------


def in_turns(runs: Sequence[Callable[[int], int]], size: int, args: argparse.Namespace) -> Array:
    """Nanoseconds per element, a row for each round, in which everybody has one turn, in any order."""
    with np.errstate(all="ignore"):
        counts = [max(1, args.turn // max(1, min(run(1), run(1)))) for run in runs]
        cost = sum(run(n) for run, n in zip(runs, counts, strict=True))
        chance, found = (
            random.Random(1),
            np.empty((int(np.clip(1e9 * args.seconds / cost, args.rounds, 50)), len(runs))),
        )
        for row in found:
            for i in chance.sample(range(len(runs)), len(runs)):
                row[i] = runs[i](counts[i]) / (counts[i] * size)
    return found


def spread(times: Array) -> list[float]:
    """Median and quartiles, four digits."""
    return [float(f"{v:.4g}") for v in np.percentile(times, (50, 25, 75))]


def cell(contest: Contest, which: str, dtype: str, size: int, args: argparse.Namespace) -> dict[str, Any]:
    """All functions by everybody in one run; what relu and a copy took is of the same round each time."""
    shared: Arrays = {}
    found: list[Way] = []
    for name in FUNCTIONS:
        case = Case(name, which, dtype, (size,))
        given = cases.arrays(case) | shared
        shared = {key: given[key] for key in "xy"}
        found += [contest.way(who, case, given) for who in CONTESTANTS if contest.takes_part(who, size)]
    copy = _bench._batch(lambda x: np.copyto(shared["y"], x), [shared["x"]])
    times = in_turns([*(w.run for w in found), copy], size, args)
    column = {(w.who, w.name): t for w, t in zip(found, times.T, strict=False)}
    written: dict[str, Any] = {"pass": which, "dtype": dtype, "size": size, "rounds": len(times)}
    written |= {"copy": spread(times[:, -1]), "ways": []}
    for (who, name), own in sorted(column.items(), key=lambda item: CONTESTANTS.index(item[0][0])):
        ratios = {"of relu": spread(own / column[who, "relu"]), "of copy": spread(own / times[:, -1])}
        written["ways"].append({"who": who, "name": name, "ns": spread(own), **ratios})
    return written


def signs(x: Array) -> dict[str, Array]:
    """The same magnitudes, with signs that are easier and harder to foretell."""
    size = np.abs(x)
    period = np.copysign(size, np.resize(x[:1000], x.size))
    return {"positive": size, "negative": -size, "sorted": np.sort(x), "of period 1000": period, "random": x}


def given_signs(label: str, size: int) -> tuple[Case, Arrays]:
    case = Case("relu", "forward", "f32", (size,))
    given = cases.arrays(case)
    return case, given | {"x": signs(given["x"])[label]}


def jumps(contest: Contest, args: argparse.Namespace) -> list[dict[str, Any]]:
    """relu as an if-else of Python and of C and without one, and exponentials, on each kind of signs."""
    who = ["Python", *(f"C {level}" for level in LEVELS if compiler()), "actc SIMD"]
    labels, found = [], []
    for label in signs(np.zeros(1)):
        relu, given = given_signs(label, args.signs)
        sigmoid = Case("sigmoid", "forward", "f32", relu.shape)
        here = [contest.way(w, relu, given) for w in who]
        here += [contest.way(w, sigmoid, given) for w in ("C -O2", "actc SIMD") if w in who]
        found, labels = found + here, labels + [label] * len(here)
    times = in_turns([w.run for w in found], args.signs, args).T
    return [
        {"who": w.who, "name": w.name, "signs": s, "ns": spread(t)}
        for w, s, t in zip(found, labels, times, strict=True)
    ]


# ---- cycles ----------------------------------------------------------------------------------------------------------


def counted(command: Sequence[str], events: Sequence[str] = EVENTS) -> dict[str, float] | None:
    """What `perf stat` counts of a command; None without perf, or where the machine lets nobody count that."""
    perf = ["perf", "stat", "-x", ";", "-e", ",".join(events), "--", *command]
    try:
        done = subprocess.run(perf, capture_output=True, text=True, check=True)
        fields = [line.split(";") for line in done.stderr.splitlines() if line.count(";") > 2]
        return {f[2]: float(f[0]) for f in fields}  # "<not supported>" is no number
    except (FileNotFoundError, subprocess.CalledProcessError, ValueError):
        return None


def counts(level: str, label: str, size: int, events: Sequence[str] = EVENTS) -> dict[str, float] | None:
    """Events for each element of C's relu: of a process that runs it many times, less those of one that starts."""
    command = [sys.executable, str(HERE / "claim.py"), "--spin", level.lstrip("-"), label, str(size)]
    some, none = (counted([*command, str(n)], events) for n in (SPINS, 0))
    return some and none and {e: (some[e] - none[e]) / (SPINS * size) for e in some}


def spin(level: str, label: str, size: str, times: str) -> None:
    case, given = given_signs(label, int(size))
    in_c(f"-{level}", case, given["x"], given["y"])[1](int(times))


def nominal() -> float | None:
    """Ticks of the processor's clock counter in a nanosecond."""
    if not compiler() or not compiled("-O2").ticks():
        return None
    start, begun = time.perf_counter_ns(), compiled("-O2").ticks()
    time.sleep(0.05)
    return float(f"{(compiled('-O2').ticks() - begun) / (time.perf_counter_ns() - start):.4g}")


# ----------------------------------------------------------------------------------------------------------------------


def caches() -> dict[str, str]:
    """Sizes as Linux tells them."""
    found = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((index / name).read_text().strip() for name in ("level", "type", "size"))
        if kind != "Instruction":
            found[f"L{level}"] = size
    return found


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Everything, as it is written."""
    contest = Contest()
    machine = _bench.machine() | {"caches": caches(), "ticks per ns": nominal()}
    machine["versions"] = {p.name: p.version for p in contest.peers.values()}
    machine |= {"missing": contest.missing, "platform": f"{platform.system()} {platform.machine()}"}
    if compiler():
        version = subprocess.run([str(compiler()), "--version"], capture_output=True, text=True, check=True)
        machine["compiler"] = version.stdout.splitlines()[0]
    found: dict[str, Any] = {"machine": machine, "cells": []}
    for which in PASSES:
        for dtype in DTYPES:
            for size in args.size:
                found["cells"].append(cell(contest, which, dtype, size, args))
                print(f"\r{which} {dtype} {size}\033[K", end="", file=sys.stderr, flush=True)
    found["signs"] = {"size": args.signs, "ways": jumps(contest, args)}
    labels = ("positive", "random") if compiler() and counted(["true"]) else ()
    found["counts"] = {f"{level} {label}": counts(level, label, args.signs) for level in LEVELS for label in labels}
    machine["load average afterwards"] = _bench.machine()["load average"]
    print("\r\033[K", end="", file=sys.stderr)
    return found


def written(found: dict[str, Any]) -> str:
    """JSON with a line for each measurement."""
    text = json.dumps(found, indent=1)
    return re.sub(r"\{[^{}]*\}|\[[^][{}]*\]", lambda m: " ".join(m[0].split()), text) + "\n"


def main() -> int:
    p = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    p.add_argument("--quick", action="store_true", help="small arrays and few rounds: seconds, for tests")
    p.add_argument("--json", type=Path, help="where to write what is measured")
    p.add_argument("--from", dest="given", type=Path, metavar="FILE", help="take it from there, and measure nothing")
    p.add_argument("--pictures", type=Path, metavar="FOLDER", help="where to draw (needs matplotlib)")
    p.add_argument("--page", type=Path, help="where to write the page")
    p.add_argument("--spin", nargs=4, help=argparse.SUPPRESS)
    args = p.parse_args()
    if args.spin:
        spin(*args.spin)
        return 0
    args.size, args.signs = (QUICK, 5000) if args.quick else (SIZES, SIGNS)
    args.seconds, args.rounds, args.turn = (0.0, 3, TURN // 20) if args.quick else (4.0, 7, TURN)
    try:
        found = json.loads(args.given.read_text()) if args.given else measure(args)
    except OSError as error:
        p.error(f"--from {args.given}: {error.strerror}")
    if args.json:
        args.json.write_text(written(found))
    if args.pictures:
        claim_page.draw(found, args.pictures)
    if args.page:
        args.page.write_text(claim_page.page(found))
    print(claim_page.summary(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
