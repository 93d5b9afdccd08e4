"""Every function, pass and tier is a NumPy ufunc: operands, keywords, types, memory layouts, errors, pickling."""

from __future__ import annotations

import contextlib
import copy
import gc
import itertools
import pickle
import sys
import tracemalloc
from typing import Any

import numpy as np
import oracle
import pytest
from conftest import (
    DTYPES,
    PASSES,
    ROWS,
    TIERS,
    UFUNCS,
    arguments,
    arity,
    bits,
    each,
    every_dtype,
    pass_of,
    run_python,
    same_bits,
)
from mpmath import mp, mpf

import actc

F32 = np.dtype(np.float32)
WIDE = [np.dtype(np.float32), np.dtype(np.float64)]


def outputs(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)


def check(result: Any, wanted: Any) -> None:
    for r, w in zip(outputs(result), outputs(wanted), strict=True):
        same_bits(r, w)


def empties(f: Any, like: np.ndarray) -> tuple[np.ndarray, ...]:
    return tuple(np.full_like(like, 7) for _ in range(f.nout))


# ---- what it is ------------------------------------------------------------------------------------------------


def test_is_a_ufunc(ufunc: Any) -> None:
    tier, name, kind, f = ufunc
    row = next(r for r in ROWS if r.name == name)
    assert type(f) is np.ufunc
    assert f.__module__ == "actc"
    assert f.__name__ == ("exact_" if tier == "exact" else "") + row.unique_name + (f"_{kind}" if kind else "")
    assert f.nout == PASSES[kind][1]
    assert f.nin == PASSES[kind][0] + len(row.parameters)


def test_is_reachable_by_every_name(ufunc: Any) -> None:
    tier, name, kind, f = ufunc
    row = next(r for r in ROWS if r.name == name)
    module = actc.exact if tier == "exact" else actc
    assert getattr(actc, f.__name__) is f
    for public in {name, row.unique_name}:
        assert getattr(module, f"{public}_{kind}" if kind else public) is f
        assert pass_of(getattr(module, public), kind) is f


def test_pickles_to_itself(ufunc: Any) -> None:
    f = ufunc[3]
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(f, protocol)) is f
    assert copy.copy(f) is f
    assert copy.deepcopy(f) is f


def test_pickles_into_a_fresh_process() -> None:
    """And alone: the receiver has not imported actc before."""
    everything = [f for *_, f in UFUNCS] + [
        g for f in actc.elementwise.values() if (g := getattr(f, "parameter_backward", None))
    ]
    run_python(
        "import pickle, sys\nfs = pickle.loads(bytes.fromhex(sys.argv[1]))\nimport actc\n"
        "assert all(getattr(actc, f.__name__) is f for f in fs)",
        pickle.dumps(everything).hex(),
    )


def test_documentation(ufunc: Any) -> None:
    tier, name, kind, f = ufunc
    row = next(r for r in ROWS if r.name == name)
    text = f.__doc__
    for part in (row.formula, row.derivative, row.range, row.limits, row.reference, row.elsewhere, row.kink, row.zeros):
        assert part in text
    for parameter, default in row.parameters.items():
        assert f"{parameter} : float" in text
        assert f"default {default:g}" in text
    signature = f.__signature__
    assert list(signature.parameters)[:2] == (["g", "x"] if kind == "backward" else ["x", *row.parameters, "out"][:2])
    assert {n: signature.parameters[n].default for n in row.parameters} == row.parameters
    assert {"out", "where", "casting", "order", "dtype", "subok"} <= set(signature.parameters)
    assert ("exact." in text) == (tier == "exact")


def test_aliases() -> None:
    """torch's spellings are the same objects, for each of our names that has one."""
    for alias, name in (
        ("logistic", "sigmoid"),
        *((n.replace("_", ""), n) for n in ("hard_tanh", "hard_sigmoid", "hard_swish", "log_sigmoid")),
    ):
        if name not in actc.elementwise:
            continue
        for module in (actc, actc.exact):
            for kind in PASSES:
                suffix = f"_{kind}" if kind else ""
                assert getattr(module, alias + suffix) is getattr(module, name + suffix)


def test_misspelt_names_get_a_hint() -> None:
    for name in actc.elementwise:
        with pytest.raises(AttributeError, match=name):
            getattr(actc, name + "q")


# ---- operands and keywords ------------------------------------------------------------------------------------


@every_dtype
def test_out(ufunc: Any, dtype: Any) -> None:
    """Positional, keyword, tuple and in place: the same bits, and the very object comes back."""
    f = ufunc[3]
    for n in (1, 7, 64, 700):
        inputs = arguments(f, dtype, n)
        before = [a.copy() for a in inputs]
        wanted = f(*inputs)
        fill = tuple(actc_defaults(f))
        for call in (
            lambda *o: f(*inputs, out=o),  # noqa: B023
            lambda *o: f(*inputs, *fill, *o),  # noqa: B023
            lambda *o: f(*inputs, *fill, out=o),  # noqa: B023
            *([lambda o: f(*inputs, out=o)] if f.nout == 1 else []),  # noqa: B023
        ):
            out = empties(f, inputs[0])
            result = call(*out)
            assert all(r is o for r, o in zip(outputs(result), out, strict=True))
            check(out, outputs(wanted))
        check(tuple(inputs), tuple(before))
        if f.nout == 2:
            first, second = empties(f, inputs[0])
            assert f(*inputs, out=(first, None))[0] is first
            assert f(*inputs, out=(None, second))[1] is second
            check((first, second), wanted)
        for target in range(len(inputs)):  # in place, over each input
            own = [a.copy() for a in inputs]
            others = empties(f, inputs[0])[1:]
            f(*own, out=(own[target], *others))
            check((own[target], *others), wanted)
        if len(inputs) == 2:  # g and x the same array, and the result over it
            same = inputs[0].copy()
            f(same, same, out=same)
            check(same, f(inputs[0], inputs[0].copy()))


def actc_defaults(f: Any) -> list[float]:
    return [f.__signature__.parameters[n].default for n in arity(f)]


@each(dtype=DTYPES.values(), shift=[-3, -1, 1, 2, 5])
def test_partial_overlap(ufunc: Any, dtype: Any, shift: int) -> None:
    """An output that overlaps an input otherwise than exactly is as if it did not."""
    f = ufunc[3]
    for n in (3, 40, 600):
        memory = arguments(f, dtype, n + 20)[-1]
        inputs = [memory[10 : 10 + n]] * (f.nin - len(arity(f)))
        wanted = f(*(a.copy() for a in inputs))
        out = memory[10 + shift : 10 + shift + n]
        rest = empties(f, np.array(inputs[0]))[1:]
        f(*inputs, out=(out, *rest))
        check((out, *rest), wanted)


@every_dtype
def test_rejected_outputs_stay_untouched(ufunc: Any, dtype: Any) -> None:
    f = ufunc[3]
    inputs = arguments(f, dtype, 12)
    x = inputs[0]
    good = empties(f, x)[1:]
    locked = np.full_like(x, 7)
    locked.flags.writeable = False
    bad: list[tuple[Any, type[Exception]]] = [
        (np.full(11, 7, dtype), ValueError),
        (np.full((2, 5), 7, dtype), ValueError),
        (np.full((), 7, dtype), ValueError),
        (np.full(12, 7, np.int32), TypeError),
        (np.full(12, 7, bool), TypeError),
        (locked, ValueError),
        ([7.0] * 12, TypeError),
        (7.0, TypeError),
    ]
    for out, error in bad:
        before = np.array(out)
        for call in (lambda: f(*inputs, out=(out, *good)), lambda: f(*inputs, *actc_defaults(f), out, *good)):  # noqa: B023
            with pytest.raises(error):
                call()
        same_bits(np.array(out), before)
    assert all((o == 7).all() for o in good)
    with pytest.raises((TypeError, ValueError)):
        f(*inputs, out=(np.empty_like(x),) * (f.nout + 1))


def test_wider_and_narrower_out(ufunc: Any) -> None:
    """An out of another float type is cast to, as NumPy does it: same_kind by default."""
    f = ufunc[3]
    inputs = arguments(f, F32, 9)
    wanted = outputs(f(*inputs))
    for other in (np.float16, np.float64, np.longdouble):
        out = tuple(np.empty(9, other) for _ in range(f.nout))
        f(*inputs, out=out)
        with np.errstate(all="ignore"):
            for o, w in zip(out, wanted, strict=True):
                np.testing.assert_array_equal(o, w.astype(other))
    with pytest.raises(TypeError):
        f(*inputs, out=tuple(np.empty(9, np.float16) for _ in range(f.nout)), casting="safe")


@every_dtype
def test_where(ufunc: Any, dtype: Any) -> None:
    f = ufunc[3]
    for n in (5, 65, 1000):
        inputs = arguments(f, dtype, n)
        mask = np.random.default_rng(n).random(n) < 0.4
        wanted = outputs(f(*inputs))
        out = empties(f, inputs[0])
        f(*inputs, out=out, where=mask)
        for o, w in zip(out, wanted, strict=True):
            same_bits(o[mask], w[mask])
            assert (o[~mask] == 7).all()
        check(f(*inputs, where=True), f(*inputs))
        out = empties(f, inputs[0])
        f(*inputs, out=out, where=False)
        assert all((o == 7).all() for o in out)


def test_dtype_and_casting(ufunc: Any) -> None:
    f = ufunc[3]
    for given, wanted in itertools.product(DTYPES.values(), DTYPES.values()):
        inputs = arguments(f, given, 40)
        if np.can_cast(given, wanted, "same_kind"):
            check(f(*inputs, dtype=wanted), f(*(a.astype(wanted) for a in inputs)))
        if not np.can_cast(given, wanted, "safe"):
            with pytest.raises(TypeError):
                f(*inputs, dtype=wanted, casting="safe")
        check(f(*inputs, dtype=wanted, casting="unsafe"), f(*(a.astype(wanted) for a in inputs)))
    for refused in (np.int32, np.complex64, np.longdouble, bool, object):
        with pytest.raises(TypeError):
            f(*arguments(f, F32, 3), dtype=refused)


def test_order_and_subok(ufunc: Any) -> None:
    f = ufunc[3]
    count = f.nin - len(arity(f))
    x = np.asfortranarray(np.random.default_rng(0).standard_normal((6, 5)).astype(F32))
    for order, kept in (("K", "F"), ("A", "F"), ("C", "C"), ("F", "F")):
        result = f(*[x] * count, order=order)
        check(result, f(*[np.ascontiguousarray(x)] * count))
        assert all(y.flags[f"{kept}_CONTIGUOUS"] for y in outputs(result))
    for y in outputs(f(*[x] * count)):
        assert y.flags.f_contiguous, "the layout of the input by default"

    class Own(np.ndarray):
        pass

    x = np.ones(4, F32).view(Own)
    assert all(type(y) is Own for y in outputs(f(*[x] * count)))
    assert all(type(y) is np.ndarray for y in outputs(f(*[x] * count, subok=False)))


LAYOUTS = {
    "reversed": lambda a: a[::-1],
    "every third": lambda a: np.repeat(a, 3)[::3],
    "backwards by two": lambda a: np.repeat(a, 2)[::-2],
    "broadcast": lambda a: np.broadcast_to(a[:1], a.shape),
    "transposed": lambda a: a.reshape(-1, 4).T,
    "Fortran": lambda a: np.asfortranarray(a.reshape(4, -1)),
    "inner slice": lambda a: a.reshape(4, -1)[:, 1:-1],
    "three axes": lambda a: a.reshape(4, 2, -1).swapaxes(0, 2),
    "unaligned": lambda a: (
        np.frombuffer(b"x" + a.tobytes(), np.uint8)[1:].view(a.dtype) if a.dtype.isbuiltin == 1 else a[::-1]
    ),
    "other endianness": lambda a: a.astype(a.dtype.newbyteorder()) if a.dtype.isbuiltin == 1 else a,
    "record field": lambda a: np.rec.fromarrays([np.zeros(a.shape, np.int8), a])["f1"] if a.dtype.isbuiltin == 1 else a,
    "read-only": lambda a: np.frombuffer(a.tobytes(), a.dtype),
}


@each(dtype=DTYPES.values(), layout=LAYOUTS)
def test_layouts(ufunc: Any, dtype: Any, layout: str) -> None:
    """Any memory layout of the inputs and of the outputs gives the bits of contiguous arrays."""
    f = ufunc[3]
    flat = arguments(f, dtype, 600)
    laid = [LAYOUTS[layout](a) for a in flat]
    plain = [np.ascontiguousarray(a).astype(dtype).reshape(a.shape) for a in laid]
    wanted = f(*plain)
    check(f(*laid), wanted)
    if laid[0].flags.writeable:
        out = tuple(LAYOUTS[layout](np.zeros_like(flat[0])) for _ in range(f.nout))
        if all(o.flags.writeable for o in out):
            f(*plain, out=out)
            check(tuple(np.ascontiguousarray(o).astype(dtype).reshape(o.shape) for o in out), outputs(wanted))
    mixed = [laid[0], *plain[1:]]
    check(f(*mixed), wanted)


@every_dtype
def test_dimensions(ufunc: Any, dtype: Any) -> None:
    f = ufunc[3]
    count = f.nin - len(arity(f))
    for shape in ((), (0,), (1,), (3, 0, 2), (1, 1, 1), (2, 3, 4), (1,) * 20 + (2,)):
        x = np.full(shape, 0.5, dtype)
        for y in outputs(f(*[x] * count)):
            assert y.shape == shape
            assert y.dtype == dtype
            assert isinstance(y, np.ndarray if shape else dtype.type)
        for y in outputs(f(*[x] * count, out=empties(f, x))):
            assert isinstance(y, np.ndarray)
            assert y.shape == shape


def test_broadcasting_of_gradients(tier: str) -> None:
    for f in TIERS[tier].values():
        g, x = np.arange(3, dtype=F32).reshape(3, 1), np.linspace(-2, 2, 5, dtype=F32)
        same_bits(f.backward(g, x), f.backward(np.broadcast_to(g, (3, 5)).copy(), np.broadcast_to(x, (3, 5)).copy()))
        same_bits(f.backward(1, x), f.backward(np.ones_like(x), x))
        same_bits(f.backward(2.0, x), f.backward(np.full_like(x, 2), x))
        same_bits(f.backward(x, 0.5), f.backward(x, np.full_like(x, 0.5)))
        for bad in (np.ones(4, F32), np.ones((2, 4), F32)):
            out = np.full(5, 7, F32)
            with pytest.raises(ValueError, match="broadcast"):
                f.backward(bad, x, out=out)
            assert (out == 7).all()
        with pytest.raises(ValueError, match="broadcast"):
            f.backward(np.ones((2, 5), F32), x, out=np.empty(5, F32))


# ---- types -----------------------------------------------------------------------------------------------------


def test_integers_and_bool(ufunc: Any) -> None:
    """8- and 16-bit integers and bool compute in float32, wider ones in float64."""
    f = ufunc[3]
    count = f.nin - len(arity(f))
    for code in "?bBhHiIlLqQ":
        given = np.dtype(code)
        wanted = np.dtype(np.float32 if given.itemsize <= 2 else np.float64)
        x = np.arange(-3 if given.kind == "i" else 0, 9).astype(given)
        check(f(*[x] * count), f(*[x.astype(wanted)] * count))
        for y in outputs(f(*[x[1]] * count)):
            assert y.dtype == wanted
        check(f(*[x.astype(given.newbyteorder())] * count), f(*[x.astype(wanted)] * count))


def test_python_and_numpy_scalars(ufunc: Any) -> None:
    f = ufunc[3]
    count = f.nin - len(arity(f))
    for v in (0.5, -2, True, 10**15):
        for y in outputs(f(*[v] * count)):
            assert y.dtype == np.float64 if not isinstance(v, bool) else y.dtype == np.float32
        check(f(*[v] * count), f(*[np.asarray(v)] * count))
    for dtype in DTYPES.values():
        for y in outputs(f(*[dtype.type(0.5)] * count)):
            assert y.dtype == dtype
    check(f(*[[0.5, 1]] * count), f(*[np.array([0.5, 1])] * count))
    check(f(*[memoryview(np.ones(3, F32))] * count), f(*[np.ones(3, F32)] * count))


def test_refused_types(ufunc: Any) -> None:
    f = ufunc[3]
    count = f.nin - len(arity(f))
    for x in (
        np.ones(3, np.longdouble), np.ones(3, np.complex64), np.ones(3, complex), 1j, np.array(["1"]), np.array([b"1"]),
        np.array([1, None]), np.array([1.0], object), "1", None, np.array(["2020-01-01"], "M8[D]"), np.ones(3, "m8[s]"),
        np.zeros(2, [("a", "f4")]), object(), {},
    ):  # fmt: skip
        with pytest.raises(TypeError):
            f(*[x] * count)
    with pytest.raises((TypeError, OverflowError)):  # an object to NumPy where it stands alone, else too large a float
        f(*[10**400] * count)
    if count == 2:
        with pytest.raises(TypeError):
            f(np.ones(3, complex), np.ones(3, F32))
        with pytest.raises(TypeError):
            f(np.ones(3, F32), np.ones(3, np.longdouble))
        for a, b in itertools.product(WIDE, WIDE):
            assert f(np.ones(3, a), np.ones(3, b)).dtype == np.result_type(a, b)


def test_wrong_calls(ufunc: Any) -> None:
    f = ufunc[3]
    inputs = arguments(f, F32, 3)
    with pytest.raises(TypeError):
        f()
    with pytest.raises(TypeError):
        f(*inputs, unknown=1)
    with pytest.raises(TypeError):
        f(*inputs, *actc_defaults(f), *[None] * f.nout, None)
    with pytest.raises(TypeError):
        f(*inputs[1:], x=inputs[0])
    with pytest.raises(TypeError):
        f(*inputs, *actc_defaults(f), *empties(f, inputs[0]), out=empties(f, inputs[0]))
    if f.nout == 1 and len(inputs) == 2:
        with pytest.raises(TypeError):
            f(inputs[0])
    for name in arity(f):
        with pytest.raises(TypeError, match=name):
            f(*inputs, *actc_defaults(f), **{name: 1.0})


def test_parameters_as_keywords_and_positions() -> None:
    for _, name, _, f in UFUNCS:
        names = arity(f)
        row = next(r for r in ROWS if r.name == name)
        assert names == list(row.parameters)
        if not names:
            continue
        inputs = arguments(f, F32, 70)
        check(f(*inputs), f(*inputs, *row.parameters.values()))
        check(f(*inputs, **row.parameters), f(*inputs))
        wanted = f(*inputs, *[0.375] * len(names))
        for v in (
            0.375,
            np.float64(0.375),
            np.float32(0.375),
            np.float16(0.375),
            np.array(0.375),
            [0.375],
            np.full(70, 0.375),
        ):
            check(f(*inputs, **dict.fromkeys(names, v)), wanted)
            check(f(*inputs, *[v] * len(names)), wanted)
        check(f(*inputs, **dict.fromkeys(names, 2)), f(*inputs, *[2.0] * len(names)))
        check(f(*inputs, **dict.fromkeys(names, True)), f(*inputs, *[1.0] * len(names)))
        check(f(*inputs, **dict.fromkeys(names, np.int8(2))), f(*inputs, *[2.0] * len(names)))
        out = empties(f, inputs[0])
        f(*inputs, out=out, **dict.fromkeys(names, 0.375))
        check(out, outputs(wanted))
        for bad in ("1", 1j, None, object(), np.ones(3, complex), 10**400):
            out = empties(f, inputs[0])
            with pytest.raises((TypeError, OverflowError)):
                f(*inputs, out=out, **{names[0]: bad})
            assert all((o == 7).all() for o in out)
        out = empties(f, inputs[0])
        with pytest.raises(ValueError, match="broadcast"):
            f(*inputs, out=out, **{names[0]: np.ones(69)})
        assert all((o == 7).all() for o in out)


def test_parameters_never_upcast(dtype: Any) -> None:
    for _, _, _, f in UFUNCS:
        inputs = arguments(f, dtype, 8)
        for name in arity(f):
            for v in (0.3, 1, np.float64(0.3), np.full(8, 0.3), np.full((2, 8), 0.3), np.float32(0.5), np.ones(8, int)):
                assert all(y.dtype == dtype for y in outputs(f(*inputs, **{name: v})))
            assert all(y.dtype == dtype for y in outputs(f(*(a[0] for a in inputs), **{name: np.float64(0.3)})))


def test_parameters_are_doubles() -> None:
    """0.1 as a double, not as a float32: the difference shows in correctly rounded results wherever it does in the
    formula's, which is not where a parameter only says which piece it is."""
    tenth = 0.1
    assert float(np.float32(tenth)) != tenth
    shown = 0
    x = np.random.default_rng(3).standard_normal(500).astype(F32)
    for row in ROWS:
        if row.parameters:
            f, formula, count = actc.exact.elementwise[row.name], oracle.formula_of(row, 0), len(row.parameters)
            a, b = (f(x, *[v] * count) for v in (tenth, float(np.float32(tenth))))
            same_bits(a, f(x, *[np.full(x.shape, tenth)] * count))
            with mp.workprec(200):
                c, d = (
                    np.array([float(formula.at(float(t), *[mpf(v)] * count)) for t in x]).astype(F32)
                    for v in (tenth, float(np.float32(tenth)))
                )
            assert (bits(a) != bits(b)).any() == (bits(c) != bits(d)).any(), row.name
            shown += (bits(a) != bits(b)).any()
    assert shown > 10


# ---- other array types -----------------------------------------------------------------------------------------


class Wrapped:
    """Overrides ufuncs, and remembers what it was asked."""

    def __init__(self, a: np.ndarray):
        self.a = a

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> tuple[Any, ...]:
        plain = [i.a if isinstance(i, Wrapped) else i for i in inputs]
        if "out" in keywords:
            keywords["out"] = tuple(o.a if isinstance(o, Wrapped) else o for o in keywords["out"])
        return ufunc, method, getattr(ufunc, method)(*plain, **keywords)


def test_array_ufunc_overrides(ufunc: Any) -> None:
    f = ufunc[3]
    inputs = arguments(f, F32, 6)
    wanted = f(*inputs)
    seen, method, result = f(*map(Wrapped, inputs))
    assert seen is f
    assert method == "__call__"
    check(result, wanted)
    check(f(*inputs, out=(Wrapped(np.empty(6, F32)), *[None] * (f.nout - 1)))[2], wanted)
    for name in arity(f):
        check(f(*inputs, **{name: Wrapped(np.full(6, 0.5))})[2], f(*inputs, **{name: 0.5}))

    class Refuses:
        __array_ufunc__ = None

    with pytest.raises(TypeError):
        f(*[Refuses()] * len(inputs))


def test_masked_and_mapped_arrays(ufunc: Any, tmp_path: Any) -> None:
    f = ufunc[3]
    inputs = arguments(f, F32, 8)
    masked = [np.ma.array(a, mask=[0, 1] * 4) for a in inputs]
    for m, y in zip(outputs(f(*masked)), outputs(f(*inputs)), strict=True):
        assert isinstance(m, np.ma.MaskedArray)
        assert m.mask.tolist() == [False, True] * 4
        same_bits(m.data[::2], y[::2])
    mapped = np.memmap(tmp_path / "x", F32, "w+", shape=8)
    mapped[:] = inputs[-1]
    wanted = f(*[inputs[-1]] * len(inputs))
    check(tuple(np.asarray(y) for y in outputs(f(*[mapped] * len(inputs)))), outputs(wanted))
    f(*[mapped] * len(inputs), out=(mapped, *empties(f, inputs[0])[1:]))
    same_bits(np.asarray(mapped), outputs(wanted)[0])


def test_reduce_and_accumulate_are_folds() -> None:
    """Whatever sense they make, each result is the next one's first operand, in all lanes of a vector."""
    gates = [f for g in actc.gates.values() for f in (g, g.backward)]
    for f in [*[f for _, _, _, f in UFUNCS], *gates]:
        if f.nin != 2 or f.nout != 1:
            continue
        for dtype in (F32, np.dtype(np.float64)):
            a = np.random.default_rng(0).standard_normal((19, 3)).astype(dtype)
            folded = np.array(list(itertools.accumulate(a, f)))
            for given, wanted, axis in ((a, folded, 0), (np.asfortranarray(a), folded, 0), (a.T, folded.T, 1)):
                same_bits(f.reduce(given, axis=axis), folded[-1])
                if dtype == np.float64 or not arity(f):  # NumPy refuses it where operands have two types
                    same_bits(f.accumulate(given, axis=axis), wanted)
                    same_bits(f.reduceat(given, [0, 7], axis=axis).take(0, axis), folded[6])


def test_methods_do_not_crash() -> None:
    """reduce and its kin make no sense here: a clean error, or what NumPy's own rules give."""
    for _, _, _, f in UFUNCS:
        x = np.ones((3, 3), F32)
        for method in ("reduce", "accumulate"):
            with np.errstate(all="ignore"), contextlib.suppress(TypeError, ValueError, RuntimeError):
                getattr(f, method)(x)
        if f.nin == 2 and f.nout == 1:
            a, b = x[0], np.array([0.25, 0.5])
            same_bits(f.outer(a, b), f(a[:, None], b[None, :]))
        if f.nin == 1 and f.nout == 1:
            y = x[0].copy()
            f.at(y, [1])
            same_bits(y, np.array([1, f(x[0, 1:2])[0], 1], F32))


# ---- leaks -------------------------------------------------------------------------------------------------------


FIRST = [next(r.name for r in ROWS if bool(r.parameters) == parametrised) for parametrised in (False, True)]
LEAK = [u for u in UFUNCS if u[1] in FIRST and u[0] == "default"]  # the tiers differ in a number only


@pytest.mark.parametrize("f", [u[3] for u in LEAK], ids=lambda f: f.__name__)
def test_no_leaks(f: Any) -> None:
    """Reference counts and memory after thousands of calls along every path, errors too."""
    small, strided, doubles, value = np.ones(4, F32), np.ones(8, F32)[::2], np.full(4, 0.5), 0.123456
    names, out = arity(f), empties(f, np.ones(4, F32))
    x = [small] * (f.nin - len(names))
    wrong: list[dict[str, Any]] = [{"unknown": 1}, {"out": (small[:2],) * f.nout}, {n: "x" for n in names} or {"x": 1}]
    paths: list[tuple[list[Any], dict[str, Any]]] = [
        (x, {}),
        (x, {"out": out}),
        ([*x, *[value] * len(names), *out], {}),
        (x, dict.fromkeys(names, value)),
        (x, {"out": out, **dict.fromkeys(names, value)}),
        (x, dict.fromkeys(names, doubles)),
        ([strided] * len(x), {}),
        ([1.5] * len(x), {}),
        (x, {"where": True}),
        (x, {"dtype": np.float64}),
        *((x, w) for w in wrong),
    ]

    def all_paths(times: int) -> None:
        for given, keywords in paths:
            for _ in range(times):
                with contextlib.suppress(TypeError, ValueError):
                    f(*given, **keywords)

    watched = [small, strided, doubles, value, f, small.dtype, doubles.dtype, *out, *names, *actc_defaults(f)]
    all_paths(2)
    gc.collect()
    counts = [sys.getrefcount(w) for w in watched]
    all_paths(1500)
    after = [sys.getrefcount(w) for w in watched]
    assert all(abs(a - b) < 100 for a, b in zip(counts, after, strict=True)), (counts, after)
    tracemalloc.start()
    try:
        grown = []
        for _ in range(5):  # what leaks leaks every time; what another thread of the process takes meanwhile does not
            before = tracemalloc.get_traced_memory()[0]
            all_paths(100)
            gc.collect()
            grown.append(tracemalloc.get_traced_memory()[0] - before)
        assert min(grown) < 3_000, grown
    finally:
        tracemalloc.stop()


def test_formats_are_all_tested() -> None:
    assert set(DTYPES) == set(oracle.FORMATS)
    assert {"float16", "float32", "float64"} <= set(DTYPES)
