"""docs/proof.md, printed from docs/proof.json."""

from __future__ import annotations

from typing import Any

import proof

FILE = proof.ROOT / "docs" / "proof.md"
HEAD = """# Largest errors

Printed by `make prove` from proof.json. Errors are in units in the last place (ULP) of the exact result: 0.5 is
correctly rounded. Within 1/4 of an isolated zero r != 0 of f or f' they count in units of the larger of the values at
r - 1 and r + 1, except in the `exact` tier of the narrower types. `*` marks what exceeds its bound,
and for how many inputs.

- **float32**: tried for all 2^32 inputs, where `inputs` says so. Errors are taken against the double kernels, whose
  own are in the last table; which of two floats is the right one is decided by arbitrary precision wherever a result
  64 ULP of a double away would round differently. `open` counts such inputs beyond the 2,000 of a function that were
  decided, chosen at random.
- **float16, bfloat16**: all 65,536.
- **float64**: sampled, and searched near the worst: the largest error that was found, not a bound.

`same bits` names the instruction sets that gave the same results for the same inputs, in brackets those that did for
every 1009th. `sse2+fma` and `gnu+fma` are the texts of sse2 and gnu compiled with the processor's fma, for emulated a
function takes up to an hour and a half (the emulation is tried by tests/c/test_fma.c); sse2 has no doubles of its own,
so `exact` is that of scalar there. `digest` is the beginning of the SHA-256 in proof.json.
"""
FLOAT = ("max ULP", "at", "misrounded", "exact: max ULP", "at", "misrounded", "inputs", "open", "same bits", "digest")
HALF = ("max ULP", "misrounded", "exact: max ULP", "misrounded", "same bits", "digest")
DOUBLE = ("max ULP", "at", "exact: max ULP", "at", "inputs", "same bits")
COLUMNS = {"float32": FLOAT, "float16": HALF, "bfloat16": HALF, "float64": DOUBLE}
FLOATS_ONLY = "sse2+fma"  # compared in the default tier alone
Entry = dict[str, Any]


def table(entries: dict[str, Entry]) -> str:
    """The whole page."""
    text = [HEAD]
    for dtype, columns in COLUMNS.items():
        rows = []
        for item in sorted(proof.items(), key=lambda item: item.row.index):
            tiers = {t: entries[key] for t in proof.TIERS if (key := item.key(dtype, t)) in entries}
            if tiers:
                rows.append("| " + " | ".join(line(item, dtype, tiers)) + " |")
        if rows:
            header = "| function | " + " | ".join(columns) + " |"
            text += [f"## {dtype}", "", header, "|" + "---|" * (len(columns) + 1), *rows, ""]
    return "\n".join(text)


def line(item: proof.Item, dtype: str, tiers: dict[str, Entry]) -> list[str]:
    """The cells of one item."""
    cells = [f"`{item.label}`"]
    for tier in proof.TIERS:
        e = tiers.get(tier)
        cells.append(shown(e, item.bound(dtype, tier)) if e else "")
        if dtype in ("float32", "float64"):
            cells.append(f"{float.fromhex(e['at']):.9g}" if e and e["worst"] else "")
        if dtype != "float64":
            cells.append(f"{e['misrounded']:,}" if e else "")
    if dtype in ("float32", "float64"):
        cells.append(f"{min(e['inputs'] for e in tiers.values()):,}")
    if dtype == "float32":
        cells.append(f"{max(e['undecided'] for e in tiers.values()):,}")
    cells.append(same_bits(tiers))
    if dtype != "float64":
        cells.append(" ".join(e.get("sha256", e["slice"])[:8] for e in tiers.values()))
    return cells


def shown(e: Entry, bound: float) -> str:
    """Four digits; what is beyond a half by less than they show, as such."""
    error = e["worst"]
    text = f"0.5 + {error - 0.5:.0e}" if 0 < error - 0.5 < 1e-4 else f"{error:.4g}"
    if error <= bound:
        return text
    return text + (f" * ({e['above']:,} inputs)" if "above" in e else " *")


def same_bits(tiers: dict[str, Entry]) -> str:
    """Instruction sets, in brackets those that gave the same bits for the slice only; 0 stands for others."""
    found = {t: set(e["isas"]) | ({FLOATS_ONLY} if t == "exact" else set()) for t, e in tiers.items()}
    isas = sorted(set.intersection(*found.values()))
    steps = {i: [e["isas"][i] for e in tiers.values() if i in e["isas"]] for i in isas}
    full = [i for i in isas if set(steps[i]) == {1}]
    some = [i for i in isas if i not in full and all(steps[i])]
    other = [f"**not {i}**" for i in isas if not all(steps[i])]
    return " ".join([*full, *([f"({' '.join(some)})"] if some else []), *other])


def write() -> None:
    """The page as it is now."""
    part = FILE.with_suffix(".part")
    part.write_text(table(proof.load()))
    part.replace(FILE)
