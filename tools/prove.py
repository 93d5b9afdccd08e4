"""make prove: every float32 input of every function and derivative, and what it takes to believe the result.

    python tools/prove.py [NAME ...] [--tier default|exact] [--type float32 ...] [--step N] [--jobs N] [--isa NAME ...]

Finished items are entries of docs/proof.json, so that it can be stopped at any time and goes on where it was; an item
is done again when the library's bits have changed on a slice, every 1009th input, or with --again. docs/proof.md is
the table of them. What `exact` misrounds at default parameters is printed as lines for c/src/hard_cases.def."""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import proof  # first: it says where oracle is
import proof_table
from all_floats import Float32
from proof import TIERS, TYPES, Item, oracle
from samples import doubles, halves

import actc


class Progress:
    """One line: what is done, what is going on, how long it will take."""

    def __init__(self, total: int):
        self.total, self.done, self.begun, self.shown = max(1, total), 0.0, time.monotonic(), 0.0

    def show(self, label: str, part: float) -> None:
        """Twice a second on a terminal, in a log once an item."""
        now, terminal = time.monotonic(), sys.stderr.isatty()
        if part < 1 and (now - self.shown < 0.5 or not terminal):
            return
        self.shown, share = now, (self.done + part) / self.total
        left = (now - self.begun) * (1 - share) / share / 3600 if share else 0.0
        line = f"{share:6.1%}  {label:64.64s} {left:5.1f} h left"
        print(line, end="\r" if terminal else "\n", file=sys.stderr, flush=True)

    def finish(self, label: str) -> None:
        """An item is done."""
        self.show(label, 1)
        self.done += 1


class Run:
    """What the command line asks for."""

    def __init__(self, options: argparse.Namespace, todo: list[Item], pool: ThreadPoolExecutor, directory: Path):
        self.options, self.todo, self.pool, self.directory = options, todo, pool, directory
        self.compiled: tuple[str, Any] = "", None
        self.progress = Progress(len(todo) * len(options.type) * len(options.isa or [""]))

    def reference(self, item: Item) -> oracle.Reference:
        """The formulas of the item's function, compiled."""
        if self.compiled[0] != item.row.name:
            where = self.directory / item.row.name
            where.mkdir(exist_ok=True)
            self.compiled = item.row.name, oracle.Reference([item.row], where)
        known: oracle.Reference = self.compiled[1]
        return known

    def floats(self, item: Item, tiers: list[str], step: int, reference: oracle.Reference | None) -> Float32:
        """All chunks of an item, on all threads."""
        run = Float32(item, tiers, reference, step)
        for chunk, result in enumerate(self.pool.map(run.run, range(run.chunks))):
            run.add(chunk, *result)
            self.progress.show(item.label, chunk / run.chunks)
        return run

    def prove(self) -> bool:
        """Every item whose entry does not hold. False where a result exceeds its bound."""
        good = True
        for dtype in self.options.type:
            for item in self.todo:
                known = proof.load()
                open_ = [t for t in self.options.tier if not self.holds(known.get(item.key(dtype, t)), item, dtype, t)]
                if open_ and dtype == "float32":
                    run = self.floats(item, open_, self.options.step, self.reference(item))
                    found = run.entries()
                    for line in run.hard_cases() if item.at_defaults else []:
                        print(line)
                elif dtype == "float64":
                    points = self.options.points
                    found = {item.key(dtype, t): doubles(item, t, points, self.reference(item)) for t in open_}
                else:
                    found = {item.key(dtype, t): halves(item, t, dtype, self.reference(item)) for t in open_}
                for key, tier in ((item.key(dtype, t), t) for t in open_):
                    entry, before = found[key], known.get(key)
                    if before and all(before[k] == entry[k] for k in ("slice", "sha256") if k in entry):
                        # what was compared of the same bits still holds
                        entry["isas"] = before["isas"] | entry["isas"]
                    if entry["worst"] > item.bound(dtype, tier):
                        print(f"{key}: {entry['worst']} exceeds {item.bound(dtype, tier)}", file=sys.stderr)
                        good = False
                if found:
                    proof.update(found)
                    proof_table.write()
                self.progress.finish(f"{item.label} {dtype}")
        return good

    def holds(self, entry: dict[str, Any] | None, item: Item, dtype: str, tier: str) -> bool:
        """Whether an entry is as fine as is asked for, and of the bits that the library gives on the slice."""
        if self.options.again:
            return False
        step = self.options.step if dtype == "float32" else 1
        return entry is not None and entry.get("step", 1) <= step and entry["slice"] == item.digest(dtype, tier)

    def compare(self) -> bool:
        """Whether other instruction sets give the same bits: for all inputs, or for every 1009th."""
        same, best = True, actc.isa()
        for isa in self.options.isa:
            for dtype in self.options.type:
                for item in self.todo:
                    for tier in self.options.tier:
                        actc.use_isa(isa)
                        try:
                            same &= self.compare_one(isa, item, dtype, tier)
                        finally:
                            actc.use_isa(best)
                    self.progress.finish(f"{isa} {item.label} {dtype}")
        proof_table.write()
        return same

    def compare_one(self, isa: str, item: Item, dtype: str, tier: str) -> bool:
        """The same for one entry, if there is one that has not been compared before, or again."""
        key, name = item.key(dtype, tier), self.options.name_it or isa
        entry = proof.load().get(key)
        every = dtype == "float32" and self.options.all_inputs
        if not entry or (every and entry["step"] > 1):
            return True
        step = 1 if every else proof.STEPS[dtype]
        if not self.options.again and 0 < entry["isas"].get(name, math.inf) <= step:
            return True
        found = self.floats(item, [tier], 1, None).digest(0) if every else item.digest(dtype, tier)
        same = bool(found == entry["sha256" if every else "slice"])
        if not same:
            print(f"{name} gives other bits: {key}", file=sys.stderr)
        finest = min(step, entry["isas"].get(name) or step)
        proof.update({key: entry | {"isas": entry["isas"] | {name: finest if same else 0}}})
        return same


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="functions (default: all)")
    parser.add_argument("--tier", choices=TIERS, action="append", help="default: both")
    parser.add_argument("--type", choices=TYPES, action="append", help="default: all")
    parser.add_argument("--step", type=int, default=1, help="try every STEP-th float32 input only")
    parser.add_argument("--points", type=int, default=1_000_000, help="float64 inputs of an item")
    parser.add_argument("--jobs", type=int, default=oracle.CORES, help="threads (default: all cores)")
    parser.add_argument("--isa", choices=actc.isas(), action="append", help="compare this one's bits instead")
    parser.add_argument("--as", dest="name_it", metavar="NAME", help="with --isa: note it under this name, as sse2+fma")
    parser.add_argument("--all-inputs", action="store_true", help="with --isa: of all inputs, not of every 1009th")
    parser.add_argument("--again", action="store_true", help="also what is proven or compared already")
    parser.add_argument("--defaults", action="store_true", help="at default parameters only")
    parser.add_argument("--table", action="store_true", help="only print docs/proof.md")
    options = parser.parse_args()
    if options.step < 1 or options.jobs < 1 or options.points < 1000:
        parser.error("--step and --jobs are at least 1, --points 1000")
    if options.name_it and len(options.isa or []) != 1:
        parser.error("--as names what one --isa gives")
    options.tier, options.type = options.tier or list(TIERS), options.type or list(TYPES)
    try:
        options.items = [item for item in proof.items(options.names) if item.at_defaults or not options.defaults]
    except ValueError as error:
        parser.error(str(error))
    return options


def main() -> int:
    """Prove what is not proven yet."""
    options = arguments()
    if options.table:
        proof_table.write()
        return 0
    os.nice(19)
    with tempfile.TemporaryDirectory() as directory, ThreadPoolExecutor(options.jobs) as pool:
        run = Run(options, options.items, pool, Path(directory))
        return 0 if (run.compare() if options.isa else run.prove()) else 1


if __name__ == "__main__":
    sys.exit(main())
