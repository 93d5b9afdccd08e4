"""Rows and gates, called at random in odd ways: taken directly or by NumPy, of views or of copies, one result."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import oracle
import pytest
from conftest import DTYPES, every_dtype, run_python, same_bits
from test_calls import Own, show

import actc

CALLS = 3000
LENGTHS = (0, 1, 1, 1, 2, 3, 5, 8, 17, 33)
# function, inputs, what else is given by position and by keyword, shape and dtype of the result
Call = tuple[Any, list[Any], list[Any], dict[str, Any], tuple[int, ...], Any]


def laid_out(rng: np.random.Generator, a: np.ndarray) -> np.ndarray:
    """The same values, contiguous most often."""
    raw = np.zeros(a.nbytes + 1, np.uint8)
    kind = rng.integers(20)
    if kind == 0:
        return np.asfortranarray(a)
    if kind == 1:
        return np.flip(np.flip(a).copy())
    if kind == 2 and a.ndim:
        return np.repeat(a, 3, -1)[..., ::3]
    if kind == 3 and a.size:
        unaligned = raw[1:].view(a.dtype).reshape(a.shape)
        unaligned[...] = a
        return unaligned
    if kind == 4 and a.dtype.name != "bfloat16":
        return a.astype(a.dtype.newbyteorder())
    if kind == 5:
        return a.copy().view(Own)
    if kind == 6:
        order = rng.permutation(a.ndim)
        return a.transpose(order).copy().transpose(np.argsort(order))
    own = a.copy()
    own.flags.writeable = kind != 7
    return own


def drawn(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    return np.array(rng.standard_normal(shape) * 3, dtype)


def output(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any, inputs: list[Any]) -> Any:
    """None most often; an input, a part of one, an array of the right shape or of a wrong one."""
    kind = rng.integers(20)
    if kind == 0:
        return inputs[-1]
    if kind == 1:
        return inputs[0].T
    if kind == 2:
        return inputs[-1][::-1] if inputs[-1].ndim else inputs[-1]
    if kind == 3:
        return np.zeros((2, *shape), dtype)
    if kind == 4:
        return np.zeros(shape[1:], dtype)
    if kind < 7:
        return laid_out(rng, np.zeros(shape, dtype))
    return None


def row_call(rng: np.random.Generator) -> Call:
    """A function of rows."""
    f = list(actc.row_functions.values())[rng.integers(len(actc.row_functions))]
    shape = tuple(int(n) for n in rng.choice(LENGTHS, rng.integers(1, 4)))
    axis, form, keywords = int(rng.integers(len(shape))), f.info["shape"], {}
    dtype = list(DTYPES.values())[rng.integers(len(DTYPES))]
    length = shape[axis]
    if f.__name__ == "maxout":
        pieces = keywords["pieces"] = int(rng.choice([k for k in range(1, length + 1) if length % k == 0] or [2]))
        after: tuple[int, ...] = (length // pieces,)
    else:
        after = {"map": (length,), "reduce": (), "doubled": (2 * length,)}[form]
    y = shape[:axis] + after + shape[axis + 1 :]
    x = laid_out(rng, drawn(rng, shape, dtype))
    keywords["axis"] = axis - len(shape) * int(rng.integers(2))
    positional = []
    for name in f.parameters:
        value = (0.5, 2, np.float32(2), None, np.array(0.5))[rng.integers(5)]
        if rng.integers(2):
            keywords[name] = value
        else:
            positional = [value]
    if rng.integers(2):
        g = laid_out(rng, drawn(rng, y, dtype))
        return f.backward, [g, x], positional, keywords, shape, dtype
    if rng.integers(4) == 0 and form == "reduce" and f.__name__ != "maxout":
        keywords["keepdims"] = True
        y = (*shape[:axis], 1, *shape[axis + 1 :])
    return f, [x], positional, keywords, y, dtype


def gate_call(rng: np.random.Generator) -> Call:
    """A gate in its form for one array."""
    gate = list(actc.gates.values())[rng.integers(len(actc.gates))]
    shape = [int(n) for n in rng.choice(LENGTHS, rng.integers(1, 4))]
    axis = int(rng.integers(len(shape)))
    half, dtype = tuple(shape), list(DTYPES.values())[rng.integers(len(DTYPES))]
    shape[axis] *= 2
    layouts = ("value_gate", "gate_value", "value_gate_interleaved", "gate_value_interleaved")
    keywords: dict[str, Any] = {"axis": axis, "layout": layouts[rng.integers(4)]}
    x = laid_out(rng, drawn(rng, tuple(shape), dtype))
    if rng.integers(2):
        g = laid_out(rng, drawn(rng, half, dtype))
        return gate.packed.backward, [g, x], [], keywords, tuple(shape), dtype
    return gate.packed, [x], [], keywords, half, dtype


def of_copies(f: Any, inputs: list[Any], *positional: Any, axis: int, **keywords: Any) -> Any:
    """The same call of contiguous arrays, along their last axis."""
    x = inputs[-1]
    axis %= x.ndim
    moved = [np.moveaxis(a, axis, -1) if a.ndim == x.ndim else a for a in inputs]
    native = [a.astype(a.dtype.newbyteorder("=")) if a.dtype.kind == "f" else a for a in moved]
    y = f(*[np.array(a, order="C") for a in native], *positional, axis=-1, **keywords)
    return np.moveaxis(y, -1, axis) if np.ndim(y) == x.ndim else y


def calls() -> Iterator[tuple[str, Callable[[], Any], Callable[[], Any], Any]]:
    """A label, the call, the same of copies and without an output, and the output."""
    for seed in range(CALLS):
        rng = np.random.default_rng([17, seed])
        f, inputs, positional, keywords, shape, dtype = (row_call, row_call, gate_call)[seed % 3](rng)
        out = output(rng, shape, dtype, inputs)
        given = {} if out is None else {"out": out}
        shapes = [a.shape for a in inputs]
        label = f"{seed} {f.__qualname__} {shapes} {positional} {keywords} out {getattr(out, 'shape', None)}"
        call = functools.partial(f, *inputs, *positional, **given, **keywords)
        yield label, call, functools.partial(of_copies, f, inputs, *positional, **keywords), out


def dump() -> None:
    for label, call, _, out in calls():
        print(label, show(call), "" if out is None else show(lambda out=out: out))


def test_taken_directly_or_not() -> None:
    code = "import test_odd_calls; test_odd_calls.dump()"
    fast, plain = oracle.in_parallel(lambda v: run_python(code, ACTC_PLAIN_UFUNC=v).stdout.splitlines(), ("", "1"))
    assert len(fast) == CALLS
    different = [pair for pair in zip(fast, plain, strict=True) if pair[0] != pair[1]]
    assert not different, f"{len(different)} calls differ, such as {different[:3]}"


def test_views_and_copies() -> None:
    """A call errs and writes nothing, or has the bits of the same call of contiguous arrays along the last axis."""
    right = 0
    for label, call, plainly, out in calls():
        before = None if out is None else out.copy()
        try:
            wanted = plainly()
        except (TypeError, ValueError) as error:
            wanted = error
        try:
            found = call()
        except (TypeError, ValueError):
            assert isinstance(wanted, Exception) or out is not None, label
            if before is not None:
                np.testing.assert_array_equal(out, before, err_msg=label)
            continue
        if out is not None and out.shape != np.shape(wanted):
            continue  # NumPy broadcasts over larger outputs and counts the axis there
        assert np.shape(found) == np.shape(wanted), label
        found, wanted = (np.asarray(a, np.float64) for a in (found, wanted))  # for bfloat16's NaN
        np.testing.assert_array_equal(found, wanted, err_msg=label)
        right += 1
    assert right > math.floor(CALLS * 0.6)


@pytest.mark.parametrize("number", [1.0, 2, True])
@every_dtype
def test_numbers_of_python_adapt_to_arrays(number: Any, dtype: Any) -> None:
    """The result has the array's dtype, and the bits that a number of that dtype gives; NumPy takes a float beside a
    bfloat16 for a double."""
    x, key = np.array([-1, 0.5, 2, 3], dtype), {"training": True, "rng": 1}
    jax = actc.preset("jax")
    for f, operands in (
        *((f.backward, (x,)) for f in actc.functions.values() if f.__name__ not in ("apl", "crelu")),
        (actc.apl.backward, (x, [1.0], [0.5])),
        *((g, (x,)) for g in actc.gates.values()),
        *((g.backward, (x, x)) for g in actc.gates.values()),
        *((g.packed.backward, (x,)) for g in actc.gates.values()),
        (actc.logsumexp.backward, (x,)),
        (functools.partial(actc.logsumexp.backward, where=[True, False, True, True]), (x,)),
        (jax.logsumexp.backward, (x,)),
        (functools.partial(jax.logsumexp.backward, axis=0), (x,)),
        (functools.partial(jax.logsumexp.backward, axis=0, keepdims=True), (x,)),
        (functools.partial(actc.rrelu.backward, **key), (x[0],)),
        (actc.preset("tensorflow").selu.backward, (x,)),
    ):
        found, wanted = f(number, *operands), f(dtype.type(number), *operands)
        for y, w in zip(*(r if isinstance(r, tuple) else (r,) for r in (found, wanted)), strict=True):
            same_bits(y, w)
            assert y.dtype == dtype
