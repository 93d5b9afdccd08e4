"""Gradients with respect to parameters, and parameters that broadcast."""

from __future__ import annotations

import functools
import inspect
import math
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import oracle
import pytest
from conftest import DTYPES, PASSES, ROWS, TIERS, arity, pass_of, same_bits
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf

import actc

PARAMETRISED = [r for r in ROWS if r.parameters]


def slopes(row: Any, x: np.ndarray, parameters: tuple[float, ...]) -> np.ndarray:
    """df/dp at each x for each parameter, shape (count, len(x)): numeric differentiation of the formula in mpmath."""
    return _slopes(row.index, tuple(map(float, x)), parameters)


@functools.cache  # both tiers ask for the same
def _slopes(index: int, x: tuple[float, ...], parameters: tuple[float, ...]) -> np.ndarray:
    f = oracle.formula_of(ROWS[index], 0)
    found = np.empty((len(parameters), len(x)))
    with mp.workdps(400):  # a slope of 1e-300 of a function of order 1 shows
        values = [mpf(p) for p in parameters]
        for k in range(len(parameters)):
            for i, v in enumerate(x):
                found[k, i] = float(mp.diff(lambda t: f.at(mpf(float(v)), *values[:k], t, *values[k + 1 :]), values[k]))  # noqa: B023
    return found


def between_kinks(row: Any, x: np.ndarray, parameters: tuple[float, ...]) -> np.ndarray:
    """Those x of the domain where f has a slope in every parameter: not on a kink that a parameter moves."""
    fixed = {k for k in oracle.kinks_of(row, *parameters) if row.kinks.strip() == "0"}
    moving = [k for k in oracle.kinks_of(row, *parameters) if k not in fixed]
    here = oracle.inside(row, x.astype(np.float64), *parameters)
    return x[here & np.all([np.abs(x.astype(np.float64) - k) > 1e-9 for k in moving] or [True], axis=0)]


def sample(dtype: Any, n: int = 24, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(n) * rng.choice([0.01, 1, 5, 30], n)).astype(dtype)


SMALL = (-1e-15, -1e-9, -1e-3, 1e-9)  # a learner crosses 0


def test_each_slope(parametrised: Any, tier: str, dtype: Any) -> None:
    """One element at a time: g df/dp, in float64, to a few units of double precision for doubles."""
    row, f = parametrised, TIERS[tier][parametrised.name]
    points = np.concatenate([sample(dtype, 40), np.array([0, -0.0, 1, -1, 1e-3, -1e-3]).astype(dtype)])
    for p in [tuple(row.parameters.values()), *oracle.settings(row), *oracle.settings(row, SMALL)]:
        x = between_kinks(row, points, p)
        assert len(x) > 20
        wanted = slopes(row, x, p)
        for i, v in enumerate(x):
            found = f.parameter_backward(dtype.type(3), v, *p)
            assert list(found) == list(row.parameters)
            for k, gradient in enumerate(found.values()):
                assert isinstance(gradient, np.float64)
                scale, expected = max(abs(wanted[k, i]), 1e-290), float(3 * wanted[k, i])
                same = float(gradient) == expected or abs(float(gradient) - expected) <= 3e-14 * 3 * scale
                assert same, f"df/dp({v!r}) at {p}"


def test_sums(parametrised: Any, dtype: Any) -> None:
    """Over everything: the sum of g df/dp, to what pairwise summation in double loses."""
    row, f = parametrised, actc.elementwise[parametrised.name]
    for n in (1, 2, 255, 256, 257, 511, 1025):
        x = np.resize(sample(dtype, 24), n)
        g = np.random.default_rng(n).standard_normal(n).astype(dtype)
        p = tuple(row.parameters.values())
        wanted = (
            np.resize(slopes(row, x[:24], p), (len(p), n))
            if n <= 24
            else np.stack([np.resize(s, n) for s in slopes(row, x[:24], p)])
        )
        terms = wanted * g.astype(np.float64)
        for k, gradient in enumerate(f.parameter_backward(g, x, *p).values()):
            assert abs(float(gradient) - math.fsum(terms[k])) <= 1e-13 * math.fsum(abs(terms[k])) + 1e-300


def test_sums_are_accurate_and_repeatable(parametrised: Any) -> None:
    """Many terms that nearly cancel: pairwise, not one by one; and the same bits every time."""
    f = actc.elementwise[parametrised.name]
    rng = np.random.default_rng(1)
    x = rng.standard_normal(200_003)
    g = rng.standard_normal(len(x))
    count = len(parametrised.parameters)
    first = f.parameter_backward(g, x)
    for _ in range(3):
        assert f.parameter_backward(g, x) == first
    assert f.parameter_backward(g.copy(), np.repeat(x, 2)[::2]) == first, "memory layout does not matter"
    each = f.parameter_backward(
        g[:, None], x[:, None], *[np.full((len(x), 1), v) for v in parametrised.parameters.values()]
    )
    for k, name in enumerate(parametrised.parameters):
        terms = each[name].ravel()
        assert (
            abs(float(first[name]) - math.fsum(terms))
            <= 1e-15 * math.fsum(np.abs(terms)) * 20 / math.sqrt(len(x)) + 1e-15 * abs(float(first[name])) * 4
        )
        assert k < count


SHAPES = [
    # g, x, parameter
    ((5,), (5,), ()),
    ((5,), (5,), (1,)),
    ((5,), (5,), (5,)),
    ((2, 3, 4), (2, 3, 4), (3, 1)),
    ((2, 3, 4), (2, 3, 4), (1, 3, 1)),
    ((2, 3, 4), (2, 3, 4), (4,)),
    ((2, 3, 4), (2, 3, 4), (2, 1, 4)),
    ((2, 3, 4), (2, 3, 4), (2, 3, 4)),
    ((4,), (3, 4), (2, 1, 1)),
    ((), (3,), ()),
    ((3, 1), (1, 4), (2, 1, 1)),
    ((), (), ()),
    ((0,), (0,), ()),
    ((0, 3), (0, 3), (3,)),
    ((3, 0), (3, 0), (3, 1)),
]


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_shapes(parametrised: Any, tier: str, dtype: Any, shapes: Any) -> None:
    """The gradient has the parameter's shape and sums over what was broadcast."""
    f = TIERS[tier][parametrised.name]
    rng = np.random.default_rng(5)
    g, x = (np.asarray(rng.standard_normal(s) * 2).astype(dtype) for s in shapes[:2])
    p = [np.asarray(rng.uniform(0.2, 3, shapes[2])) for _ in parametrised.parameters]
    found = f.parameter_backward(g, x, *p)
    full = np.broadcast_shapes(*shapes)
    wide = [np.broadcast_to(a, full) for a in (g, x, *p)]
    for name, gradient in found.items():
        assert np.shape(gradient) == shapes[2]
        assert gradient.dtype == np.float64
        wanted = np.zeros(shapes[2])
        for index in np.ndindex(*full):
            one = f.parameter_backward(*(a[index] for a in wide[:2]), *(float(a[index]) for a in wide[2:]))
            lead = len(full) - len(shapes[2])
            at = tuple(i if s > 1 else 0 for i, s in zip(index[lead:], shapes[2], strict=True))
            wanted[at] += one[name]
        np.testing.assert_allclose(gradient, wanted, rtol=1e-12, atol=1e-12)


def test_names_defaults_and_signature(parametrised: Any, tier: str) -> None:
    f = TIERS[tier][parametrised.name].parameter_backward
    x, g = sample(np.float32), sample(np.float32, seed=1)
    assert f(g, x) == f(g, x, *parametrised.parameters.values()) == f(g, x, **parametrised.parameters)
    shown = inspect.signature(f).parameters
    assert list(shown) == ["g", "x", *parametrised.parameters]
    assert {n: shown[n].default for n in parametrised.parameters} == parametrised.parameters
    assert f.__doc__
    assert f.__module__ == "actc"
    assert getattr(actc, f.__name__) is f


def test_only_parametrised_functions_have_it(row: Any, tier: str) -> None:
    assert hasattr(TIERS[tier][row.name], "parameter_backward") == bool(row.parameters)


def test_errors_name_what_was_given(parametrised: Any, tier: str) -> None:
    f = TIERS[tier][parametrised.name].parameter_backward
    name = next(iter(parametrised.parameters))
    x = np.ones(5, np.float32)
    with pytest.raises(ValueError, match=rf"{parametrised.name}.*\(4,\).*\(5,\)"):
        f(np.ones(4, np.float32), x)
    with pytest.raises(ValueError, match=rf"{name} \(3,\)"):
        f(x, x, np.ones(3))
    with pytest.raises(TypeError, match=name):
        f(x, x, "1")
    with pytest.raises(TypeError, match=name):
        f(x, x, **{name: 1j})
    for bad in (np.ones(5, complex), np.ones(5, np.longdouble), np.array(["a"] * 5), np.ones(5, object)):
        with pytest.raises(TypeError):
            f(x, bad)
        with pytest.raises(TypeError):
            f(bad, x)
    for bad in (np.zeros(5, [("a", "f8")]), np.zeros(5, "m8[s]"), None):
        with pytest.raises(TypeError):
            f(x, x, **{name: bad})
    with pytest.raises(TypeError):
        f(x)
    with pytest.raises(TypeError, match="unknown"):
        f(x, x, unknown=1)


def test_nan_and_infinity_reach_the_sum(parametrised: Any, dtype: Any) -> None:
    f = actc.elementwise[parametrised.name].parameter_backward
    for i in (0, 3, 300):
        for n in (301, 1000):
            x, g = sample(dtype, n), np.ones(n, dtype)
            for value, gradient in ((math.nan, 1), (-1, math.nan), (math.nan, math.inf)):
                x[i], g[i] = value, gradient
                with np.errstate(all="raise"):
                    assert all(math.isnan(v) for v in f(g, x).values())
            x[i], g[i] = -1e4, -math.inf
            with np.errstate(all="raise"):
                assert not any(math.isfinite(v) for v in f(g, x).values())


def test_infinities_of_both_signs_add_up_without_a_warning() -> None:
    """Also where NumPy adds: over axes that another parameter has."""
    g, x = np.array([np.inf, -np.inf]), np.ones(2)
    for f in actc.elementwise.values():
        if len(f.parameters) > 1:
            first, *others = f.parameters.values()
            with np.errstate(all="raise"):
                sums = f.parameter_backward(g, x, np.full(2, first), *others)
            assert [np.shape(total) for total in sums.values()] == [(2,), *[()] * len(others)]
    with np.errstate(all="raise"):
        assert np.isnan(actc.apl.parameter_backward(g, x, np.ones((2, 1)), [2.0])["b"]).all()


def test_integers_and_mixed_dtypes(parametrised: Any, tier: str) -> None:
    f = TIERS[tier][parametrised.name].parameter_backward
    x = np.arange(-4, 5)
    assert f(np.ones(9), x) == f(np.ones(9), x.astype(float))
    assert f(np.ones(9, np.float32), x.astype(np.int8)) == f(np.ones(9, np.float32), x.astype(np.float32))
    assert f(1, [-1.0, 2.0]) == f(np.ones(2), np.array([-1.0, 2.0]))
    x, name = sample(np.float32), next(iter(parametrised.parameters))
    for v in (np.float16(0.5), np.float32(0.5), np.array(0.5), np.array(0.5, np.float16)):
        assert f(x, x, **{name: v}) == f(x, x, **{name: 0.5})
    assert f(x, x.astype(np.float64)) == f(x.astype(np.float64), x.astype(np.float64))
    assert f(2.0, -0.5) == f(np.float64(2), np.float64(-0.5))


# ---- broadcasting of f(x, parameter) itself --------------------------------------------------------------------


@st.composite
def broadcast_calls(draw: Any) -> tuple[list[np.ndarray], Any]:
    """x (and g) and parameters of shapes that broadcast, each array with strides of its own making."""
    count = draw(st.integers(2, 4))
    shapes = draw(hnp.mutually_broadcastable_shapes(num_shapes=count, max_dims=4, max_side=5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    arrays = []
    for shape in shapes.input_shapes:
        steps = [draw(st.sampled_from([1, 1, 2, 3, -1, -2])) for _ in shape]
        order = draw(st.permutations(range(len(shape))))
        memory = rng.standard_normal([shape[a] * abs(steps[a]) for a in order]) * 3
        laid = memory.transpose(np.argsort(order)) if shape else memory
        arrays.append(np.asarray(laid[tuple(slice(None, None, s) for s in steps)]))
        assert arrays[-1].shape == shape
    return arrays, shapes.result_shape


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    broadcast_calls(),
    st.sampled_from([r.name for r in PARAMETRISED]),
    st.sampled_from(list(PASSES)),
    st.sampled_from(list(DTYPES)),
    st.sampled_from(list(TIERS)),
)
def test_parameters_broadcast(call: Any, name: str, kind: str, dtype: str, tier: str) -> None:
    """Against a call on full, contiguous copies, one element of a parameter at a time."""
    (arrays, shape), f = call, pass_of(TIERS[tier][name], kind)
    names = arity(f)
    inputs = [
        a.astype(DTYPES[dtype]) if a.flags.c_contiguous else laid_out_like(a, DTYPES[dtype])
        for a in arrays[: f.nin - len(names)]
    ]
    parameters = [np.abs(a) + 0.1 for a in arrays[-1:]] * len(names)
    shape = np.broadcast_shapes(*(a.shape for a in (*inputs, *parameters)))
    found = f(*inputs, *parameters)
    full = [np.broadcast_to(a, shape).ravel() for a in (*inputs, *parameters)]
    for which, y in enumerate(found if f.nout == 2 else (found,)):
        assert y.shape == shape
        wanted = np.empty(full[0].size, DTYPES[dtype])
        for i in range(full[0].size):
            one = f(*(a[i : i + 1] for a in full[: len(inputs)]), *(float(a[i]) for a in full[len(inputs) :]))
            wanted[i] = (one if f.nout == 2 else (one,))[which][0]
        same_bits(np.ravel(y), wanted)


def laid_out_like(a: np.ndarray, dtype: Any) -> np.ndarray:
    """A cast that keeps the strides' shape."""
    made = np.empty_like(a, dtype=dtype, order="K", subok=False)
    made[...] = a
    return np.repeat(made, 2, axis=-1)[..., ::2] if made.ndim else made


@settings(max_examples=60, deadline=None, derandomize=True)
@given(broadcast_calls(), st.sampled_from([r.name for r in PARAMETRISED]))
def test_parameter_gradients_broadcast(call: Any, name: str) -> None:
    arrays, _ = call
    row = next(r for r in ROWS if r.name == name)
    f = actc.elementwise[name].parameter_backward
    g, x, p = arrays[0], arrays[1], np.abs(arrays[-1]) + 0.1
    full = np.broadcast_shapes(g.shape, x.shape, p.shape)
    each = f(*(np.broadcast_to(a, full) for a in (g, x)), *[np.broadcast_to(p, full)] * len(row.parameters))
    for n, gradient in f(g, x, *[p] * len(row.parameters)).items():
        assert np.shape(gradient) == p.shape
        lead = tuple(range(len(full) - p.ndim))
        axes = (*lead, *(len(lead) + i for i, s in enumerate(p.shape) if s == 1))
        wanted = np.asarray(each[n]).sum(axis=axes).reshape(p.shape)
        np.testing.assert_allclose(gradient, wanted, rtol=1e-12, atol=1e-12)


def test_bad_shapes_write_nothing(parametrised: Any, kind: str) -> None:
    f = pass_of(actc.elementwise[parametrised.name], kind)
    for shape in ((4,), (2, 5), (3, 6)):
        inputs = [np.ones(6, np.float32)] * (f.nin - len(arity(f)))
        out = tuple(np.full(6, 7, np.float32) for _ in range(f.nout))
        with pytest.raises(ValueError, match=r"shape|broadcast"):
            f(*inputs, *[np.ones(shape)] * len(arity(f)), out=out)
        assert all((o == 7).all() for o in out)
