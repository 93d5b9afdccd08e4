"""docs/proof.json: the largest errors known, where they are, and the bits they were proven with.

An entry is one function, pass, parameter setting, type and tier. Its `slice` is a digest of the results for every
1009th input: as long as the library still gives these bits, tests/test_proof.py believes the figures beside it."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import json
import math
import os
import pathlib
import sys
from typing import Any, NamedTuple

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import oracle as oracle  # noqa: E402

import actc  # noqa: E402
from actc import _core  # noqa: E402

FILE = ROOT / "docs" / "proof.json"
TIERS = {"default": actc.elementwise, "exact": actc.exact.elementwise}
PASSES = {"f": "", "f'": "derivative"}
# Of the bit patterns, for a digest. Odd, so that all low bits occur; 2^64 patterns in a million steps.
STEPS = {"float16": 1, "bfloat16": 1, "float32": 1009, "float64": (1 << 64) // 1_000_003}
FACTORS = (0.5, 2.0, -1.0, 3.0, 0.25)
NEARLY_HALF = 0.5000001
TYPES = [t for t in ("float32", "float16", "bfloat16", "float64") if t in oracle.FORMATS]


class Item(NamedTuple):
    """What is proven in one go: a function or its derivative at one setting of its parameters."""

    row: Any
    order: int
    parameters: tuple[float, ...]

    @property
    def label(self) -> str:
        """Function, pass and parameters."""
        values = ",".join(f"{n}={v:g}" for n, v in zip(self.row.parameters, self.parameters, strict=True))
        return " ".join(filter(None, [self.row.name, list(PASSES)[self.order], values]))

    def key(self, dtype: str, tier: str) -> str:
        """The name of an entry."""
        return f"{self.label} {dtype} {tier}"

    def function(self, tier: str) -> Any:
        """The ufunc of this pass."""
        f = TIERS[tier][self.row.name]
        return getattr(f, kind) if (kind := list(PASSES.values())[self.order]) else f

    def digest(self, dtype: str, tier: str) -> str:
        """SHA-256 of the results for every step-th bit pattern, little-endian, all NaN being one."""
        f, function, sha = oracle.FORMATS[dtype], self.function(tier), hashlib.sha256()
        size = 8 * f.dtype.itemsize
        magnitude = (1 << (size - 1)) - 1
        infinity = magnitude >> (f.digits - 1) << (f.digits - 1)
        for x in _inputs(dtype, STEPS[dtype]):
            y = function(x, *self.parameters).view(f"u{size // 8}")
            y[(y & magnitude) > infinity] = magnitude
            sha.update(y.astype(f"<u{size // 8}", copy=False).data)
        return sha.hexdigest()

    @property
    def at_defaults(self) -> bool:
        """Whether these are the default parameters, or there are none."""
        return self.parameters == tuple(self.row.parameters.values())

    def bound(self, dtype: str, tier: str) -> float:
        """The largest error that the contract allows, in ULP."""
        if dtype == "float64":
            return 1.0 if tier == "exact" and self.row.exact_f64_is_paired else 4.0
        if dtype == "float32" and tier == "default":
            return 2.0
        return 0.5 if self.at_defaults else NEARLY_HALF


def settings(row: Any) -> list[tuple[float, ...]]:
    """The defaults and, of their multiples, the first three that the domain allows; the multiple s of 0 is s - 1."""
    defaults = tuple(row.parameters.values())
    if not defaults:
        return [defaults]
    others = [tuple(p * s if p else s - 1 for p in defaults) for s in FACTORS]
    return [defaults, *[p for p in others if oracle.domain_of(row, *p)][:3]]


def items(names: list[str] | None = None) -> list[Item]:
    """All there is to prove: the defaults first."""
    rows = _core.rows()
    if unknown := sorted(set(names or ()) - {r.name for r in rows}):
        raise ValueError(f"no function {', '.join(unknown)}; there are {', '.join(r.name for r in rows)}")
    found = [Item(r, o, p) for r in rows if not names or r.name in names for p in settings(r) for o in (0, 1)]
    return sorted(found, key=lambda item: not item.at_defaults)


@functools.cache
def _inputs(dtype: str, step: int) -> list[np.ndarray]:
    """Every step-th bit pattern as numbers, in pieces that fit into a cache."""
    f, size = oracle.FORMATS[dtype], 8 * oracle.FORMATS[dtype].dtype.itemsize
    count = -(-(1 << size) // step)
    index = (np.arange(i, min(i + (1 << 15), count), dtype=np.uint64) for i in range(0, count, 1 << 15))
    return [(i * np.uint64(step)).astype(f"u{size // 8}").view(f.dtype) for i in index]


# ---- the file --------------------------------------------------------------------------------------------------------


def load() -> dict[str, dict[str, Any]]:
    """All entries so far."""
    return json.loads(FILE.read_text()) if FILE.exists() else {}


def update(new: dict[str, dict[str, Any]]) -> None:
    """Add entries, whoever else may be doing so. One line an entry, sorted; never half a file."""
    lock = os.open(FILE.parent, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lines = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in sorted((load() | new).items())]
        part = FILE.with_suffix(".part")
        part.write_text("{\n" + ",\n".join(lines) + "\n}\n")
        os.replace(part, FILE)
    finally:
        os.close(lock)


def round_up(error: float) -> float:
    """Nine digits, never less than the error itself: a bound stays one."""
    if not error or not math.isfinite(error):
        return error
    unit = 10.0 ** (math.floor(math.log10(error)) - 8)
    shorter = float(f"{error:.9g}")
    return shorter if shorter >= error else float(f"{shorter + unit:.9g}")
