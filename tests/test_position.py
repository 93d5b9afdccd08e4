"""An element's bits depend on the element alone: not on index, length, alignment, stride, neighbours or order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import DTYPES, TIERS, UFUNCS, arity, bits, each, every_dtype, is_nan, same_bits
from test_special import awkward

import actc

LONGEST = 257


def probes(dtype: Any, count: int) -> np.ndarray:
    """Numbers of which no two are alike, the awkward ones among them: a rounding that differs will show."""
    rng = np.random.default_rng(count)
    special = awkward(dtype)
    ordinary = (rng.standard_normal(count) * rng.choice([0.1, 3, 30, 90], count)).astype(dtype)
    at = rng.choice(count, min(count // 4, len(special)), replace=False)
    ordinary[at] = special[: len(at)]
    return ordinary


def operands(f: Any, x: np.ndarray) -> list[np.ndarray]:
    return [np.roll(x, 11), x][-(f.nin - len(arity(f))) :]


def one_by_one(f: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """What each element gives in a call of its own."""
    rows = [f(*(a[i : i + 1] for a in inputs)) for i in range(len(inputs[0]))]
    pairs = [r if isinstance(r, tuple) else (r,) for r in rows]
    return [np.concatenate(column) for column in zip(*pairs, strict=True)]


def agree(found: Any, wanted: list[np.ndarray], where: Any = slice(None)) -> None:
    """The same bits, except that the payload of a NaN may be any."""
    for y, w in zip(found if isinstance(found, tuple) else (found,), wanted, strict=True):
        y, w = np.ascontiguousarray(y), np.ascontiguousarray(w[where])
        different = bits(y) != bits(w)
        if different.any():
            both_nan = is_nan(y) & is_nan(w)
            assert not (different & ~both_nan).any(), np.flatnonzero(different & ~both_nan)[:10]


@every_dtype
def test_index_and_length(ufunc: Any, dtype: Any) -> None:
    f = ufunc[3]
    inputs = operands(f, probes(dtype, LONGEST))
    with np.errstate(invalid="ignore"):
        wanted = one_by_one(f, inputs)
        for n in range(LONGEST + 1):
            agree(f(*(a[:n] for a in inputs)), wanted, slice(0, n))
            agree(f(*(a[LONGEST - n :] for a in inputs)), wanted, slice(LONGEST - n, LONGEST))
        long = [np.tile(a, 40) for a in inputs]  # beyond one block of the library, and where the GIL is released
        agree(f(*long), [np.tile(w, 40) for w in wanted])


@pytest.mark.parametrize("isa", actc.isas()[1:])
def test_index_and_length_on_other_instruction_sets(isa: str, dtype: Any) -> None:
    before = actc.use_isa(isa)
    try:
        for _, _, _, f in UFUNCS:
            inputs = operands(f, probes(dtype, 70))
            wanted = one_by_one(f, inputs)
            for n in [*range(40), 63, 64, 65, 70]:
                agree(f(*(a[:n] for a in inputs)), wanted, slice(0, n))
            out = tuple(a.copy() for a in (inputs[-1], inputs[0])[: f.nout])
            f(*(out[:1] if len(inputs) == 1 else [inputs[0], out[0]]), out=out)
            agree(out, wanted)
    finally:
        actc.use_isa(before)


@every_dtype
def test_alignment(ufunc: Any, dtype: Any) -> None:
    """Every offset of input and output from a cache line, whole elements or not."""
    f = ufunc[3]
    n = 67
    inputs = operands(f, probes(dtype, n))
    wanted = [np.atleast_1d(w) for w in (f(*inputs) if f.nout == 2 else (f(*inputs),))]
    steps = range(64) if dtype.isbuiltin == 1 else range(0, 64, dtype.itemsize)  # NumPy cannot view bfloat16 unaligned

    def at(offset: int, a: np.ndarray) -> np.ndarray:
        memory = np.zeros(a.nbytes + 192, np.uint8)
        start = -memory.ctypes.data % 64 + offset
        there = memory[start : start + a.nbytes].view(a.dtype)
        there[...] = a
        return there

    with np.errstate(invalid="ignore"):
        for offset in steps:
            agree(f(*(at(offset, a) for a in inputs)), wanted)
            agree(
                f(*(at((offset * 7 + 3 * dtype.itemsize) % 64 if i else offset, a) for i, a in enumerate(inputs))),
                wanted,
            )
            out = tuple(at(63 - offset if dtype.isbuiltin == 1 else offset, np.zeros(n, dtype)) for _ in range(f.nout))
            agree(f(*inputs, out=out), wanted)
            agree(out, wanted)


@each(dtype=DTYPES.values(), step=[-5, -2, -1, 2, 3, 7])
def test_stride(ufunc: Any, dtype: Any, step: int) -> None:
    f = ufunc[3]
    for n in (1, 5, 64, 300):
        inputs = operands(f, probes(dtype, n))
        wanted = list(f(*inputs)) if f.nout == 2 else [f(*inputs)]

        def spread(a: np.ndarray) -> np.ndarray:
            memory = np.full(len(a) * abs(step), 3, a.dtype)
            memory[::step][: len(a)] = a
            return memory[::step][: len(a)]

        agree(f(*map(spread, inputs)), wanted)
        agree(f(spread(inputs[0]), *inputs[1:]), wanted)
        out = tuple(spread(np.zeros(n, dtype)) for _ in range(f.nout))
        f(*inputs, out=out)
        agree(out, wanted)


@every_dtype
def test_order_and_neighbours(ufunc: Any, dtype: Any) -> None:
    f = ufunc[3]
    inputs = operands(f, probes(dtype, 200))
    wanted = list(f(*inputs)) if f.nout == 2 else [f(*inputs)]
    rng = np.random.default_rng(1)
    for _ in range(5):
        order = rng.permutation(200)
        agree(f(*(a[order] for a in inputs)), wanted, order)
    for other in (0, 1e30, -1e30, np.nan, np.inf, 1e-45, -88.0):  # each element alone among strangers
        with np.errstate(all="ignore"):
            strange = [np.full_like(a, np.array(other).astype(dtype)) for a in inputs]
        for offset in range(0, 200, 13):
            mixed = [s.copy() for s in strange]
            for m, a in zip(mixed, inputs, strict=True):
                m[offset] = a[offset]
            found = f(*mixed)
            agree(
                tuple(y[offset : offset + 1] for y in (found if f.nout == 2 else (found,))),
                wanted,
                slice(offset, offset + 1),
            )


@every_dtype
def test_in_place(ufunc: Any, dtype: Any) -> None:
    """Over an input, at every length up to a few vectors: what the last one overlaps is read before it is written."""
    f = ufunc[3]
    for n in [*range(1, 36), 63, 64, 65, 79, 255, 256, 257, 511, 513, 1023]:
        inputs = operands(f, probes(dtype, n))
        wanted = list(f(*inputs)) if f.nout == 2 else [f(*inputs)]
        for target in range(len(inputs)):
            own = [a.copy() for a in inputs]
            rest = [np.empty(n, dtype) for _ in range(f.nout - 1)]
            f(*own, out=(own[target], *rest))
            agree((own[target], *rest), wanted)
        if f.nout == 2:
            own = [a.copy() for a in inputs]
            first = np.empty(n, dtype)
            f(*own, out=(first, own[0]))
            agree((first, own[0]), wanted)


@every_dtype
def test_constant_arrays_are_constant(ufunc: Any, dtype: Any) -> None:
    f = ufunc[3]
    for v in (-20.3, -1.7, -0.3, 0.7, 2.9, 30.1):
        for n in (33, 100, 1000):
            found = f(*[np.full(n, v, dtype)] * (f.nin - len(arity(f))))
            for y in found if f.nout == 2 else (found,):
                assert len(np.unique(bits(y))) == 1


def test_parameter_arrays(dtype: Any, tier: str) -> None:
    """A parameter given as a number, as an array, broadcast or strided: the same bits at every index."""
    x = probes(dtype, 150)
    for f in TIERS[tier].values():
        names = arity(f)
        if not names:
            continue
        for kind in ("", "derivative", "second_derivative", "backward"):
            g = getattr(f, kind) if kind else f
            inputs = operands(g, x)
            for v in (0.3, -0.5, 0.1, 1e-300, 1e300, 0.0, 1.0):  # of 1 some have a kernel, if all of a vector are
                wanted = [g(*inputs, *[v] * len(names))]
                for array in (np.full(150, v), np.full(300, v)[::2], np.broadcast_to(v, 150), np.full((1, 150), v)):
                    agree(np.reshape(g(*inputs, *[array] * len(names)), 150), wanted)
                varied = np.linspace(-4, 4, 150)
                varied[::2] = v
                found = g(*inputs, *[varied] * len(names))
                agree(found[::2], wanted, slice(None, None, 2))


def test_there_is_more_than_one_dtype() -> None:
    assert len(DTYPES) >= 3
    a = np.array([1.0])
    same_bits(a, a.copy())
    with pytest.raises(AssertionError):
        agree(np.array([0.0]), [np.array([-0.0])])
