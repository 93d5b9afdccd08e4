"""Gates against their formulas in mpmath, for every dtype, tier, instruction set and layout."""

from __future__ import annotations

import inspect
import itertools
import math
import pickle
import warnings
from typing import Any

import numpy as np
import oracle
import pytest
from conftest import DTYPES, bits, is_nan, run_python, same_bits
from mpmath import mp, mpf

import actc
from actc import _core

GATES = _core.gates()
TIERS = {"default": actc.gates, "exact": actc.exact.gates}
LAYOUTS = ("value_gate", "gate_value", "value_gate_interleaved", "gate_value_interleaved")
BOUNDS = {"float16": 0.5, "bfloat16": 0.5, "float32": 2.0, "float64": 4.0}

pytestmark = pytest.mark.filterwarnings("error")
each_gate = pytest.mark.parametrize("gate", GATES, ids=[g.name for g in GATES])
each_layout = pytest.mark.parametrize("layout", LAYOUTS)


def settings(gate: Any) -> list[tuple[float, ...]]:
    other = {0: [], 1: [(0.3,), (-2.5,), (0.0,)], 2: [(1.0, 0.75), (-0.5, 3.1)]}[len(gate.parameters)]
    return [tuple(gate.parameters.values()), *other]


# Too near to 0 or 2 for any precision, a value that is still not quite that will do beside 1: f(b) is less than b.
TINY = mpf(2) ** -2200
NEARLY = {
    "exp": lambda t: mp.exp(t) if t > -1500 else TINY,
    "erfc": lambda t: mp.erfc(t) if t > -50 else 2 - TINY,
}


def exactly(gate: Any, text: str, a: Any, b: Any, *parameters: float) -> Any:
    """The formula at a, b: evaluated with so many digits that the smallest b still shows beside 1."""
    names = dict(zip(("a", "b", *gate.parameters), (a, b, *parameters), strict=True))
    code = oracle.Formula(text).code
    with oracle.MP, mp.workprec(2600):
        scope = {"mpf": mpf, "abs": abs, "min": min, "max": max}
        scope |= NEARLY if text == gate.formula else {}
        scope |= {n: mp.convert(v) for n, v in names.items()}
        return mpf(eval(code, {}, oracle._Names(scope)))


def samples(dtype: Any, n: int, seed: int) -> np.ndarray:
    """Ordinary numbers, numbers of every exponent, and neighbours of what is special."""
    rng, f = np.random.default_rng(seed), oracle.FORMATS[dtype.name]
    wide = np.ldexp(rng.uniform(1, 2, n), rng.integers(f.least - f.digits, f.most, n)) * rng.choice([-1, 1], n)
    special = [0.0, -0.0, 1.0, -1.0, 0.5, 3.0, -7.0, 7.0, -88.0, -104.0, -700.0, -740.0, -800.0, 2.0**-149, 5e-324]
    special += [2.0 ** (f.least - f.digits + 1), 2.0**f.least, 2.0 ** (f.most - 1)]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ml_dtypes warns of overflow
        x = np.concatenate([rng.standard_normal(n) * 4, rng.uniform(-120, 20, n), wide, special]).astype(dtype)
        return rng.permutation(x[np.isfinite(x.astype(np.float64))])


def pairs(dtype: Any, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    a, b = samples(dtype, n, seed), samples(dtype, n, seed + 1)
    m = min(len(a), len(b))
    return a[:m], b[:m]


def worst(gate: Any, text: str, y: np.ndarray, factors: list[np.ndarray], *parameters: float, slope: bool) -> float:
    """The largest error in ULP. Near a zero of f' the error of a gradient is not relative: inputs at which g a exceeds
    the gradient by more than 2^20 are left out."""
    f, largest = oracle.FORMATS[y.dtype.name], 0.0
    *g, a, b = [v.astype(np.float64) for v in factors]
    for i in range(len(y)):
        with mp.workprec(2600):
            exact = exactly(gate, text, a[i], b[i], *parameters) * (mpf(g[0][i]) if g else 1)
            if slope and a[i] and abs(exact) < abs(mpf(a[i]) * mpf(g[0][i])) * mpf(2) ** -20 and -40 < b[i] < 0:
                continue
        error = f.error(float(y[i]), exact)
        if error > largest:
            largest = error
            where = f"{gate.name}{parameters} {y.dtype} a={a[i]!r} b={b[i]!r} g={g and g[0][i]!r} gave {y[i]!r}"
    return 0.0 if largest == 0 else _Located(largest, where)


class _Located(float):
    """An error and the inputs that it is at."""

    def __new__(cls, error: float, where: str) -> Any:
        self = super().__new__(cls, error)
        self.where = where
        return self

    def __repr__(self) -> str:
        return f"{float(self)} ULP at {self.where}"


def test_table() -> None:
    assert list(actc.gates) == [g.name for g in GATES] == list(actc.exact.gates)
    assert len(set(actc.gates)) == len(GATES) >= 7
    for gate in GATES:
        f = actc.gates[gate.name]
        assert gate.activation in actc.elementwise
        assert f.formula == gate.formula
        assert f.info["elsewhere"]
        assert dict(f.parameters) == gate.parameters


@each_gate
def test_gradients_of_the_table_are_those_of_the_formula(gate: Any) -> None:
    rng = np.random.default_rng(1)
    step = mpf(2) ** -100
    for parameters in settings(gate):
        for a, b in rng.standard_normal((10, 2)) * 3:
            for text, da, db in ((gate.value_gradient, step, 0), (gate.gate_gradient, 0, step)):
                with mp.workprec(600):
                    points = [(mpf(a) + s * da, mpf(b) + s * db) for s in (-1, 1)]
                    before, after = (exactly(gate, gate.formula, *point, *parameters) for point in points)
                    slope, wanted = (after - before) / (2 * step), exactly(gate, text, a, b, *parameters)
                    assert abs(slope - wanted) < 1e-40 * (1 + abs(wanted)), (a, b, parameters, text)


@each_gate
def test_value(gate: Any, tier: str, dtype: Any) -> None:
    f = TIERS[tier][gate.name]
    bound = 0.5 if tier == "exact" and dtype.name == "float32" else BOUNDS[dtype.name]
    for parameters in settings(gate):
        a, b = pairs(dtype, 150, 2)
        y = f(a, b, *parameters)
        assert y.dtype == dtype
        error = worst(gate, gate.formula, y, [a, b], *parameters, slope=False)
        assert error <= bound, error


@each_gate
def test_smallest_gates(gate: Any, tier: str, dtype: Any) -> None:
    """b of the last bits, which a large a brings back, and 0, among ordinary ones in the same vector."""
    form, parameters = oracle.FORMATS[dtype.name], gate.parameters.values()
    last = 2.0 ** (form.least - form.digits + 1)
    b = np.array([0, *(s * k * last for k in (1, 2, 3, 5) for s in (1, -1)), 0.5], dtype)
    bound = {"float32": 4.0, "float64": 6.0}.get(dtype.name, 1.0)
    for a in (8, 3e4, -3e4, 2.0 ** (form.most - 3)):
        large, one = np.full_like(b, a), np.ones_like(b)
        y, (ga, _) = TIERS[tier][gate.name](large, b), TIERS[tier][gate.name].backward(large, one, b)
        for found, text, factors in ((y, gate.formula, [large, b]), (ga, gate.value_gradient, [large, one, b])):
            error = worst(gate, text, found, factors, *parameters, slope=False)
            assert error <= bound, error


@each_gate
def test_both_gradients(gate: Any, dtype: Any) -> None:
    for parameters in settings(gate):
        a, b = pairs(dtype, 100, 3)
        g = samples(dtype, 100, 5)[: len(a)]
        ga, gb = actc.gates[gate.name].backward(g, a, b, *parameters)
        bound = {"float32": 4.0, "float64": 6.0}.get(dtype.name, 1.0)
        for y, text, slope in ((ga, gate.value_gradient, False), (gb, gate.gate_gradient, True)):
            error = worst(gate, text, y, [g, a, b], *parameters, slope=slope)
            assert error <= bound, (text, error)


@each_gate
def test_ties(gate: Any) -> None:
    """Products that lie in the middle between two numbers but for what a tiny b adds."""
    f = actc.exact.gates[gate.name]
    for dtype in DTYPES.values():
        if dtype.name == "float64":
            continue
        digits, least = oracle.FORMATS[dtype.name].digits, oracle.FORMATS[dtype.name].least
        odd = 2.0 ** (digits - 1) + np.arange(1, 40, 2)
        exponents = [-least // 2 - e for e in (0, 3, 20, 60, 100) if e < -least - digits]
        a = np.array([m * 2.0**-digits for m in odd for _ in exponents])
        b = np.array([3.0 * 2.0 ** max(-e, least) for _ in odd for e in exponents])
        small = np.array([m * 2.0 ** (least - digits + 1) for m in (1, 3, 5, 7) for _ in range(6)])
        beside = np.array([s * 2.0**e for _ in range(4) for s, e in itertools.product((1, -1), (-3, -9, least))])
        a, b = (np.concatenate(v).astype(dtype) for v in ((a, small, small), (b, beside, np.ones_like(small))))
        error = worst(gate, gate.formula, f(a, b), [a, b], *gate.parameters.values(), slope=False)
        assert error <= 0.5, error

        if gate.name in ("glu", "reglu", "bilinear", "swiglu_oai"):
            continue
        # f(b) < b for all b, so a b in the middle is rounded towards 0 even where no arithmetic shows the difference
        b = np.array([3.0 * 2**k for _ in odd for k in (5, 7, 9, 12, *exponents) if k < 100]).astype(dtype)
        a = np.repeat(odd * 2.0**-digits, len(b) // len(odd)).astype(dtype)
        y, product = f(a, b).astype(np.float64), a.astype(np.float64) * b.astype(np.float64)
        assert (y != product).all(), "these are ties"
        assert (y < product).all(), (a[y > product][0], b[y > product][0])
        assert (f(-a, b).astype(np.float64) == -y).all()


@each_gate
def test_same_bits_everywhere(gate: Any, tier: str, dtype: Any) -> None:
    """On every instruction set; and whatever the stride, the length, the place and the way in."""
    f, values = TIERS[tier][gate.name], [*gate.parameters.values()]
    a, b = pairs(dtype, 700, 7)
    g = samples(dtype, 700, 9)[: len(a)]
    calls = {f: (a, b), f.backward: (g, a, b)}
    for ufunc, arrays in calls.items():
        wanted = [np.array(r) for r in np.atleast_2d(ufunc(*arrays))]
        before = actc.isa()
        try:
            for isa in actc.isas():
                actc.use_isa(isa)
                for result, w in zip(np.atleast_2d(ufunc(*arrays)), wanted, strict=True):
                    same_bits(result, w)
        finally:
            actc.use_isa(before)
        many = [np.full(len(a), v) for v in values]
        strided = [np.repeat(v, 3)[::3] for v in arrays]
        back = [v[::-1].copy()[::-1] for v in arrays]
        for again in (ufunc(*arrays, *many), ufunc(*strided), ufunc(*back, *values)):
            for result, w in zip(np.atleast_2d(again), wanted, strict=True):
                same_bits(result, w)
        for n in (1, 2, 3, 5, 17):
            for at in (0, 1, 511):
                for result, w in zip(np.atleast_2d(ufunc(*(v[at : at + n] for v in arrays))), wanted, strict=True):
                    same_bits(result, w[at : at + n])


@pytest.mark.parametrize("gate", [g for g in GATES if g.parameters], ids=lambda g: g.name)
def test_parameter_arrays(gate: Any, tier: str, dtype: Any) -> None:
    """Each element as with its own parameters alone, those included that floats cannot hold."""
    f, rng = TIERS[tier][gate.name], np.random.default_rng(31)
    a, b = pairs(dtype, 60, 32)
    g = samples(dtype, 60, 33)[: len(a)]
    values = [0.0, -0.0, 1.0, 0.3, -2.5, 1e-30, 1e-300, 1e30, 1e300, np.inf, -np.inf, np.nan, 7.1, 2.0**-90]
    parameters = [rng.choice(values, len(a)) for _ in gate.parameters]
    y, (ga, gb) = f(a, b, *parameters), f.backward(g, a, b, *parameters)
    for i in range(len(a)):
        own = [p[i] for p in parameters]
        same_bits(y[i], f(a[i], b[i], *own))
        for whole, alone in zip((ga, gb), f.backward(g[i], a[i], b[i], *own), strict=True):
            same_bits(whole[i], alone)


@each_gate
def test_in_place(gate: Any, dtype: Any) -> None:
    f = actc.gates[gate.name]
    a, b = pairs(dtype, 600, 11)
    g = samples(dtype, 600, 13)[: len(a)]
    y = f(a, b)
    for target in (0, 1):
        copies = [a.copy(), b.copy()]
        result = f(*copies, out=copies[target])
        assert result is copies[target]
        same_bits(result, y)
    ga, gb = f.backward(g, a, b)
    for places in itertools.permutations(range(3), 2):
        copies = [g.copy(), a.copy(), b.copy()]
        results = f.backward(*copies, out=tuple(copies[p] for p in places))
        same_bits(results[0], ga)
        same_bits(results[1], gb)


@each_gate
def test_special_values(gate: Any, dtype: Any) -> None:
    f = actc.gates[gate.name]
    nan, inf = dtype.type(np.nan), dtype.type(np.inf)
    one = dtype.type(1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for a, b in ((nan, one), (one, nan), (nan, nan), (nan, -inf), (inf, nan)):
            assert is_nan(f(a, b))
            assert all(is_nan(v) for v in f.backward(one, np.array([a], dtype), np.array([b], dtype))[1:])
            assert all(is_nan(v) for v in f.backward(nan, one, one))
        for p in gate.parameters:
            assert is_nan(f(one, one, **{p: np.nan}))
        clamped = "limit" in gate.parameters
        # f(-inf) is a zero, and its product with an infinite value NaN, as IEEE arithmetic has it
        if gate.name != "bilinear":
            assert f(one, -inf) == 0
            assert clamped or is_nan(f(inf, -inf))
        assert f(one, inf) == (one if gate.name == "glu" else f(one, dtype.type(7)) if clamped else inf)
        assert f(one, dtype.type(0)) == (0.5 if gate.name == "glu" else 0)
        zero = f(dtype.type(-0.0), one)
        assert clamped or (zero == 0 and np.signbit(zero))


@each_gate
def test_infinities(gate: Any, tier: str, dtype: Any) -> None:
    """What IEEE arithmetic makes of a f(b), g f(b) and g a f'(b), f being the activation with its limits, where that is
    a zero, infinite or NaN. An f(b) that only underflow makes a zero is none; g a alone may overflow."""
    f, activation = TIERS[tier][gate.name], actc.elementwise[gate.activation]
    largest = 2.0 ** oracle.FORMATS[dtype.name].most
    ends = np.array([0.0, -0.0, 1.0, -1.0, -2.5, largest, -largest, np.inf, -np.inf, np.nan])
    a, b = (v.ravel().astype(dtype) for v in np.meshgrid(ends, ends))
    A, B = a.astype(np.float64), b.astype(np.float64)
    for parameters in settings(gate):
        own, limit, value, passes_a, passes_b = parameters, np.inf, A, 1.0, 1.0
        if "limit" in gate.parameters:
            *own, limit = parameters
            value = np.clip(A, -limit, limit) + 1
            passes_a, passes_b = (np.where(np.isnan(v), v, 1.0 * (v <= limit)) for v in (abs(A), B))
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for g in (1.0, -2.0, 0.0, np.inf):
                at, slope = activation(np.minimum(B, limit), *own), activation.derivative(B, *own)
                found = (f(a, b, *parameters), *f.backward(np.full_like(a, g), a, b, *parameters))
                products = ([at, value], [at, g * passes_a], [slope, g * passes_b, value])
                for y, factors in zip(found, products, strict=True):
                    wanted = math.prod(factors).astype(dtype).astype(np.float64)
                    result, underflows = y.astype(np.float64), np.isfinite(B) & (factors[0] == 0)
                    known = ~underflows & ((wanted == 0) | ~np.isfinite(wanted))
                    np.testing.assert_array_equal(result[known], wanted[known], err_msg=f"{parameters}, g = {g}")
                    zero = known & (wanted == 0)
                    np.testing.assert_array_equal(np.signbit(result[zero]), np.signbit(wanted[zero]))


def test_far_products() -> None:
    """float64: f(b) below the normal numbers times a value that brings it back, and g a beyond them."""
    a = np.array([1e300, 1e308, -1e305, 1e300, 1e200, 1.5e300, 1e-300])
    b = np.array([-740.0, -745.5, -1300.0, 5e-324, 3e-320, -1e-310, -0.5])
    g = np.array([1e-300, 1e-305, 1e290, 1e250, 1e-320, 1e300, 1e-300])
    for gate in GATES:
        for tier in TIERS.values():
            f = tier[gate.name]
            error = worst(gate, gate.formula, f(a, b), [a, b], *gate.parameters.values(), slope=False)
            assert error <= 4, error
            ga, gb = f.backward(g, a, b)
            error = worst(gate, gate.gate_gradient, gb, [g, a, b], *gate.parameters.values(), slope=True)
            assert error <= 6, error
            error = worst(gate, gate.value_gradient, ga, [g, a, b], *gate.parameters.values(), slope=False)
            assert error <= 4, error


def test_clamps_pass_gradients_at_their_bounds() -> None:
    """As torch.clamp: the gradient is not 0 at the bound itself."""
    one = np.ones(5)
    a, b = np.array([-8.0, -7.0, 0.0, 7.0, 7.5]), np.array([-9.0, 1.0, 7.0, 7.5, 3.0])
    ga, gb = actc.swiglu_oai.backward(one, a, b)
    assert [*(ga != 0)] == [False, True, True, True, False]
    assert [*(gb != 0)] == [True, True, True, False, True]


@each_gate
def test_ufunc(gate: Any) -> None:
    f = actc.gates[gate.name]
    assert isinstance(f, np.ufunc)
    for ufunc, count in ((f, 2), (f.backward, 3)):
        names = [*inspect.signature(ufunc).parameters]
        assert names[count : count + len(gate.parameters)] == [*gate.parameters]
        assert ufunc.nin == count + len(gate.parameters)
        assert gate.formula in ufunc.__doc__
        assert "Returns" in ufunc.__doc__
    a, b = np.float32([[1, 2], [3, 4]]), np.float32([-1, 0.5])
    y = f(a, b)
    assert y.shape == (2, 2)
    same_bits(y[1], f(a[1], b))
    assert f(a, b.astype(np.float64)).dtype == np.float64
    assert f(a, 0.5).dtype == np.float32
    assert isinstance(f(1.0, 2.0), np.float64)
    assert f(np.int8([1]), np.int8([2])).dtype == np.float32
    out = np.zeros_like(a)
    assert f(a, b, out=out, where=[True, False]) is out
    assert [*out[:, 1]] == [0, 0]
    assert out[0, 0] == y[0, 0]
    for p, v in gate.parameters.items():
        same_bits(f(a, b, **{p: v}), y)
        assert not np.array_equal(f(a, b, **{p: v / 8}), y)
        assert f(a, b, **{p: np.full(2, v)}).dtype == np.float32
    with pytest.raises(ValueError, match="broadcast"):
        f(np.ones(3), np.ones(4))
    with pytest.raises(ValueError, match="broadcast"):
        f(np.ones(3), np.ones(3), out=np.ones(4))
    with pytest.raises(TypeError):
        f(1j, 1)
    with pytest.raises(TypeError):
        f(np.longdouble(1), 1)
    with pytest.raises(TypeError):
        f("x", 1)


@each_gate
def test_pickles_by_name(gate: Any) -> None:
    for tier in TIERS.values():
        f = tier[gate.name]
        for part in (f, f.backward, f.packed, f.packed.backward):
            assert pickle.loads(pickle.dumps(part)) is part
    assert getattr(actc, gate.name) is actc.gates[gate.name]
    assert getattr(actc, gate.unique_name + "_backward") is actc.gates[gate.name].backward


def test_plain_ufunc_calls_have_the_same_bits() -> None:
    code = (
        "import actc, numpy as np; x = np.random.default_rng(1).standard_normal((3, 999)).astype(np.float32)\n"
        "for f in actc.gates.values(): print(f(*x[:2]).tobytes().hex(), *(v.tobytes().hex() for v in f.backward(*x)))"
    )
    assert run_python(code).stdout == run_python(code, ACTC_PLAIN_UFUNC="1").stdout


# ---- one array -------------------------------------------------------------------------------------------------------


def parts(x: np.ndarray, layout: str) -> tuple[np.ndarray, np.ndarray]:
    """Value and gate along the last axis, as the documentation of the layouts says."""
    n = x.shape[-1] // 2
    first, second = (x[..., ::2], x[..., 1::2]) if "interleaved" in layout else (x[..., :n], x[..., n:])
    return (first, second) if layout.startswith("value") else (second, first)


@each_layout
@each_gate
def test_packed(gate: Any, layout: str, dtype: Any) -> None:
    f = actc.gates[gate.name]
    x = samples(dtype, 200, 17)[:480].reshape(4, 6, 20)
    g = samples(dtype, 200, 19)[:240].reshape(4, 6, 10)
    a, b = parts(x, layout)
    y = f(a, b)
    ga, gb = f.backward(g, a, b)
    for axis in range(3):
        moved, G = np.moveaxis(x, -1, axis), np.moveaxis(g, -1, axis)
        for X in (moved, np.ascontiguousarray(moved)):
            same_bits(np.moveaxis(f.packed(X, layout=layout, axis=axis), axis, -1), y)
            gx = f.packed.backward(G, X, layout=layout, axis=axis - 3)
            for part, wanted in zip(parts(np.moveaxis(gx, axis, -1), layout), (ga, gb), strict=True):
                same_bits(part, wanted)
            target = X.copy()
            assert f.packed.backward(G, target, layout=layout, axis=axis, out=target) is target
            same_bits(target, gx)
    out = np.empty_like(y)
    assert f.packed(x, layout=layout, out=out) is out
    same_bits(out, y)


def test_packed_takes_parameters() -> None:
    x = np.linspace(-3, 3, 12, dtype=np.float32)
    same_bits(actc.swiglu.packed(x, 2.0), actc.swiglu(x[:6], x[6:], beta=2))
    same_bits(actc.swiglu.packed(x, beta=2), actc.swiglu(x[:6], x[6:], 2))
    same_bits(actc.swiglu_oai.packed(x, limit=1), actc.swiglu_oai(x[:6], x[6:], limit=1))
    assert actc.glu.packed([1, 2]).dtype == np.float64
    assert actc.glu.packed.backward([1], [1, 2]).dtype == np.float64
    assert actc.glu.packed(np.empty((3, 0))).shape == (3, 0)


@pytest.mark.parametrize(
    ("error", "match", "call"),
    [
        (ValueError, "even length, not 5", lambda f: f.packed(np.ones((2, 5)))),
        (ValueError, "even length, not 3", lambda f: f.packed(np.ones((3, 4)), axis=0)),
        (ValueError, "even length", lambda f: f.packed.backward(np.ones(2), np.ones(5))),
        (
            ValueError,
            "unknown layout 'halves'; layouts are 'value_gate'",
            lambda f: f.packed(np.ones(4), layout="halves"),
        ),
        (ValueError, "axis 2 is out of range for an array of 2", lambda f: f.packed(np.ones((2, 4)), axis=2)),
        (ValueError, "0-dimensional", lambda f: f.packed(1.0)),
        (ValueError, "shape", lambda f: f.packed.backward(np.ones(3), np.ones(4))),
        (ValueError, "shape", lambda f: f.packed.backward(np.ones(2), np.ones(4), out=np.ones(6))),
        (ValueError, "shape", lambda f: f.packed(np.ones(4), out=np.ones(4))),
        (TypeError, "axis must be an integer, not float", lambda f: f.packed(np.ones(4), axis=0.5)),
        (TypeError, "no_such", lambda f: f.packed(np.ones(4), no_such=1)),
        (TypeError, "loop", lambda f: f.packed(np.ones(4) * 1j)),
        (TypeError, "loop", lambda f: f.packed.backward(np.ones(2), np.ones(4) * 1j)),
        (TypeError, "must be an array", lambda f: f.packed.backward(np.ones(2), np.ones(4), out=[1, 2, 3, 4])),
    ],
)
def test_bad_input(error: Any, match: str, call: Any) -> None:
    for f in (actc.glu, actc.exact.swiglu):
        with pytest.raises(error, match=match):
            call(f)


def test_nothing_is_written_on_error() -> None:
    out = np.zeros(6)
    with pytest.raises(ValueError, match="shape"):
        actc.glu.packed.backward(np.ones(2), np.ones(6), out=out)
    assert not out.any()


# ---- other libraries -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [0, -1])
def test_torch(axis: int) -> None:
    """F.glu and its gradient; SwiGLU, GeGLU and gpt-oss as transformers spell them in torch."""
    torch = pytest.importorskip("torch", reason="torch is not installed here")
    F = torch.nn.functional
    rng = np.random.default_rng(23)
    x, g = rng.standard_normal((6, 8)) * 3, rng.standard_normal((3, 8) if axis == 0 else (6, 4))

    def close(function: Any, gate: Any, layout: str, cut: Any) -> None:
        t = torch.tensor(x, requires_grad=True)
        y = function(*cut(t))
        y.backward(torch.tensor(g))
        np.testing.assert_allclose(gate.packed(x, layout=layout, axis=axis), y.detach().numpy(), rtol=1e-13, atol=1e-13)
        gx = gate.packed.backward(g, x, layout=layout, axis=axis)
        np.testing.assert_allclose(gx, t.grad.numpy(), rtol=1e-13, atol=1e-13)

    def halves(t: Any) -> Any:
        return torch.chunk(t, 2, axis)

    def in_turn(t: Any) -> Any:
        return (t[::2], t[1::2]) if axis == 0 else (t[..., ::2], t[..., 1::2])

    def oai(gate: Any, up: Any) -> Any:
        gate, up = gate.clamp(min=None, max=7.0), up.clamp(min=-7.0, max=7.0)
        return (up + 1) * (gate * torch.sigmoid(gate * 1.702))

    close(lambda t: F.glu(t, axis), actc.glu, "value_gate", lambda t: [t])
    close(lambda gate, up: F.silu(gate) * up, actc.swiglu, "gate_value", halves)
    close(lambda value, gate: value * F.gelu(gate), actc.geglu, "value_gate", halves)
    close(lambda gate, up: F.gelu(gate, approximate="tanh") * up, actc.geglu_tanh, "gate_value", halves)
    close(oai, actc.swiglu_oai, "gate_value_interleaved", in_turn)


def test_numpy() -> None:
    """The same against NumPy expressions, where no other library is installed."""
    a, b = np.random.default_rng(29).standard_normal((2, 1000))
    sigmoid = 1 / (1 + np.exp(-b))
    np.testing.assert_allclose(actc.glu(a, b), a * sigmoid, rtol=1e-14)
    np.testing.assert_allclose(actc.reglu(a, b), a * np.maximum(b, 0), rtol=0)
    np.testing.assert_allclose(actc.swiglu(a, b), a * b * sigmoid, rtol=1e-14)
    np.testing.assert_allclose(actc.bilinear(a, b), a * b, rtol=0)
    assert bits(actc.exact.bilinear(a, b)).tolist() == bits(a * b).tolist()
