"""actc and everybody else: every function, pass and dtype that a peer has, timed in turns and judged on one sample.

    python bench/against.py [NAME ...] [--quick] [--pass forward ...] [--peers torch jax ...] [--output build/against]

Writes <output>.json, with the text of every call that was timed, and <output>.md, losing cells first; with --strict the
exit code is 1 while there are any. A cell is lost if actc takes more than `--limit` times what the fastest peer takes
whose own error is at most `--ulp`; peers beyond that are shown and marked, and do not count. Lost cells are measured
again, longer. Ctrl-C stops early and keeps what has been measured.

Every peer has one thread, and with several ways of doing the same the fastest counts. The peers: plain NumPy, SciPy,
PyTorch, JAX (jit), ONNX Runtime (IOBinding), numexpr, numba, thinc, whichever are installed; `pip install '.[peers]'`.
With ACTC_ISA=avx2 in the environment everybody is held to AVX2, but for ONNX Runtime, which cannot be and is left out.
"""

from __future__ import annotations

import environment  # first of all

# isort: split
import argparse
import dataclasses
import itertools
import json
import math
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cases
import numpy as np
import peers
from cases import Case

import actc
from actc import _bench

QUICK = [1, 1000, 100_000]
SIZES = [1, 16, 1000, 16_384, 100_000, 1_000_000, 32_000_000]
SHAPES = [((1000, 1000), -1), ((100_000, 10), -1), ((64, 32_768), -1), ((1000, 1000), 0)]
HOPELESS = 8  # who takes so many times longer than the fastest is timed alone, and briefly
TURN = 200_000  # nanoseconds


@dataclass
class Way:
    """One call in one cell."""

    peer: str
    text: str
    ns: float  # per element
    ulp: float | None


@dataclass
class Cell:
    case: Case
    ways: list[Way]
    copy_ns: float  # np.copyto of as many elements, per element

    def best(self, peer: str) -> Way | None:
        return min((w for w in self.ways if w.peer == peer), key=lambda w: w.ns, default=None)

    def rival(self, ulp: float = math.inf) -> Way | None:
        """The fastest other one that is right."""
        right = [w for w in self.ways if w.peer != "actc" and (w.ulp is None or w.ulp <= ulp)]
        return min(right, key=lambda w: w.ns, default=None)

    def ratio(self, ulp: float = math.inf) -> float | None:
        """How many times faster than it actc is."""
        ours, rival = self.best("actc"), self.rival(ulp)
        return rival.ns / ours.ns if ours and rival else None

    @property
    def streams(self) -> float:
        """Elements read and written for each element; those of a copy are 2."""
        c = self.case  # of which the result, or its gradient, is one
        return len(c.inputs) + len(c.outputs) + c.results - 1

    def gigabytes(self, ns: float) -> float:
        return self.streams * self.case.kind.itemsize / ns


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    known = [*actc.elementwise, *actc.gates, *cases.ROWS, *cases.HINGES]
    p.add_argument("names", nargs="*", metavar="NAME", help="functions, gates and row functions (default: all)")
    p.add_argument("--pass", dest="passes", nargs="+", default=["forward", "backward"], choices=_bench.PASSES)
    p.add_argument("--dtype", nargs="+", default=["f32"], choices=list(_bench.dtypes()))
    p.add_argument("--size", nargs="+", type=int, metavar="N", help="of elementwise functions and gates")
    p.add_argument("--shape", nargs="+", metavar="RxN[:AXIS]", help="of row functions, as 1000x1000:0")
    p.add_argument("--layout", nargs="+", default=["contiguous"], choices=cases.LAYOUTS)
    p.add_argument("--values", nargs="+", default=["normal"], choices=cases.VALUES)
    p.add_argument("--peers", nargs="+", choices=[k.__name__.lower() for k in peers.PEERS[1:]], help="(default: all)")
    p.add_argument("--quick", action="store_true", help=f"sizes {QUICK} and a tenth of the time")
    p.add_argument("--limit", type=float, default=1.05)
    p.add_argument("--ulp", type=float, default=16.0, help="error up to which a peer counts")
    p.add_argument("--output", type=Path, default=Path("build/against"))
    p.add_argument("--strict", action="store_true", help="exit with 1 if a cell is lost")
    args = p.parse_args()
    for name in args.names:
        if name not in known:
            p.error(f"unknown function {name!r}; there are {', '.join(known)}")
    args.names = args.names or known
    args.size = args.size or (QUICK if args.quick else SIZES)
    if min(args.size) < 1:
        p.error("--size must be positive")
    try:
        args.shape = [shape(s) for s in args.shape] if args.shape else SHAPES
    except ValueError as error:
        p.error(str(error))
    return args


def shape(text: str) -> tuple[tuple[int, ...], int]:
    """ "1000x10:0" to ((1000, 10), 0)."""
    lengths, _, axis = text.partition(":")
    try:
        found = tuple(int(n) for n in lengths.split("x")), int(axis or -1)
    except ValueError:
        found = (), -1
    if len(found[0]) != 2 or min(found[0]) < 1 or found[1] not in (0, -1):
        raise ValueError(f"--shape must be like 1000x1000 or 1000x1000:0, not {text!r}")
    return found


def grid(args: argparse.Namespace) -> list[Case]:
    """Every cell that was asked for."""
    found = []
    for dtype, values, layout, name, which in itertools.product(
        args.dtype, args.values, args.layout, args.names, args.passes
    ):
        if which not in cases.passes(name):
            continue
        if name in cases.ROWS:
            shapes = args.shape if layout == "contiguous" else []
        elif layout == "transposed":
            shapes = [((math.isqrt(n), math.isqrt(n)), -1) for n in args.size if n > 1]
        else:
            shapes = [((n,), -1) for n in args.size if n > 1 or layout == "contiguous"]
        found += [Case(name, which, dtype, s, axis, layout, values) for s, axis in shapes]
    return found


# ---- measuring -------------------------------------------------------------------------------------------------------


class Against:
    """Measures cells, and remembers errors, which do not depend on the size, and what refused to run."""

    def __init__(self, names: Iterable[str]) -> None:
        self.peers = list(peers.installed(["actc", *names] if names else []))
        self.refused: dict[str, str] = {}
        self._ulp: dict[tuple[Any, ...], float | None] = {}

    def cell(self, case: Case, seconds: float) -> Cell:
        given = cases.arrays(case)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            calls = [(p, i, c) for p in self.peers for i, c in enumerate(p.calls(case, given)) if self._runs(case, c)]
            ulps = [self._error(case, p, i, c.text) for p, i, c in calls]
            times = in_turns([*(c.run for _, _, c in calls), copy(case)], seconds)
        ways = [Way(c.peer, c.text, t / case.size, u) for (_, _, c), t, u in zip(calls, times[:-1], ulps, strict=True)]
        return Cell(case, ways, times[-1] / case.size)

    def _runs(self, case: Case, call: peers.Call) -> bool:
        try:
            call.results()
        except (TypeError, ValueError, RuntimeError, NotImplementedError) as error:
            key = f"{call.peer} {case.name} {case.which} {case.dtype} {case.layout}: {call.text}"
            self.refused[key] = str(error).splitlines()[0][:200]
            return False
        return True

    def _error(self, case: Case, peer: peers.Peer, index: int, text: str) -> float | None:
        key = (peer.name, text, case.name, case.which, case.dtype, case.axis)
        if key not in self._ulp:
            plain = dataclasses.replace(case, layout="contiguous", values="normal")
            self._ulp[key] = cases.error(plain, lambda arrays: peer.calls(plain, arrays)[index].results())
        return self._ulp[key]


def copy(case: Case) -> Callable[[int], int]:
    """np.copyto of as many elements, in one piece."""
    x, y = np.ones(case.size, case.kind), np.zeros(case.size, case.kind)
    return _bench._batch(lambda a: np.copyto(y, a), [x])


def in_turns(runs: list[Callable[[int], int]], seconds: float) -> list[float]:
    """Nanoseconds per call. Turns are long enough for everybody to have his own data in cache again."""
    once = [max(1, min(run(1), run(1))) for run in runs]
    times = [0.0] * len(runs)
    near = [i for i, t in enumerate(once) if t < HOPELESS * min(once[:-1])] or [0]
    for i, t in enumerate(once):
        if i not in near:
            n = TURN // t + 1
            times[i] = min([t, *(runs[i](n) / n for _ in range(3 if t < 1e8 * seconds else 0))])
    found = _bench.take_turns([runs[i] for i in near], [TURN // once[i] + 1 for i in near], seconds)
    for i, t in zip(near, found, strict=True):
        times[i] = t
    return times


def measure(args: argparse.Namespace, against: Against) -> list[Cell]:
    """The whole grid. What is lost is measured again, longer, and that counts: a busy moment must not decide."""
    seconds = 0.05 if args.quick else 0.5
    found: list[Cell] = []
    todo = grid(args)
    try:
        for i, case in enumerate(todo, 1):
            try:
                cell = against.cell(case, seconds)
            except cases.NoSuchValues:
                continue
            if is_lost(cell, args):
                cell = against.cell(case, 4 * seconds)
            found.append(cell)
            if sys.stderr.isatty():
                print(f"\r{i}/{len(todo)} {case.name} {case.which} {case.shape}\033[K", end="", file=sys.stderr)
    except KeyboardInterrupt:
        print(f"interrupted after {len(found)} of {len(todo)} cells", file=sys.stderr)
    return found


def is_lost(cell: Cell, args: argparse.Namespace) -> bool:
    return (cell.ratio(args.ulp) or math.inf) < 1 / args.limit


def threads(against: Against) -> dict[str, float]:
    """Seconds of processor per second of each peer's sigmoid of a million: 1 is one thread."""
    found = {}
    case = Case("sigmoid", "forward", "f32", (1_000_000,))
    given = cases.arrays(case)
    for peer in against.peers:
        call = peer.calls(case, given)[0]
        call.run(1)
        wall, own = time.perf_counter(), time.process_time()
        call.run(30)
        found[peer.name] = round((time.process_time() - own) / (time.perf_counter() - wall), 2)
    return found


# ---- the report ------------------------------------------------------------------------------------------------------


def place(case: Case) -> tuple[str, ...]:
    """Which cell it is, as columns."""
    size = "x".join(map(str, case.shape)) + (f" axis {case.axis}" if case.family == "row" and case.axis >= 0 else "")
    extra = " ".join([v for v, usual in ((case.layout, "contiguous"), (case.values, "normal")) if v != usual])
    return case.name, case.which, case.dtype, f"{size} {extra}".strip()


def number(value: float) -> str:
    return f"{value:.3g}" if value < 1e4 else f"{value:.0f}"


def shown(way: Way | None, ulp: float) -> str:
    """Time and error; between crosses if the error is too large to count."""
    if way is None:
        return ""
    if way.ulp is None:
        return number(way.ns)
    text = f"{number(way.ns)} ({way.ulp:.1f})" if way.ulp < 1e3 else f"{number(way.ns)} ({way.ulp:.0e})"
    return text if way.ulp <= ulp else f"×{text}×"


def table(found: list[Cell], names: list[str], ulp: float) -> list[str]:
    head = ["function", "pass", "dtype", "size", "ratio", "rival", *names, "GB/s", "of copy"]
    lines = [f"| {' | '.join(head)} |", "|---|---|---|---|---:|---|" + "---:|" * (len(names) + 2)]
    for c in found:
        rival, ratio, ours = c.rival(ulp), c.ratio(ulp), c.best("actc")
        gigabytes = c.gigabytes(ours.ns) if ours else 0.0
        row = [*place(c.case), f"{ratio:.2f}" if ratio else "", rival.peer if rival else ""]
        row += [shown(c.best(n), ulp) for n in names]
        row += [f"{gigabytes:.1f}", f"{gigabytes * c.copy_ns / (2 * c.case.kind.itemsize):.2f}"]
        lines.append(f"| {' | '.join(row)} |")
    return lines


def mean(values: Iterable[float]) -> float:
    logarithms = [math.log(v) for v in values]
    return math.exp(sum(logarithms) / len(logarithms)) if logarithms else math.nan


def summary(found: list[Cell], names: list[str], args: argparse.Namespace) -> list[str]:
    """Geometric mean, how many are lost, and the worst, for each dtype, pass and size; then for each peer."""
    lines = ["| dtype | pass | size | ratio, mean | lost | worst |", "|---|---|---|---:|---:|---|"]

    def group(c: Cell) -> tuple[str, ...]:
        return (c.case.dtype, c.case.which, "rows" if c.case.family == "row" else place(c.case)[3])

    for key in dict.fromkeys(map(group, found)):
        some = [c for c in found if group(c) == key and c.ratio(args.ulp)]
        if some:
            worst = min(some, key=lambda c: c.ratio(args.ulp) or 0)
            rival = worst.rival(args.ulp)
            text = f"{worst.case.name} {worst.ratio(args.ulp):.2f} ({rival.peer if rival else ''})"
            lost = sum(is_lost(c, args) for c in some)
            ratio = mean(c.ratio(args.ulp) or 1 for c in some)
            lines.append(f"| {' | '.join(key)} | {ratio:.2f} | {lost} of {len(some)} | {text} |")
    lines += ["", "| peer | cells | ratio, mean | ahead of actc | of these in error |", "|---|---:|---:|---:|---:|"]
    for name in names[1:]:
        both = [(a, b) for c in found if (a := c.best(name)) and (b := c.best("actc"))]
        if both:
            ahead = [a for a, b in both if a.ns * args.limit < b.ns]
            wrong = sum(a.ulp is not None and a.ulp > args.ulp for a in ahead)
            ratio = mean(a.ns / b.ns for a, b in both)
            lines.append(f"| {name} | {len(both)} | {ratio:.2f} | {len(ahead)} | {wrong} |")
    return lines


def markdown(found: list[Cell], against: Against, header: dict[str, Any], args: argparse.Namespace) -> str:
    """Machine, summary, lost cells, then everything."""
    names = [p.name for p in against.peers]
    lost = sorted((c for c in found if is_lost(c, args)), key=lambda c: c.ratio(args.ulp) or 0)
    compared = [r for c in found if (r := c.ratio(args.ulp))]
    given = " ".join(a for i, a in enumerate(sys.argv[1:]) if "--output" not in (a, sys.argv[i]))
    parts = ["# Against peers, cell by cell", "", f"Printed by `python bench/against.py {given}`.", ""]
    isa = f"everybody held to {header['isa']}" if environment.CAPPED else header["isa"]
    parts += [f"{header['processor']}, {isa}, one thread each, load average {header['load average']}, "]
    parts += [", ".join(f"{k} {v}" for k, v in header["versions"].items()) + ".", ""]
    parts += [f"**{n} had {v} processors.**\n" for n, v in header["processor time over time"].items() if v > 1.2]
    parts += [
        "ns per element (largest error in ULP on the sample), best of three blocks, interleaved at random. The ratio",
        f"is the time of the fastest peer with error <= {args.ulp:g} ULP over actc's; those between × do not count.",
        "GB/s: what actc reads and writes; of copy: over what np.copyto reads and writes in the same turn.", "",
    ]  # fmt: skip
    parts += [f"**{len(lost)} of {len(compared)} cells are lost** (ratio under {1 / args.limit:.3f}); geometric mean "]
    parts += [f"{mean(compared):.2f}. {len(found) - len(compared)} more cells have no peer that is right.", ""]
    parts += [*summary(found, names, args), ""]
    if lost:
        parts += ["## Lost", "", *table(lost, names, args.ulp), ""]
    beaten = [c for c in found if not is_lost(c, args) and (c.ratio() or math.inf) < 1 / args.limit]
    if beaten:
        parts += [
            "## Ahead, but wrong",
            "",
            "Cells in which only peers whose error is too large are ahead of actc.",
            "",
        ]
        parts += [*table(sorted(beaten, key=lambda c: c.ratio() or 0), names, args.ulp), ""]
    parts += ["## All cells", "", *table(found, names, args.ulp), ""]
    if against.refused:
        parts += ["## Calls that were refused", "", *(f"- {k}: {v}" for k, v in against.refused.items()), ""]
    return "\n".join(parts)


def finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def as_dict(cell: Cell, ulp: float) -> dict[str, Any]:
    """For JSON, which knows no infinity."""
    case = dataclasses.asdict(cell.case)
    case["pass"] = case.pop("which")
    ways = [
        {"peer": w.peer, "call": w.text, "ns": w.ns, "GB/s": cell.gigabytes(w.ns), "ulp": finite(w.ulp),
         "counts": w.ulp is None or w.ulp <= ulp}
        for w in cell.ways
    ]  # fmt: skip
    return {**case, "ratio": cell.ratio(ulp), "copy ns": cell.copy_ns, "ways": ways}


def main() -> int:
    args = arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what has been measured is kept
    against = Against(args.peers or ())
    header = _bench.machine() | {"versions": {p.name: p.version for p in against.peers}}
    header["processor time over time"] = threads(against)
    found = measure(args, against)
    text = markdown(found, against, header, args)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    args.output.with_suffix(".md").write_text(text)
    written = {"machine": header, "cells": [as_dict(c, args.ulp) for c in found], "refused": against.refused}
    args.output.with_suffix(".json").write_text(json.dumps(written, indent=1) + "\n")
    print(text.split("## All cells")[0])
    lost = sum(is_lost(c, args) for c in found)
    print(f"{lost} of {len(found)} cells lost; all of them in {args.output.with_suffix('.md')}")
    return int(args.strict and lost > 0)


if __name__ == "__main__":
    sys.exit(main())
