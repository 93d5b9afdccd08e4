"""APL, whose hinges are arrays: exact rational arithmetic is the judge, for finite sums of products are rational."""

from __future__ import annotations

import pickle
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import actc
from actc import _core

DTYPES = [np.dtype(t) for t in ("f2", "f4", "f8")]
if _core.bfloat16_is_supported():
    import ml_dtypes

    DTYPES.append(np.dtype(ml_dtypes.bfloat16))
TIERS = {"default": actc.apl, "exact": actc.exact.apl}
RNG = np.random.default_rng(11)


def hinges(count: int) -> tuple[np.ndarray, np.ndarray]:
    return RNG.normal(size=count), RNG.normal(size=count) * 2


def value(x: Any, a: Any, b: Any) -> Fraction:
    x, total = Fraction(float(x)), Fraction(0)
    for s, t in zip(a, b, strict=True):
        total += Fraction(float(s)) * max(0, Fraction(float(t)) - x)
    return max(Fraction(0), x) + total


def slope(x: Any, a: Any, b: Any) -> Fraction:
    total = sum((Fraction(float(s)) for s, t in zip(a, b, strict=True) if float(x) < float(t)), Fraction(0))
    return (1 if float(x) > 0 else 0) - total


def is_nearest(got: Any, want: Fraction, dtype: Any) -> bool:
    """Whether no neighbour of `got` is nearer to `want`."""
    info = np.finfo(dtype) if dtype.kind == "f" else ml_dtypes.finfo(dtype)
    if np.isinf(got):
        return abs(want) >= Fraction(float(info.max)) + Fraction(float(info.max)) / 2 ** (int(info.nmant) + 2)
    got = Fraction(float(got))
    if got == want:
        return True
    size = max(abs(got), Fraction(float(info.smallest_normal)))
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    if size < Fraction(2) ** exponent:
        exponent -= 1
    return abs(got - want) <= Fraction(2) ** (exponent - int(info.nmant)) / 2


@pytest.mark.parametrize("of_type", DTYPES, ids=lambda d: d.name)
@pytest.mark.parametrize("which", TIERS)
@pytest.mark.parametrize("count", [0, 1, 2, 5, 40])
def test_correctly_rounded(which: str, of_type: Any, count: int) -> None:
    f = TIERS[which]
    a, b = hinges(count)
    x = np.concatenate([RNG.normal(size=300) * 3, b, -b, [0, 1e-5, -6e4]]).astype(of_type)
    y, d = f.value_and_derivative(x, a, b)
    assert y.dtype == d.dtype == of_type
    for i, v in enumerate(x):
        assert is_nearest(y[i], value(v, a, b), of_type), (v, y[i])
        assert is_nearest(d[i], slope(v, a, b), of_type), (v, d[i])
    assert f(x, a, b).tobytes() == y.tobytes() and f.derivative(x, a, b).tobytes() == d.tobytes()
    assert not np.asarray(f.second_derivative(x, a, b), "f8").any()
    g = RNG.normal(size=x.size).astype(of_type)
    wide = np.array([float(Fraction(float(s)) * slope(v, a, b)) for s, v in zip(g, x, strict=True)])
    if of_type.itemsize < 8:
        np.testing.assert_array_equal(f.backward(g, x, a, b), wide.astype(of_type))
    else:  # f' is rounded before the product is
        np.testing.assert_array_max_ulp(f.backward(g, x, a, b), wide, 1)


@pytest.mark.parametrize("of_type", DTYPES, ids=lambda d: d.name)
@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([0.2, -0.1], [0, 1]),  # one sum in 27 lies in the middle between two floats but for 2^-54 of it
        ([-1e-300, 1], [1e-60, 0]),  # products that underflow
        ([3, 0, -3], [0.5, 7, 0.5 + 2.0**-40]),  # what cancels
    ],
)
def test_where_doubles_are_not_enough(a: list[float], b: list[float], of_type: Any) -> None:
    x = np.concatenate([RNG.uniform(-1, 1.147, 700), [0, -0.0, 1e-7, -np.inf, np.inf, np.nan]]).astype(of_type)
    g = RNG.normal(size=x.size).astype(of_type)
    y, d = actc.apl.value_and_derivative(x, a, b)
    for v, got, of in zip(x, y, d, strict=True):
        if np.isfinite(v):
            assert is_nearest(got, value(v, a, b), of_type), (v, got)
            assert is_nearest(of, slope(v, a, b), of_type), (v, of)
    for i in range(x.size):  # alone an element takes the longer way
        one = slice(i, i + 1)
        assert actc.apl(x[one], a, b).tobytes() == y[one].tobytes(), x[i]
        assert actc.apl.backward(g[one], x[one], a, b).tobytes() == actc.apl.backward(g, x, a, b)[one].tobytes(), x[i]


def test_sums_that_cancel() -> None:
    """1e16 (1 - x) - 1e16 (1 - 2^-50 - x): plain doubles give 0 or 16."""
    a, b = [1e16, -1e16], [1, 1 - 2.0**-50]
    for x in (-0.1, -1 / 3, -5.7):
        got = actc.apl(np.array([x]), a, b)[0]
        assert is_nearest(got, value(x, a, b), np.dtype("f8"))


def test_special_values() -> None:
    x = np.array([np.inf, -np.inf, np.nan])
    for a, left in (([1, 2], np.inf), ([-1, -2], -np.inf), ([3, -3], 3.0 * 5 - 3 * 2)):
        for f in TIERS.values():
            np.testing.assert_array_equal(f(x, a, [5, 2]), [np.inf, left, np.nan])
            np.testing.assert_array_equal(f.derivative(x, a, [5, 2]), [1, -sum(a), np.nan])
            np.testing.assert_array_equal(f.second_derivative(x, a, [5, 2]), [0, 0, np.nan])
    assert np.isnan(actc.apl(0.5, [np.nan], [0.0])) and np.isnan(actc.apl(0.5, [1.0], [np.nan]))
    assert not np.signbit(actc.apl(-0.0, [1.0], [-1.0]))


@pytest.mark.parametrize("units", actc.isas())
def test_same_bits_everywhere(units: str) -> None:
    a, b = hinges(7)
    before = actc.use_isa(units)
    try:
        for dtype in DTYPES:
            x = (np.random.default_rng(1).normal(size=777) * 3).astype(dtype)
            whole = actc.apl(x, a, b)
            actc.use_isa("scalar")
            assert actc.apl(x, a, b).tobytes() == whole.tobytes()
            actc.use_isa(units)
            assert b"".join(actc.apl(x[i : i + 1], a, b).tobytes() for i in range(x.size)) == whole.tobytes()
            assert actc.apl(x[::-2], a, b).tobytes() == whole[::-2].tobytes()
            y = x.copy()
            assert actc.apl(y, a, b, out=y) is y and y.tobytes() == whole.tobytes()
            varied = actc.apl(x, np.broadcast_to(a, (777, 7)).copy(), b)
            assert varied.tobytes() == whole.tobytes()
    finally:
        actc.use_isa(before)


@pytest.mark.parametrize("of", [(), (3,), (5, 1), (5, 3)], ids=str)
def test_hinges_of_channels_and_their_gradients(of: tuple[int, ...]) -> None:
    x, g = RNG.normal(size=(200, 5, 3)), RNG.normal(size=(200, 5, 3))
    a, b = RNG.normal(size=(*of, 4)), RNG.normal(size=(*of, 4))
    t = b - x[..., None]
    np.testing.assert_allclose(
        actc.apl(x, a, b), np.maximum(x, 0) + (a * np.maximum(t, 0)).sum(-1), rtol=1e-12, atol=1e-12
    )
    got = actc.apl.parameter_backward(g, x, a, b)
    want = {"a": g[..., None] * np.maximum(t, 0), "b": g[..., None] * a * (t > 0)}
    for name, terms in want.items():
        assert got[name].shape == a.shape and got[name].dtype == np.float64
        axes = tuple(k for k in range(3) if (1,) * (3 - len(of)) + of != () and ((1,) * (3 - len(of)) + of)[k] == 1)
        np.testing.assert_allclose(
            got[name], terms.sum(axis=axes, keepdims=True).reshape(a.shape), rtol=1e-11, atol=1e-11
        )


def test_surface() -> None:
    assert actc.functions["apl"] is actc.apl and isinstance(actc.apl, np.ufunc)
    assert actc.apl.signature == "(),(s),(s)->()"
    x = np.linspace(-2, 2, 9, dtype="f4")
    a, b = [0.2, -0.1], [0, 1]
    np.testing.assert_array_equal(actc.apl(x, a=a, b=b), actc.apl(x, a, b))
    np.testing.assert_array_equal(actc.apl(x, a, b=b, dtype="f8"), actc.apl(x.astype("f8"), a, b))
    assert (
        actc.apl(np.arange(3), a, b).dtype == np.float64
        and actc.apl(np.arange(3, dtype="i1"), a, b).dtype == np.float32
    )
    for f in TIERS.values():
        for g in (f, f.derivative, f.second_derivative, f.backward, f.value_and_derivative, f.parameter_backward):
            assert pickle.loads(pickle.dumps(g)) is g and g.__doc__ and g.__module__ == "actc"


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: actc.apl(x), TypeError, "positional"),
        (lambda x: actc.apl(x, [1.0], a=[1.0]), TypeError, "multiple values for argument 'a'"),
        (lambda x: actc.apl(x, [1.0, 2.0], [1.0]), ValueError, "mismatch"),
        (lambda x: actc.apl(x, 1.0, 2.0), ValueError, "dimension"),
        (lambda x: actc.apl(x * 1j, [1.0], [1.0]), TypeError, "apl"),
        (lambda x: actc.apl.parameter_backward(x, x, [1.0, 2.0], [1.0]), ValueError, "as many hinges"),
        (lambda x: actc.apl.parameter_backward(x, x[:2], [1.0], [1.0]), ValueError, "do not broadcast"),
    ],
)
def test_errors(call: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        call(np.ones(3, "f4"))


def test_a_result_over_its_own_hinges() -> None:
    x, a, b = np.random.default_rng(0).standard_normal((3, 300))
    wanted = actc.apl(x, a, b)
    for which in (0, 1, 2):
        given = [x.copy(), a.copy(), b.copy()]
        assert actc.apl(*given, out=given[which]) is given[which]
        np.testing.assert_array_equal(given[which], wanted)
