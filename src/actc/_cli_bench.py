"""`actc bench`: the table."""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import actc
from actc import _bench
from actc._cli import Failure, UsageError, function_name, unknown

COLUMNS = ("function", "pass", "dtype", "size", "actc ns/el", "NumPy ns/el", "ratio", "actc ULP", "NumPy ULP")


def as_dict(cell: _bench.Cell) -> dict[str, Any]:
    """A cell for JSON, which knows no infinity."""
    found = {**dataclasses.asdict(cell), "ratio": cell.ratio}
    found["pass"] = found.pop("which")
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in found.items()}


def columns(cell: _bench.Cell) -> tuple[str, ...]:
    """A cell as the texts of the table."""

    def number(value: float | None, digits: int) -> str:
        return "-" if value is None else f"{value:.{digits}f}" if value < 1e5 else f"{value:.1e}"

    return (
        cell.function,
        cell.which,
        cell.dtype,
        str(cell.size),
        number(cell.actc_ns, 3),
        number(cell.numpy_ns, 3),
        number(cell.ratio, 2),
        number(cell.actc_ulp, 2),
        number(cell.numpy_ulp, 2),
    )


def header() -> list[str]:
    """Two lines on the machine and one on how to read the columns."""
    m = _bench.machine()
    versions = ", ".join(f"{k} {m[k]}" for k in ("actc", "numpy", "scipy", "ml_dtypes", "python") if m[k])
    return [
        f"{m['processor']}, {m['isa']}, {m['cores']} cores, {m['threads']} thread, load average {m['load average']}",
        f"{versions}, {m['platform']}",
        "ns per element, best of three blocks, interleaved; ratio: NumPy's time over actc's; ULP: largest error for",
        "1e-6 <= |x| <= 20. NumPy's column is the plain expression of the formula, listed below the table.",
    ]


def write_json(target: str, cells: Iterable[_bench.Cell]) -> None:
    """The header and every cell."""
    text = json.dumps({"machine": _bench.machine(), "cells": [as_dict(c) for c in cells]}, indent=1)
    if target == "-":
        print(text)
        return
    try:
        Path(target).write_text(text + "\n")
    except OSError as error:
        raise Failure(f"{target}: {error.strerror}") from None


def check(args: argparse.Namespace) -> list[str]:
    """Names of the functions, or an error that lists what there is."""
    names = [function_name(n) for n in args.names] or list(actc.elementwise)
    for what, given, valid in (("dtype", args.dtype, _bench.dtypes()), ("pass", args.passes, _bench.PASSES)):
        for name in given:
            if name not in valid:
                raise unknown(what, name, valid)
    if min(args.size) < 1 or not args.seconds > 0:
        raise UsageError("--size and --seconds must be positive")
    return names


def run(args: argparse.Namespace) -> None:
    """Measure the grid and print each line as it is known."""
    names = check(args)
    quiet = args.json == "-"
    grid = list(itertools.product(names, args.passes, args.dtype, args.size))
    bench = _bench.Bench(args.seconds, actc.exact.elementwise if args.exact else None)
    widths = [max(len(c), *(len(str(g[i])) for g in grid)) if i < 4 else len(c) for i, c in enumerate(COLUMNS)]

    def show(texts: Iterable[str]) -> None:
        parts = (f"{t:<{w}}" if i < 3 else f"{t:>{w}}" for i, (t, w) in enumerate(zip(texts, widths, strict=True)))
        print("  ".join(parts).rstrip(), flush=True)

    if not quiet:
        print(*header(), "", sep="\n")
        show(COLUMNS)
    cells = []
    for name, which, dtype, size in grid:
        cells.append(bench.cell(name, which, dtype, size))
        if not quiet:
            show(columns(cells[-1]))
    if not quiet:
        summary(cells)
    if args.json:
        write_json(args.json, cells)


def summary(cells: list[_bench.Cell]) -> None:
    """The mean ratio, what is slower, and what was compared with."""
    ratios = [c.ratio for c in cells if c.ratio]
    if ratios:
        mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
        slower = sum(r < 1 for r in ratios)
        print(f"\n{mean:.1f} times faster in geometric mean; slower than NumPy in {slower} of {len(ratios)}")
    print("\nNumPy expressions (float16 and bfloat16 also computed in float32 and rounded; the faster counts):")
    for name, which in dict.fromkeys((c.function, c.which) for c in cells if c.expression):
        print(f"  {name} {which}: {_bench.expression(name, which)}")
    if any("special." in (c.expression or "") for c in cells) and not _bench.machine()["scipy"]:
        print("special is not SciPy's, which is not installed, but math's, element by element: many times slower")
