"""Which of the doubtful inputs that hard_cases.c prints does `exact` float32 round to the wrong side?

mpmath decides, with digits added until they no longer matter. Prints c/src/hard_cases.def; keeps what it lists
already, for those inputs come back right then."""

import struct
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import numpy as np  # noqa: E402
import oracle  # noqa: E402

from actc import _core  # noqa: E402
from actc import exact as tier  # noqa: E402

F32 = oracle.FORMATS["float32"]
LISTED = ROOT / "c" / "src" / "hard_cases.def"


def value(bits: str) -> float:
    """The float with these bits."""
    return float(struct.unpack("<f", struct.pack("<I", int(bits, 16)))[0])


def bits(v: float) -> int:
    """The bits of a float."""
    return int(struct.unpack("<I", struct.pack("<f", v))[0])


def main() -> None:
    """Read inputs, print the list."""
    rows = {r.name: r for r in _core.rows()}
    formulas = {(n, p): oracle.Formula((r.formula, r.derivative)[p]) for n, r in rows.items() for p in (0, 1)}
    seen: dict[tuple[str, int], list[int]] = {}
    print("".join(line for line in LISTED.open()), end="")
    for line in sys.stdin:
        name, which, x_bits = line.split()
        x, key = value(x_bits), (name, int(which))
        if x != x or abs(x) == float("inf"):
            continue
        f = tier.functions[name]
        y = float((f.derivative if key[1] else f)(np.float32(x)))
        exact = formulas[key].exact(x)
        count = seen.setdefault(key, [0, 0])
        count[0] += 1
        if F32.error(y, exact) > 0.5:
            count[1] += 1
            down, up = (bits(y) - 1 & 0xFFFFFFFF, bits(y) + 1 & 0xFFFFFFFF)
            right = min((down, up), key=lambda b: F32.error(value(f"{b:08x}"), exact))
            assert F32.error(value(f"{right:08x}"), exact) <= 0.5, line
            print(f"HARD({name}, {which}, 0x{x_bits.upper()}, 0x{right:08X})", flush=True)
    for key, (doubtful, wrong) in seen.items():
        print(f"{key[0]} {key[1]}: {doubtful} doubtful, {wrong} misrounded", file=sys.stderr)


if __name__ == "__main__":
    main()
