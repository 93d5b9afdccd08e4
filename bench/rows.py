"""What rows, gates and apl cost beside NumPy and SciPy, for the pages of their functions: docs/rows_speed.json.

    python bench/rows.py                what there is of this kind of machine, as a table
    python bench/rows.py --write        measure it anew, four minutes, for this kind of machine
    python bench/rows.py --write softmax glu ...    only these

Each cell is one of bench/against.py with these two peers: calls take turns, every peer in its fastest way. Of three
measurements the one with the middle ratio stays. The elementwise functions have theirs in docs/speed.json.
"""

from __future__ import annotations

import environment  # noqa: F401  first of all

# isort: split
import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cases
from against import Against, Cell, place
from cases import Case

import actc
from actc import _bench

FILE = Path(__file__).resolve().parent.parent / "docs" / "rows_speed.json"
NAMES = [*cases.ROWS, *cases.HINGES, *actc.gates]
SHAPES = [((1000, 1000), -1), ((1000, 1000), 0), ((100_000, 10), -1)]
GATES = [((1000,), -1), ((65_536,), -1), ((1_000_000,), -1)]
SECONDS = 0.2


def grid(name: str) -> Iterator[Case]:
    """The cells of one function."""
    for which in cases.passes(name):
        for dtype in ("f32", "f64") if name in cases.ROWS else ("f16", "f32", "f64"):
            for shape, axis in SHAPES if name in cases.ROWS else GATES:
                yield Case(name, which, dtype, shape, axis)


def key(case: Case) -> str:
    return " ".join(place(case))


def measured(against: Against, case: Case) -> tuple[list[Any], str]:
    """Of actc and the fastest other one: nanoseconds an element of both, who it is, errors of both; and its call."""

    def told(cell: Cell) -> tuple[float, tuple[list[Any], str]]:
        ours, rival = cell.best("actc"), cell.rival()
        if ours is None or rival is None:
            raise RuntimeError(f"{key(case)}: {against.refused}")
        errors = [None if w.ulp is None else round(w.ulp, 2) for w in (ours, rival)]
        return rival.ns / ours.ns, ([rounded(ours.ns), rounded(rival.ns), rival.peer, *errors], rival.text)

    return sorted((told(against.cell(case, SECONDS)) for _ in range(3)), key=lambda t: t[0])[1][1]


def rounded(v: float) -> float:
    return float(f"{v:.3g}")


def main() -> int:
    p = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    p.add_argument("names", nargs="*", metavar="NAME", help="row functions, gates and apl (default: all)")
    p.add_argument("--write", action="store_true", help="keep what is measured in docs/rows_speed.json")
    args = p.parse_args()
    for name in args.names:
        if name not in NAMES:
            p.error(f"unknown function {name!r}; there are {', '.join(NAMES)}")
    known = json.loads(FILE.read_text()) if FILE.exists() else {}
    against = Against(("numpy", "scipy"))
    machine = f"{_bench.processor()}, {actc.isa()}"
    if args.write:
        of = known.setdefault(machine, {"versions": {}, "calls": {}, "cells": {}})
        of["versions"] = {peer.name: peer.version for peer in against.peers}
        for name in args.names or NAMES:
            for case in grid(name):
                cell, call = measured(against, case)
                of["cells"][key(case)], of["calls"][f"{name} {case.which} {cell[2]}"] = cell, call
                print(shown(key(case), cell), flush=True)
        FILE.write_text(text(known))
    elif machine not in known:
        print(f"{FILE.name} has nothing of {machine}: --write measures it; it has {', '.join(known)}", file=sys.stderr)
        return 2
    else:
        for place_, cell in known[machine]["cells"].items():
            if not args.names or place_.split()[0] in args.names:
                print(shown(place_, cell))
    return 0


def shown(place: str, cell: list[Any]) -> str:
    ours, rival, who, *_ = cell
    return f"{place:45} {ours:8g} ns, {who} {rival:8g} ns, {rival / ours:6.2f} times"


def text(known: dict[str, Any]) -> str:
    """JSON with a line for each cell and call."""

    def part(entries: dict[str, Any]) -> str:
        return "{\n" + ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in entries.items()) + "\n }"

    machines = (
        f"{json.dumps(machine)}: {{\n" + ",\n".join(f' "{k}": {part(v)}' for k, v in of.items()) + "\n}"
        for machine, of in sorted(known.items())
    )
    return "{\n" + ",\n".join(machines) + "\n}\n"


if __name__ == "__main__":
    sys.exit(main())
