"""Has anything become slower? Ratios to np.copyto and np.tanh of the same run, against the committed ones.

    python bench/check.py            compare with docs/speed.json: exit code 1 where a ratio has grown by more than 15 %
    python bench/check.py --write    measure them anew, for this kind of machine

A machine has its own ratios, so the file keeps one set for each processor and instruction set; one that it does not
know is told so (exit code 2). What seems slower is measured again, longer, before it counts. Not part of CI, for it
takes a quiet machine.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import actc
from actc import _bench

FILE = Path(__file__).resolve().parent.parent / "docs" / "speed.json"
FIRST = list(actc.elementwise)[:13]  # as the table has them
SIZES = (1, 1000, 65_536, 1_000_000)
MORE = 1.15
SECONDS, AGAIN, TRIES = 0.05, 0.3, 3


def machine() -> str:
    """What the ratios are of."""
    return f"{_bench.processor()}, {actc.isa()}"


def cells() -> Iterator[tuple[str, str, str, int]]:
    """f, f' and backward of the first functions at every size, of the others at one; softmax over both axes."""
    for name in actc.elementwise:
        for dtype in _bench.dtypes():
            for size in SIZES if name in FIRST else (65_536,):
                for which in ("forward", "derivative", "backward"):
                    yield name, which, dtype, size
    for dtype in ("f32", "f64"):
        for axis in ("last", "first"):
            yield "softmax", axis, dtype, 1_000_000


def call_of(name: str, which: str, dtype: str, size: int) -> tuple[Callable[..., Any], np.ndarray[Any, Any]]:
    """The call to be timed, of x, and x."""
    of = _bench.dtypes()[dtype]
    if name == "softmax":
        (x,) = _bench.inputs("forward", of, size)
        x = x.reshape(1000, -1)
        return functools.partial(actc.softmax, axis=-1 if which == "last" else 0, out=np.empty_like(x)), x
    f, (*g, x) = _bench.ufunc_of(name, which), _bench.inputs(which, of, size)
    y = np.empty_like(x)
    return (lambda x: f(g[0], x, out=y)) if g else (lambda x: f(x, out=y)), x


def ratio(cell: tuple[str, str, str, int], seconds: float) -> float:
    """Its time over the geometric mean of a copy's and np.tanh's in float32, all taking turns."""
    f, x = call_of(*cell)
    single = _bench.inputs("forward", np.dtype("f4"), cell[3])[0]
    y, z = np.empty_like(x), np.empty_like(single)
    calls = (f, lambda x: np.copyto(y, x), lambda x: np.tanh(single, z))
    own, copy, tanh = _bench.interleaved(calls, (x,), seconds)
    return own / float(np.sqrt(copy * tanh))


def main() -> int:
    p = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    p.add_argument("names", nargs="*", metavar="NAME", help="functions (default: all)")
    p.add_argument("--write", action="store_true", help="keep what is measured in docs/speed.json")
    args = p.parse_args()
    known = json.loads(FILE.read_text()) if FILE.exists() else {}
    before = known.setdefault(machine(), {})
    if not before and not args.write:
        print(
            f"docs/speed.json has no ratios of {machine()}: --write makes them; it has {', '.join(known)}",
            file=sys.stderr,
        )
        return 2
    slower = 0
    for cell in cells():
        key = " ".join(map(str, cell))
        if args.names and cell[0] not in args.names:
            continue
        now = ratio(cell, SECONDS)
        if args.write:  # the middle one: neither a lucky moment nor a busy one
            before[key] = float(f"{sorted([now, *(ratio(cell, SECONDS) for _ in range(2))])[1]:.3g}")
        elif key in before:
            for _ in range(TRIES):
                now = now if now <= MORE * before[key] else min(now, ratio(cell, AGAIN))
            if now > MORE * before[key]:
                slower += 1
                print(f"{key}: {now / before[key]:.2f} times the committed ratio ({now:.3g}, {before[key]:.3g})")
    if args.write:
        lines = [
            f"{json.dumps(m)}: {{\n" + ",\n".join(f"  {json.dumps(k)}: {v}" for k, v in sorted(of.items())) + "\n}"
            for m, of in sorted(known.items())
        ]
        FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{slower} slower" if not args.write else f"{len(before)} ratios of {machine()}")
    return int(slower > 0)


if __name__ == "__main__":
    sys.exit(main())
