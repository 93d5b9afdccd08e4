"""Is actc faster than the plain NumPy expression everywhere? Every function, pass, dtype and size, in one table.

    python bench/compare.py [--quick] [--pass forward ...] [--output build/compare]

Writes <output>.json and <output>.md, slow cells first; with --strict the exit code is 1 while there are any.
`--limit 1.05` is how far behind a cell may be before it counts: what two runs of the same code differ by on a quiet
machine. Ctrl-C stops early and keeps what has been measured.
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
from pathlib import Path

import actc
from actc import _bench, _cli_bench

SIZES = [1, 16, 256, 4096, 65_536, 1_000_000, 16_000_000]
QUICK = [1, 1000, 100_000]


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    p.add_argument("names", nargs="*", metavar="NAME", help="functions (default: all)")
    p.add_argument("--pass", dest="passes", nargs="+", default=["forward", "derivative"], metavar="P")
    p.add_argument("--dtype", nargs="+", default=list(_bench.dtypes()), metavar="D")
    p.add_argument("--size", nargs="+", type=int, metavar="N")
    p.add_argument("--quick", action="store_true", help=f"sizes {QUICK} and a tenth of the time")
    p.add_argument("--limit", type=float, default=1.05)
    p.add_argument("--output", type=Path, default=Path("build/compare"))
    p.add_argument("--strict", action="store_true", help="exit with 1 if a cell is behind")
    args = p.parse_args()
    args.size = args.size or (QUICK if args.quick else SIZES)
    args.names = args.names or list(actc.elementwise)
    return args


def measure(args: argparse.Namespace) -> list[_bench.Cell]:
    """The whole grid. What is behind is measured again, longer: a busy moment must not decide."""
    bench = _bench.Bench(0.01 if args.quick else 0.1)
    again = _bench.Bench(0.05 if args.quick else 0.5, errors=False)
    cells: list[_bench.Cell] = []
    grid = list(itertools.product(args.dtype, args.size, args.names, args.passes))
    try:
        for i, (dtype, size, name, which) in enumerate(grid, 1):
            cell = bench.cell(name, which, dtype, size)
            if is_behind(cell, args.limit):
                second = again.cell(name, which, dtype, size)
                if (second.ratio or 0) > (cell.ratio or 0):
                    cell = _bench.replace_times(cell, second)
            cells.append(cell)
            if sys.stderr.isatty():
                print(f"\r{i}/{len(grid)} {dtype} {size} {name} {which}\033[K", end="", file=sys.stderr)
    except KeyboardInterrupt:
        print(f"interrupted after {len(cells)} of {len(grid)} cells", file=sys.stderr)
    return cells


def is_behind(cell: _bench.Cell, limit: float) -> bool:
    return cell.ratio is not None and cell.ratio < 1 / limit


def by_group(cells: list[_bench.Cell], limit: float) -> list[str]:
    """Geometric mean, worst cell and how many are behind, for each dtype and size."""
    lines = ["| dtype | size | mean ratio | worst | behind |", "|---|---:|---:|---|---:|"]
    for (dtype, size), group in itertools.groupby(cells, key=lambda c: (c.dtype, c.size)):
        compared = [c for c in group if c.ratio]
        mean = math.exp(sum(math.log(c.ratio or 1) for c in compared) / max(len(compared), 1))
        worst = min(compared, key=lambda c: c.ratio or math.inf)
        behind = sum(is_behind(c, limit) for c in compared)
        label = f"{worst.function} {worst.which} {worst.ratio:.2f}"
        lines.append(f"| {dtype} | {size:,} | {mean:.2f} | {label} | {behind} of {len(compared)} |")
    return lines


def markdown(cells: list[_bench.Cell], limit: float) -> str:
    """Summary, slow cells, then everything."""
    behind = sorted((c for c in cells if is_behind(c, limit)), key=lambda c: c.ratio or 0)

    def table(some: list[_bench.Cell]) -> list[str]:
        head = [f"| {' | '.join(_cli_bench.COLUMNS)} |", "|---|---|---|" + "---:|" * (len(_cli_bench.COLUMNS) - 3)]
        return head + [f"| {' | '.join(_cli_bench.columns(c))} |" for c in some]

    parts = ["# actc and plain NumPy", "", *_cli_bench.header(), ""]
    parts += [f"**{len(behind)} of {len(cells)} cells are behind** (ratio under {1 / limit:.3f}).", ""]
    parts += [*by_group(cells, limit), ""]
    if behind:
        parts += ["## Behind", "", *table(behind), ""]
    return "\n".join([*parts, "## All cells", "", *table(cells), ""])


def main() -> int:
    args = arguments()
    cells = measure(args)
    text = markdown(cells, args.limit)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    args.output.with_suffix(".md").write_text(text)
    _cli_bench.write_json(str(args.output.with_suffix(".json")), cells)
    print(text.split("## All cells")[0])
    behind = sum(is_behind(c, args.limit) for c in cells)
    print(f"{behind} of {len(cells)} cells behind; all of them in {args.output.with_suffix('.md')}")
    return int(args.strict and behind > 0)


if __name__ == "__main__":
    sys.exit(main())
