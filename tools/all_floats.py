"""All 2^32 float32 inputs through both tiers of a function: prove.c counts; what it leaves in doubt is decided here."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import math
import os
import subprocess
import sys
import threading
from ctypes import POINTER, Structure, c_double, c_int32, c_size_t, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import Any

import numpy as np
import proof
from near_ties import NearTies
from proof import ROOT, Item, oracle
from samples import near_zeros, ulp, zeros_of

import actc

F32, F64 = oracle.FORMATS["float32"], oracle.FORMATS["float64"]
CHUNK = 1 << 20  # inputs; one digest each, for the digest of all is that of these digests
DOUBT = 64  # units in the last place of a double by which the double kernels are taken to err; their bound is 4
DECIDED = 2000  # inputs of one item that mpmath decides: of more, a random choice
LANES = 64
EXACT = 256  # ACTC_EXACT
DOUBTS = np.dtype([("x", np.uint32), ("y", np.uint32, (2,))])  # struct doubt of prove.c


class Zero(Structure):
    """struct zero of prove.c."""

    _fields_ = (("at", c_double), ("ulp", c_double), ("doubt", c_double))


class Question(Structure):
    """struct question of prove.c."""

    _fields_ = (
        ("apply", c_void_p), ("row", c_void_p), ("parameters", POINTER(c_double)), ("tiers", c_int32),
        ("passes", c_int32 * 2), ("judge", c_int32), ("bounds", c_double * 2), ("doubt", c_double),
        ("zeros", POINTER(Zero)), ("zero_count", c_size_t),
    )  # fmt: skip


class Answer(Structure):
    """struct answer of prove.c."""

    _fields_ = (
        ("worst", c_double * 2), ("misrounded", c_uint64 * 2), ("above", c_uint64 * 2), ("doubtful", c_uint64),
        ("at", c_uint32 * 2), ("digest", c_uint32 * LANES * 2),
    )  # fmt: skip


@functools.cache
def library() -> ctypes.CDLL:
    """The very libactc that `import actc` has loaded."""
    name = "libactc.dylib" if sys.platform == "darwin" else "libactc.so"
    found = ctypes.CDLL(str(Path(actc.__path__[0]) / "lib" / name))
    found.actc_find.restype = c_void_p
    return found


@functools.cache
def counter() -> ctypes.CDLL:
    """prove.c, compiled for this processor: it keeps up with the kernels."""
    to, source = ROOT / "build" / "prove.so", ROOT / "tools" / "prove.c"
    if not to.exists() or to.stat().st_mtime < source.stat().st_mtime:
        to.parent.mkdir(exist_ok=True)
        flags = ["-O3", "-march=native", "-ffp-contract=off", "-fPIC", "-shared", f"-I{ROOT / 'c' / 'include'}"]
        new = to.with_suffix(f".{os.getpid()}.{threading.get_ident()}")  # all threads may come here at once
        subprocess.run([oracle.compiler(), *flags, "-o", new, source], check=True)
        new.rename(to)
    return ctypes.CDLL(str(to))


def floats(bits: np.ndarray) -> np.ndarray:
    """The numbers with these bits."""
    return np.ascontiguousarray(bits, np.uint32).view(np.float32)


class Float32:
    """All inputs of one item, or every step-th: how far off, how many misrounded, and the digest."""

    def __init__(self, item: Item, tiers: list[str], reference: oracle.Reference | None, step: int, apply: Any = None):
        self.item, self.tiers, self.step, self.reference = item, tiers, step, reference
        self.zeros_known = zeros_of(item, reference) if reference else []
        self.zeros = [Zero(r, ulp(F32, larger), DOUBT * ulp(F64, larger)) for r, larger in self.zeros_known]
        kinks = oracle.kinks_of(item.row, *item.parameters)
        self.ties = NearTies(oracle.formula_of(item.row, item.order), item.parameters, kinks) if reference else None
        passes = [item.order | (EXACT if t == "exact" else 0) for t in tiers]
        bounds = [max(1.0, item.bound("float32", t)) for t in tiers]
        self.question = Question(
            ctypes.cast(apply or library().actc_apply, c_void_p), library().actc_find(item.row.name.encode()),
            (c_double * 4)(*item.parameters), len(tiers), (c_int32 * 2)(*passes), reference is not None,
            (c_double * 2)(*bounds), DOUBT * 2.0**-52, (Zero * max(1, len(self.zeros)))(*self.zeros), len(self.zeros),
        )  # fmt: skip
        self.count = -(-(1 << 32) // step)
        self.chunks = -(-self.count // CHUNK)
        self.digests = [b""] * self.chunks
        self.worst = {t: (0.0, 0) for t in tiers}
        self.misrounded, self.above = dict.fromkeys(tiers, 0), dict.fromkeys(tiers, 0)
        self.doubtful = self.undecided = 0
        self.left: list[np.ndarray] = []
        self.wrong: list[np.ndarray] = []  # inputs that `exact` misrounds
        self.reference_error = 0.0
        if reference:
            self.check_reference()

    def check_reference(self) -> None:
        """The double kernel at some of the inputs, against the formula: what it is off, in ULP of a double. Where that
        is more than a fraction of DOUBT prove.c counts nonsense, and float32 results there speak for themselves."""
        assert self.reference
        item, rng = self.item, np.random.default_rng(32)
        patterns = floats(np.arange(0, 1 << 32, 100_003, np.uint64).astype(np.uint32))
        x = np.concatenate([patterns[np.isfinite(patterns)], rng.uniform(-40, 40, 20_000).astype(np.float32)])
        x = x[oracle.inside(item.row, x, *item.parameters)]

        def errors(y: np.ndarray, f: oracle.Format, bound: float) -> tuple[np.ndarray, np.ndarray]:
            (e,), value, kept = self.reference.errors(item.order, x, [y], f, *item.parameters, cap=200)
            return near_zeros(self.zeros_known, x[kept], e, value, f, bound, self.reference, item), x[kept]

        with np.errstate(all="ignore"):
            wide = item.function("default")(x.astype(np.float64), *item.parameters)
        self.reference_error = float(errors(wide, F64, item.bound("float64", "default"))[0].max())
        if self.reference_error > DOUBT / 8:
            for tier in self.tiers:
                e, at = errors(item.function(tier)(x, *item.parameters), F32, item.bound("float32", tier))
                self.see(tier, float(e.max()), int(at[e.argmax()].view(np.uint32)))

    def run(self, chunk: int) -> tuple[Answer, list[np.ndarray]]:
        """One chunk; any thread."""
        answer = Answer()
        n = min(CHUNK, self.count - chunk * CHUNK)
        doubts = np.empty(n if self.reference else 0, DOUBTS)
        counter().prove(
            ctypes.byref(self.question), c_uint64(chunk * CHUNK * self.step), c_uint64(self.step), c_size_t(n),
            ctypes.byref(answer), c_void_p(doubts.ctypes.data), c_size_t(len(doubts)),
        )  # fmt: skip
        return answer, self.decide_by_series(doubts[: answer.doubtful])

    def decide_by_series(self, doubts: np.ndarray) -> list[np.ndarray]:
        """Inputs in doubt that are misrounded for certain, for each tier, and last the doubts that remain."""
        if not len(doubts) or not self.ties:
            return [doubts["x"]] * len(self.tiers) + [doubts]
        x = floats(doubts["x"])
        with np.errstate(all="ignore"):
            wide = self.item.function("default")(x.astype(np.float64), *self.item.parameters)
            ends = [(wide * (1 + s * self.question.doubt)).astype(np.float32) for s in (-1, 1)]
        right, certain = self.ties.decide(x, np.minimum(*ends), np.maximum(*ends))
        wrong = [certain & (doubts["y"][:, t] != right.view(np.uint32)) for t in range(len(self.tiers))]
        return [doubts["x"][w] for w in wrong] + [doubts[~certain].copy()]

    def add(self, chunk: int, answer: Answer, wrong: list[np.ndarray]) -> None:
        """Keep what came out of a chunk."""
        self.doubtful += answer.doubtful
        *wrong, left = wrong
        self.left.append(left)
        self.wrong += [bits for tier, bits in zip(self.tiers, wrong, strict=True) if tier == "exact" and len(bits)]
        self.digests[chunk] = b"".join(np.array(answer.digest[t], "<u4").tobytes() for t in range(len(self.tiers)))
        for t, tier in enumerate(self.tiers):
            self.misrounded[tier] += answer.misrounded[t] + len(wrong[t])
            self.above[tier] += answer.above[t]
            self.see(tier, answer.worst[t], answer.at[t])
            for bits in wrong[t][:100]:  # a little more than a half, which the double kernel does not show
                self.see(tier, math.nextafter(0.5, 1), int(bits))

    def see(self, tier: str, error: float, bits: int) -> None:
        """A candidate for the largest error."""
        if error > self.worst[tier][0]:
            self.worst[tier] = error, bits

    def decide(self) -> None:
        """What the series leaves open, by the compiled formulas, and by mpmath what these do."""
        doubts = np.concatenate([*self.left, np.empty(0, DOUBTS)])
        doubts = doubts[oracle.inside(self.item.row, floats(doubts["x"]), *self.item.parameters)]
        assert self.reference
        for some in oracle.chunks(doubts, 1 << 19):
            part, cap = floats(some["x"]), -(-DECIDED * len(some) // len(doubts))
            ys = [floats(some["y"][:, t]) for t in range(len(self.tiers))]
            errors, _, kept = self.reference.errors(
                self.item.order, part, ys, F32, *self.item.parameters, rounding=True, cap=cap
            )
            self.undecided += len(part) - int(kept.sum())
            for tier, error in zip(self.tiers, errors, strict=True):
                self.misrounded[tier] += int((error > 0.5).sum())
                if tier == "exact" and len(error):
                    self.wrong.append(part[kept][error > 0.5].view(np.uint32))
                    i = int(error.argmax())
                    self.see(tier, float(error[i]), int(part[kept][i].view(np.uint32)))

    def hard_cases(self) -> list[str]:
        """Lines for c/src/hard_cases.def: what `exact` misrounds, decided once more by mpmath."""
        formula, lines = oracle.formula_of(self.item.row, self.item.order), []
        for bits in np.concatenate([*self.wrong, np.empty(0, np.uint32)]):
            x = float(floats(np.array([bits]))[0])
            y, exact = self.item.function("exact")(np.float32(x)), formula.exact(x, *self.item.parameters)
            near = [np.nextafter(y, np.float32(s * np.inf)) for s in (-1, 1)]
            right = min(near, key=lambda v: F32.error(float(v), exact))
            if F32.error(float(right), exact) <= 0.5:
                of = f"{self.item.row.name}, {self.item.order}"
                lines.append(f"HARD({of}, 0x{bits:08X}, 0x{right.view(np.uint32):08X})")
        return lines

    def digest(self, tier: int) -> str:
        """SHA-256 of the digests of all chunks."""
        size = 4 * LANES
        return hashlib.sha256(b"".join(d[tier * size : (tier + 1) * size] for d in self.digests)).hexdigest()

    def entries(self) -> dict[str, dict[str, Any]]:
        """For docs/proof.json."""
        self.decide()
        found = {}
        for t, tier in enumerate(self.tiers):
            error, bits = self.worst[tier]
            if not self.misrounded[tier]:
                error = min(error, 0.5)  # what doubles add to it
            entry = {
                "worst": proof.round_up(error), "at": float(floats(np.array([bits]))[0]).hex(),
                "misrounded": self.misrounded[tier], "inputs": self.count, "doubtful": self.doubtful,
                "undecided": self.undecided, "reference": proof.round_up(self.reference_error), "step": self.step,
                "sha256": self.digest(t), "slice": self.item.digest("float32", tier), "isas": {actc.isa(): self.step},
            }  # fmt: skip
            if self.above[tier]:
                entry["above"] = self.above[tier]
            found[self.item.key("float32", tier)] = entry
        return found
