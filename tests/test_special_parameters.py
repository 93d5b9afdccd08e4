"""What the rows say of zero and invalid parameters, evaluated; and parameters of a type that doubles do not hold."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import oracle
import pytest
from conftest import PASSES, ROWS, TIERS, is_nan, pass_of, run_python, same_bits
from mpmath import mp, mpf

import actc

VALUES = (0.0, -0.75, 0.5, 3.0)
SMALL = 2.0**-10  # floats hold every one of these
X = np.array(
    [-(2.0**70), -30.5, -4, -3, -1.25, -1, -0.75, -0.5, -SMALL, 0, SMALL, 0.5, 0.75, 1, 1.25, 3, 17.5, 2.0**70]
)


def cases(row: Any) -> list[tuple[str, str]]:
    """(condition, expression) of .special, in order."""
    return [tuple(part.strip() for part in case.split(":")) for case in row.special.split(";")]


def wanted(row: Any, expression: str, x: float, p: tuple[float, ...]) -> float:
    """What a case says of f(x), to 120 bits, as a double."""
    text = expression.replace("the formula", f"({row.formula})")
    with mp.workprec(400):
        return float(oracle.Formula(text, tuple(row.parameters)).at(mpf(x), *map(mpf, p)))


def test_every_case_is_what_happens(parametrised: Any, tier: str) -> None:
    row, f = parametrised, TIERS[tier][parametrised.name]
    told = cases(row)
    seen: set[str] = set()
    for p in itertools.product(VALUES, repeat=len(row.parameters)):
        holds = [case for case in told if oracle.field(row, case[0], *p)]
        if not holds:
            continue
        condition, expression = holds[0]
        seen.add(condition)
        y = np.array([wanted(row, expression, float(x), p) for x in X])
        for dtype, rtol in ((np.float64, 2e-15), (np.float32, 3e-7)):
            with np.errstate(over="ignore"):
                expected = y.astype(dtype)
            note = f"{condition}: {expression}, at {p}"
            np.testing.assert_allclose(f(X.astype(dtype), *p), expected, rtol, atol=1e-37, err_msg=note)
            np.testing.assert_allclose(
                [f(dtype(x), *p) for x in X], expected, rtol, atol=1e-37, err_msg=note + ", scalars"
            )
    assert seen == {condition for condition, _ in told}, "no parameters of this test are that special"


def test_zero_parameters_are_told_of(row: Any) -> None:
    """Each parameter whose zero or sign makes a difference appears; rows without parameters say nothing."""
    assert bool(row.special) == bool(row.parameters)
    assert row.special == actc.elementwise[row.name].info["special"]
    for kind in PASSES:
        doc = pass_of(actc.elementwise[row.name], kind).__doc__
        assert not row.special or row.special in doc


def test_docstrings_promise_what_is_tested(row: Any, kind: str, tier: str) -> None:
    """The bounds that test_formula holds each pass to."""
    doc = pass_of(TIERS[tier][row.name], kind).__doc__
    if kind in ("backward", "second_derivative"):
        assert "Error at most 4 ULP in every type." in doc and "orrectly rounded" not in doc and "1 ULP" not in doc
    elif tier == "default":
        assert "Error at most 2 ULP in float32, 4 in float64; float16 and bfloat16 are correctly rounded" in doc
    else:
        assert "Correctly rounded in float16, bfloat16 and float32" in doc
        assert ("In float64 within 1 ULP." in doc) == row.exact_f64_is_paired
    rounded = "orrectly rounded" in doc
    assert ("at others within 0.5000001 ULP" in doc) == (rounded and bool(row.parameters))
    assert "longdouble" in doc and "...." not in doc


@pytest.mark.parametrize("name", ["srelu", "soft_exponential", "squareplus", "isru"])
def test_no_value_is_nan_in_every_pass(name: str, dtype: Any) -> None:
    """Parameters and places for which the contract names no value."""
    p = {"srelu": (1, 0.2, 0, 0.2), "soft_exponential": (-1,), "squareplus": (-4,), "isru": (-1,)}[name]
    x = np.full(3, -1.5 if name in ("soft_exponential", "isru") else 0.5, dtype)
    f = actc.elementwise[name]
    for y in (f(x, *p), f.derivative(x, *p), f.backward(x, x, *p), *f.value_and_derivative(x, *p)):
        assert is_nan(y).all()


LONG = np.longdouble(0.5)


def longdouble_calls() -> dict[str, Any]:
    """Every function with parameters and each of its passes, its first parameter a longdouble."""
    calls: dict[str, Any] = {}
    x = np.ones(4)
    for tier, functions in TIERS.items():
        for name, f in functions.items():
            for parameter in f.parameters:
                for kind in (*PASSES, "parameter_backward"):
                    g = pass_of(f, kind)
                    inputs = [x] * (2 if kind.endswith("backward") else 1)
                    calls[f"{tier} {name}.{kind} {parameter}"] = lambda v, g=g, i=inputs, p=parameter: g(*i, **{p: v})
    for name, f in {**actc.row_functions, **actc.gates}.items():
        for parameter in f.parameters:
            inputs = [x] * (2 if name in actc.gates else 1)
            calls[f"{name} {parameter}"] = lambda v, f=f, i=inputs, p=parameter: f(*i, **{p: v})
            calls[f"{name}.backward {parameter}"] = lambda v, f=f, i=inputs, p=parameter: f.backward(*i, x, **{p: v})
    for kind in ("", "derivative", "second_derivative", "value_and_derivative"):
        g = pass_of(actc.apl, kind)
        calls[f"apl.{kind} a"] = lambda v, g=g: g(x, a=np.atleast_1d(v), b=np.ones(np.size(v)))
        calls[f"apl.{kind} b"] = lambda v, g=g: g(x, np.ones(np.size(v)), b=np.atleast_1d(v))
        calls[f"apl.{kind} both"] = lambda v, g=g: g(x, np.atleast_1d(v), np.atleast_1d(v))
    calls["apl.backward"] = lambda v: actc.apl.backward(x, x, np.atleast_1d(v), np.ones(np.size(v)))
    calls["apl.parameter_backward"] = lambda v: actc.apl.parameter_backward(x, x, np.atleast_1d(v), np.ones(np.size(v)))
    calls["srelu of two"] = lambda v: actc.srelu(x, v, v)
    calls["swiglu.packed"] = lambda v: actc.swiglu.packed(x, v)
    calls["a preset"] = lambda v: actc.preset("keras").elu(x, v)
    calls["rrelu"] = lambda v: actc.rrelu(x, v, 1.0)
    return calls


def test_longdouble_parameters_are_refused() -> None:
    """As scalars, arrays and lists; a NumPy scalar of another type is not."""
    calls = longdouble_calls()
    assert len(calls) > 400
    for name, call in calls.items():
        for value in (LONG, np.array(LONG), np.full(4, LONG), np.full(1, LONG)):
            try:
                call(value)
            except TypeError as error:
                assert "longdouble" in str(error) or "LongDouble" in str(error) or "float128" in str(error), name
            else:
                pytest.fail(f"{name} took a longdouble of shape {value.shape}")
    np.testing.assert_array_equal(actc.elu(np.ones(2), np.float32(0.5)), actc.elu(np.ones(2), 0.5))


def test_longdouble_parameters_are_refused_without_the_fast_path() -> None:
    run_python("import test_special_parameters as t; t.test_longdouble_parameters_are_refused()", ACTC_PLAIN_UFUNC="1")


def test_zeros_of_both_signs_in_both_tiers() -> None:
    """A slope, threshold or bias of -0: 0 + -0 is +0, whatever the unit that adds."""
    x = np.float32([0.0, -0.0, 1e-22, -1e-22, 1e18, -1e18, 2.0, -2.0])
    for a, b in itertools.product((0.0, -0.0), repeat=2):
        for f, parameters in (("srelu", (a, b, a, b)), ("star_relu", (a, b))):
            same_bits(actc.functions[f](x, *parameters), getattr(actc.exact, f)(x, *parameters))


def test_xielu_keeps_its_slope_where_the_line_is_gone(tier: str) -> None:
    """With beta = alpha_n it is alpha_n e^x below 0; as alpha_n (e^x - 1) + beta it was a quarter of that at -78."""
    f = TIERS[tier]["xielu"]
    x = np.array([-1.0, -39.5, -78.0, -300.0, -700.0])
    for alpha in (0.8, 0.5, 3.0):
        exact = np.array([float(mpf(alpha) * mp.exp(mpf(v))) for v in x])
        assert np.all(np.abs(f.derivative(x, 0.8, alpha, alpha) - exact) <= 4 * np.spacing(exact))
    assert f.derivative(-np.inf, 0.8, 0.5, 0.5) == 0


@pytest.mark.parametrize("narrow", ["f4", "f2"])
def test_infinities_in_every_type(parametrised: Any, tier: str, narrow: str) -> None:
    """Floats have kernels of their own, which must not meet inf - inf where those in doubles do not."""
    row, f = parametrised, TIERS[tier][parametrised.name]
    given = tuple(row.parameters.values())
    values = (-2, -0.5, 0, 1e-3, 0.5, 2, 1e3, 1032792859304935.2)
    changed = [tuple((row.parameters | {n: v}).values()) for n in row.parameters for v in values]
    x = np.resize([np.inf, -np.inf], 40)
    for p in (given, *oracle.settings(row), *oracle.settings(row, (-2.0, -0.25, 1.7)), *changed):
        for kind in ("", "derivative"):
            wide, y = (pass_of(f, kind)(v, *p) for v in (x, x.astype(narrow)))
            with np.errstate(over="ignore"):
                limit = wide.astype(narrow)
            bound = 2 * 2.0**-23 if narrow == "f4" and tier == "default" else 0
            np.testing.assert_allclose(y, limit, bound, 0, err_msg=f"{row.name} {kind} at {p}")


def test_subnormal_ties_at_large_parameters() -> None:
    """x/2 is a tie of subnormals but for the square, which a large beta makes large."""
    for beta in (1.0, -1.0, 698339.5477755598, -1e30):
        for x in np.float32([-2.3509616565842135e-38, 3e-45, 4.2e-45, -1.1e-38, 2.1e-40, -7e-42]):
            y = actc.exact.swish(x, beta)
            with mp.workprec(600):
                true = mpf(float(x)) / (1 + mp.exp(-mpf(beta) * mpf(float(x))))
                near = [np.nextafter(y, np.float32(end)) for end in (-1, 1)]
                assert all(abs(mpf(float(y)) - true) < abs(mpf(float(v)) - true) for v in near), (x, beta)


ONLY_ZERO_IS_A_ZERO = ["leaky_relu", "prelu", "elu", "softplus", "swish", "celu", "softshrink", "softcap", "smelu"]


@pytest.mark.parametrize("name", [*ONLY_ZERO_IS_A_ZERO, "laplace"])
def test_random_parameters_in_both_tiers(name: str) -> None:
    """float32 kernels hold the bound of 2 ULP for any parameters."""
    r = np.random.default_rng(42)
    scales = 10 ** r.uniform(-4, 3, 4000)
    ends = [0.0, -0.0, np.inf, -np.inf, 1e38, -1e38, 1e-42]
    x = np.float32(np.concatenate([r.standard_normal(4000) * scales, ends]))
    for _ in range(40):
        p = [float(v) for v in r.choice([-1, 1], 2) * 10 ** r.uniform(-6, 12, 2)]
        p = [abs(v) for v in p] if name in ("laplace", "smelu", "softplus") else p
        given = p[: len(actc.functions[name].info["parameters"])]
        y, exact = actc.functions[name](x, *given), getattr(actc.exact, name)(x, *given)
        finite = np.isfinite(exact)
        same_bits(np.isfinite(y), finite)
        ulp = np.spacing(np.maximum(abs(exact[finite]), np.finfo("f4").tiny)).astype(float)
        error = abs(y[finite].astype(float) - exact[finite].astype(float)) / ulp
        assert error.max() <= 2.5, (given, x[finite][error.argmax()])


def test_small_gradients_of_small_slopes() -> None:
    """star_relu' of 1e-12 was scaled up, and the gradient down to nothing, before they met."""
    g, x = np.float32([1.2086093247316412e-26, 1e-30, 1e-38]), np.float32([8.689612614534714e-13, 8.7e-13, 3e-13])
    y = actc.star_relu.backward(g, x, 0.9, -0.4)
    np.testing.assert_allclose(y, g.astype(float) * 1.8 * x.astype(float), rtol=3e-7, atol=1e-45)


def test_celu_of_a_tiny_negative_alpha_overflows() -> None:
    np.testing.assert_array_equal(actc.celu(np.float32([-np.inf, -1]), -9.336938626690274e-25), [-np.inf, -np.inf])


def test_slope_of_swish_just_outside_the_quarter_around_its_zero() -> None:
    """With a small beta the bracket of f' nearly cancels there."""
    r = np.random.default_rng(1)
    for beta in (0.0105, 0.014021456857598718, -0.013, 0.031, 0.2):
        zero = -1.2784645427610738 / beta
        x = np.float32(zero + r.choice([-1, 1], 20000) * r.uniform(0.26, 3, 20000))
        exact = actc.swish.derivative(x.astype(float), beta)
        error = abs(actc.swish.derivative(x, beta) - exact) / np.spacing(abs(exact).astype("f4"))
        assert error.max() <= 2, (beta, x[error.argmax()])


def test_the_last_bits_of_parameters_tell_the_side_of_a_kink() -> None:
    """0.2 x + 0.5 of doubles is below 0 at -2.5; two floats of each would not tell."""
    rng, f = np.random.default_rng(25), actc.hard_sigmoid_onnx
    assert f.derivative(np.float32(-2.5)) == 0
    for k in range(2000):
        alpha, beta = rng.normal(size=2) * 10.0 ** rng.integers(-6, 7, 2)
        if k % 3 == 0:
            alpha, beta = round(alpha, 2) or 0.2, round(beta, 1)
        middle = np.float32((k % 2 - beta) / alpha)
        x = middle + np.arange(-4, 5, dtype=np.float32) * np.spacing(middle)
        y, d = f(x, alpha=alpha, beta=beta), f.derivative(x, alpha=alpha, beta=beta)
        for v, found, slope in zip(x, y, d, strict=True):
            line = Fraction(float(v)) * Fraction(alpha) + Fraction(beta)
            assert slope == (np.float32(alpha) if 0 < line < 1 else 0), (alpha, beta, v)
            wanted = np.float32(float(min(max(line, 0), 1)))
            assert abs(found - wanted) <= 2 * np.spacing(wanted), (alpha, beta, v)
    assert np.all(f(np.float32([np.inf, -np.inf, 0]), alpha=0.0, beta=1.0) == 1)


def within_two_units(name: str, x: Any, parameter: float) -> None:
    """f and f' of float32 against arbitrary precision."""
    row, f = next(r for r in ROWS if r.name == name), actc.functions[name]
    for order, pass_ in enumerate([f, f.derivative]):
        formula = oracle.formula_of(row, order)
        for v, y in zip(x, pass_(x, parameter), strict=True):
            wanted = formula.exact(float(v), parameter)
            assert oracle.FORMATS["float32"].error(float(y), wanted) <= 2, (parameter, v, y, wanted)


@pytest.mark.parametrize("alpha", [0.2, -1 / 3, 7.1, 1e-5, 12345.6789])
def test_the_last_bits_of_alpha_tell_the_sine_of_large_products(alpha: float) -> None:
    """snake and f', also next to zeros of f', wherever alpha x is: as many digits as anywhere else."""
    rng = np.random.default_rng(26)
    zeros = (rng.integers(-(10**6), 10**6, 100) - 0.25) * np.pi / alpha
    x = np.concatenate([zeros, rng.normal(size=100) * 2.0 ** rng.integers(-20, 120, 100)]).astype(np.float32)
    within_two_units("snake", x, alpha)


@pytest.mark.parametrize(("name", "largest"), [("isru", 16), ("isrlu", 16), ("squareplus", 16), ("softcap", 2)])
def test_any_parameter_is_as_good_as_the_default(name: str, largest: int) -> None:
    """Their float kernels leave roundings where they weigh half, which the bits of an odd parameter must not upset."""
    r = np.random.default_rng(27)
    for parameter in (4.613349080949237, 0.063522841604131, 16.220982425002372, 42.80899288635861, 3.7e-5, 90210.77):
        x = (r.uniform(0.5, 2, 400) * r.choice([-1, 1], 400) * 2.0 ** r.integers(-12, largest, 400)).astype("f4")
        within_two_units(name, np.append(x, np.float32(x / np.sqrt(parameter))), parameter)


def test_roots_that_cancel() -> None:
    """1 + alpha x^2 next to its zero, where an ULP of alpha x is all that is left."""
    for alpha in (-np.pi, -0.1, -7.3e-5):
        edge = np.float32(1 / np.sqrt(-alpha))
        for x in edge - 2 ** np.arange(1, 14, dtype=np.float32) * np.spacing(edge):
            root = mp.sqrt(1 + mpf(alpha) * mpf(float(x)) ** 2)
            for found, exact in (
                (actc.isru(x, alpha), mpf(float(x)) / root),
                (actc.isru.derivative(x, alpha), root**-3),
            ):
                assert oracle.FORMATS["float32"].error(float(found), exact) <= 2, (alpha, x)
    same_bits(actc.squareplus(np.float32([1, -1]), -1.0), np.float32([0.5, -0.5]))


@pytest.mark.parametrize("b", [6.005e-6, 0.3, 2.0**-60])
def test_large_gradients_bring_back_the_slope_of_a_small_b(b: float) -> None:
    """f' of squareplus, about b/(4 x^2), is subnormal long before the square overflows."""
    g = np.float32(1e37)
    for x in np.float32([-2.0e5, -7.1e10, -6.473301694087168e16, -4.61e18, -4.7e18, -1e22]):
        root = mp.sqrt(mpf(float(x)) ** 2 + mpf(b))
        exact = mpf(float(g)) * mpf(b) / (2 * root * (root - mpf(float(x))))
        assert oracle.FORMATS["float32"].error(float(actc.squareplus.backward(g, x, b)), exact) <= 4, x


@pytest.mark.parametrize("beta", [0.1, 1 / 3, 7.7, 1e-6])
def test_smelu_where_its_parabola_begins(beta: float) -> None:
    """x + beta next to 0: what beta is beyond a float is a good part of it."""
    edge = np.float32(-beta)
    for x in edge + np.arange(-2, 40, dtype=np.float32) * np.spacing(abs(edge)):
        t = max(mpf(float(x)) + mpf(beta), mpf(0))
        for found, wanted in ((actc.smelu(x, beta), t * t / 4 / beta), (actc.smelu.derivative(x, beta), t / 2 / beta)):
            assert oracle.FORMATS["float32"].error(float(found), wanted) <= 2, (x, found)
