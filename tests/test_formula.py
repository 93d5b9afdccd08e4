"""Every function, pass and dtype against the formula of its row, within the bounds that the documentation promises.

Inputs are a stratified sample of float32 and float64, and all float16 and bfloat16 there are. By default the sample is
a slice, the directed points around zeros, kinks, saturation and underflow with it; ACTC_TEST_SAMPLE=full takes over
eight million float32 for f, f' and f'' at the default parameters."""

from __future__ import annotations

import functools
import itertools
import math
import os
from typing import Any

import numpy as np
import oracle
import pytest
from conftest import ROWS, TIERS, is_finite, is_nan, pass_of, same_bits
from mpmath import mp, mpf
from oracle import FORMATS, Reference

import actc

F32 = FORMATS["float32"]
HALVES = [f for name, f in FORMATS.items() if name in ("float16", "bfloat16")]
EXTREME = (1e-300, -1e-300, 1e300, -1e300)
LARGE = (1e-20, -1e-20, 1e20, -1e20)  # for rows that square a parameter, or divide by it more than once
BACKWARD_BOUND = SECOND_BOUND = 4.0
NEARLY_HALF = 0.5000001
ORDERS = pytest.mark.parametrize("order", oracle.ORDERS, ids=["f", "df", "d2f"])
KINDS = ("", "derivative", "second_derivative")  # the passes of these orders

FULL = os.environ.get("ACTC_TEST_SAMPLE") == "full"
STEP = 1021 if FULL else 60_013  # between bit patterns of float32 at the default parameters
STEP_ELSEWHERE = 9973 if FULL else 1_000_003  # at other parameters, in backward and on other instruction sets
MOST = None if FULL else 300  # inputs of one measurement that mpmath decides; a random choice of them if there are more


# ---- inputs --------------------------------------------------------------------------------------------------


def around(centres: Any, reach: int) -> np.ndarray:
    """Each float32 near the given values and the `reach` floats on either side of it."""
    at = np.asarray(centres, np.float32).view(np.int32).astype(np.int64)
    at = np.where(at < 0, -(at & 0x7FFFFFFF), at)  # order of the numbers instead of the bits
    at = (at[:, None] + np.arange(-reach, reach + 1)).ravel()
    found = np.where(at < 0, -at | 0x80000000, at).astype(np.uint32).view(np.float32)
    return found[np.isfinite(found)]


def few_subnormals(x: np.ndarray, step: int) -> np.ndarray:
    """Only every step-th of them: f(x) = x/2 + x^2/4 is nearly a tie there, which takes mpmath to decide."""
    subnormal = np.abs(x) < 2.0**-126
    return np.concatenate([x[~subnormal], x[subnormal][::step]])


@functools.cache
def sample32(step: int) -> np.ndarray:
    """Every step-th bit pattern, and uniform values where functions bend."""
    rng = np.random.default_rng(step)
    patterns = np.arange(0, 1 << 32, step, dtype=np.uint64).astype(np.uint32).view(np.float32)
    patterns = few_subnormals(patterns, 8 if FULL else 32)
    scale = 1021 / step
    uniform = [rng.uniform(-a, a, int(n * scale)).astype(np.float32) for a, n in ((110, 1.6e6), (16, 1.6e6), (2, 8e5))]
    grid = around(np.arange(-310, 311) * (math.log(2) / 2), int(6 * scale) + 1)
    return np.concatenate([patterns[np.isfinite(patterns)], *uniform, grid, around([0, 1, -1], 100)])


def anchors(f: Any, zeros: list[float]) -> np.ndarray:
    """Floats around zeros of f' and around the ends of what f does: where the result saturates, becomes subnormal, 0
    or infinite. The function itself shows where; whether it is right there, the oracle says."""
    coarse = np.sort(sample32(65521))
    y = f(coarse)
    kind = np.select([y == 0, np.abs(y) < 2.0**-126, np.isinf(y), y == np.roll(y, -1)], [0, 1, 2, 3], 4)
    ends = np.flatnonzero(np.diff(kind))[:40]
    count = 2000 if FULL else 400
    between = np.concatenate(
        [np.linspace(coarse[i], coarse[i + 1], count).astype(np.float32) for i in ends] or [coarse[:0]]
    )
    reach = 5000 if FULL else min(2000, 20_000 // max(1, len(zeros)))
    return np.concatenate([around(zeros, reach), few_subnormals(between, 32)])


def directed(row: Any, parameters: tuple[float, ...]) -> list[float]:
    """Zeros of f' and kinks."""
    return [*oracle.zeros_of(row, *parameters), *(k for k in oracle.kinks_of(row, *parameters) if abs(k) < 1e30)]


@functools.cache
def ordinary64(share: int) -> np.ndarray:
    rng = np.random.default_rng(64)
    patterns = rng.integers(0, (1 << 64) - 1, 40_000 // share, np.uint64, endpoint=True).view(np.float64)
    uniform = [rng.uniform(-a, a, 20_000 // share) for a in (760, 40, 4)]
    grid = np.arange(-2000, 2001, share) * (math.log(2) / 2)
    tiny = rng.integers(0, 1 << 52, 3000 // share, dtype=np.uint64).view(np.float64)
    return np.concatenate([patterns[np.isfinite(patterns)], *uniform, grid, tiny, -tiny])


def sample64(zeros: list[float], share: int = 1 if FULL else 7) -> np.ndarray:
    """100,000 doubles or their share-th part, with all that lie directly at zeros."""
    steps = 2.0 ** -np.arange(1, 60)
    return np.concatenate([ordinary64(share), *(r + s * steps for r in (0.0, *zeros) for s in (-1, 1)), zeros])


def every(f: oracle.Format) -> np.ndarray:
    """All values of a half-precision format that are finite."""
    x = np.arange(1 << 16, dtype=np.uint16).view(f.dtype)
    return x[is_finite(x)]


# ---- the measuring rod itself --------------------------------------------------------------------------------


@mp.workprec(2000)
def check_ulp_counter(name: str) -> None:
    """Errors known by construction, in every range, counted in mpmath and by the format's own rounding."""
    f = FORMATS[name]
    one = mpf(2) ** (1 - f.digits)
    assert f.error(1.0, 1) == 0
    assert f.error(1.0, 1 + one) == 1
    assert f.error(1.0, 1 - one / 2) == 1  # one below 1: half the spacing above it
    assert f.error(float(1 + one), mpf(1)) == 1
    assert f.error(1.0, 1 + one / 2) == 0.5  # a tie, to even
    assert f.error(float(1 + one), 1 + one / 2) > 0.5  # the same tie, to odd
    assert f.error(1.0, 1 + one / 2 + mpf(2) ** -900) > 0.5
    least = mpf(2) ** (f.least + 1 - f.digits)
    assert f.error(0.0, least) == 1
    assert f.error(-float(least), least) == 2
    assert f.error(float(3 * least), 4 * least) == 1
    end = mpf(2) ** (f.most + 1)
    assert f.error(math.inf, end * 1000) == 0
    assert f.error(-math.inf, -end) == 0
    assert f.error(math.inf, end * (1 - one / 2)) == 1  # the largest finite number was right
    assert f.error(float(end * (1 - one / 2)), end * 1000) == 1
    assert f.error(math.inf, -end) == 2.0 ** (f.digits + 1)
    assert f.error(math.nan, 1) == math.inf
    assert f.ulp(np.array([1.0]))[0] == one
    assert f.ulp(np.array([0.0]))[0] == least
    for exact in (mp.pi, mp.pi * least, mp.pi * 2**f.least, mp.pi * 2 ** (f.most - 2)):
        assert f.error(float(np.array(float(exact)).astype(f.dtype)), exact) <= 0.5


@pytest.mark.parametrize("name", FORMATS)
def test_ulp_counter(name: str) -> None:
    check_ulp_counter(name)


def test_judge_counts_as_the_oracle(reference: Reference) -> None:
    """The C code's errors agree with Format.error, on good results, bad ones, infinities and NaN."""
    rng = np.random.default_rng(5)
    x = np.concatenate([rng.standard_normal(100 if FULL else 24) * 8, [1e-45, -1e-40, 3e38, -3e38, 90, -104, -150]])
    for which, formula in enumerate(reference.formulas):
        parameters = tuple(reference.rows[which // 3].parameters.values())
        for f in FORMATS.values():
            with np.errstate(all="ignore"):
                y = (np.array([float(formula.exact(v, *parameters)) for v in x])).astype(f.dtype).astype(np.float64)
            y[::7] = np.nextafter(y[::7], np.inf) * (1 + 2.0**-6)
            y[3::11], y[4::11], y[5::11] = np.inf, -np.inf, np.nan
            (errors,), _, _ = reference.errors(which, x, [y], f, *parameters, rounding=True)
            for v, result, error in zip(x, y, errors, strict=True):
                exact = formula.exact(v, *parameters)
                significand = abs(math.frexp(exact)[0])
                if 0.5 + 1e-9 < significand < 1 - 1e-9 or exact == 0:  # else which binade is a matter of digits
                    assert error == pytest.approx(f.error(result, exact), rel=1e-9, abs=1e-4)


@pytest.mark.parametrize("which", range(3 * len(ROWS)), ids=[f"{r.name}{d}" for r in ROWS for d in ("", "'", "''")])
def test_reference_keeps_its_own_bound(reference: Reference, which: int) -> None:
    """The compiled formulas lie as near to mpmath as they claim, tails, zeros of f' and extreme parameters included."""
    row, formula = reference.rows[which // 3], reference.formulas[which]
    rng = np.random.default_rng(which)
    zeros = oracle.zeros_of(row)[:8]
    count = 500 if FULL else 60
    x = np.concatenate([
        rng.choice(sample32(STEP), count), rng.standard_normal(count // 2) * 5, rng.choice(sample64(zeros), count // 2),
        *[r + rng.standard_normal(count // 10) * 2.0 ** -rng.integers(2, 50, count // 10) for r in zeros],
    ]).astype(np.float64)  # fmt: skip
    for parameters in [tuple(row.parameters.values()), *oracle.settings(row), *oracle.settings(row, EXTREME)[:2]]:
        if parameters != tuple(row.parameters.values()):
            x = x[::4] if len(x) > 4 * count // 3 else x
        x = x[oracle.inside(row, x, *parameters)]
        exact = [formula.exact(v, *parameters) for v in x]
        for quad in (False, True):
            parts, bound = reference.evaluate(quad, which, x, *parameters)
            with mp.workprec(4000):
                for v, p, b, e in zip(x, parts, bound, exact, strict=True):
                    if math.isfinite(b) and np.isfinite(p).all():
                        # beneath 1e-290 the three doubles themselves are cut off, and nothing rounds otherwise
                        assert abs(mpf(p[0]) + mpf(p[1]) + mpf(p[2]) - e) <= mpf(b) + mpf(10) ** -290, (quad, v)
        if parameters == tuple(row.parameters.values()):
            beyond = ~np.isfinite(parts).all(axis=1)  # doubles
            assert np.mean(np.isfinite(bound) | beyond) > 0.9, "the reference claims too little to be of use"


# ---- accuracy ------------------------------------------------------------------------------------------------


class Worst:
    """The largest error seen and where, and the number of errors above a limit."""

    def __init__(self, limit: float):
        self.limit, self.count, self.worst, self.where = limit, 0, -1.0, ""

    def see(self, error: np.ndarray, x: np.ndarray, y: np.ndarray, exact: np.ndarray) -> None:
        self.count += int(np.count_nonzero(~(error <= self.limit)))
        i = int(np.argmax(error))
        if error[i] > self.worst:
            self.worst = float(error[i])
            self.where = f"x = {float(x[i]).hex()} = {float(x[i])!r}: {float(y[i])!r} for {float(exact[i])!r}"

    def __str__(self) -> str:
        return f"{self.worst:.17g} ULP at {self.where}; {self.count} inputs above {self.limit}"


def measure(
    reference: Reference, row: Any, order: int, x: np.ndarray, parameters: tuple[float, ...], f: oracle.Format,
    default_bound: float, exact_bound: float, rounding: bool, most: int | None = MOST,
) -> None:  # fmt: skip
    """Both tiers of f, f' or f'' at x, within their bounds; value_and_derivative gives the same bits."""
    which = 3 * row.index + order
    seen = {"default": Worst(default_bound), "exact": Worst(exact_bound)}
    wrong_sign: list[tuple[str, float]] = []
    x = x[oracle.inside(row, x, *parameters)]
    size = 1 << 15

    def one(part: np.ndarray) -> Any:
        ys = []
        for functions in TIERS.values():
            ys.append(pass_of(functions[row.name], KINDS[order])(part, *parameters))
            if order < 2:
                both = functions[row.name].value_and_derivative(part, *parameters)
                same_bits(ys[-1], both[order])
        cap = most and -(-most * min(size, len(x)) // len(x))
        errors, value, kept = reference.errors(which, part, ys, f, *parameters, rounding=rounding, cap=cap)
        return part[kept], [y[kept] for y in ys], errors, value

    for part, ys, errors, value in oracle.in_parallel(one, oracle.chunks(x, size)):
        for (tier, worst), y, error in zip(seen.items(), ys, errors, strict=True):
            wrong = (y == 0) & (value != 0) & (np.signbit(y) != np.signbit(value))
            wrong_sign.extend((tier, float(v)) for v in part[wrong])
            if worst.limit > 0.6:
                error = reference.relative_to_neighbours(which, part, error, value, f, worst.limit, *parameters)
            worst.see(error, part, y, value)
    for tier, worst in seen.items():
        assert worst.count == 0, f"{tier} tier, parameters {parameters}: {worst}"
    assert not wrong_sign, f"results that round to zero lose their sign, at {wrong_sign[:5]}, parameters {parameters}"


def bounds(row: Any, order: int, f: oracle.Format, parameters: tuple[float, ...] | None = None) -> tuple[float, float]:
    """What the contract allows the two tiers, for the given or the default parameters."""
    at_defaults = parameters is None or parameters == tuple(row.parameters.values())
    if order == 2:
        return SECOND_BOUND, SECOND_BOUND
    if f.digits == 53:  # a kernel of its own keeps 1 ULP; others run the default one, and their documentation says so
        return 4.0, 1.0 if row.exact_f64_is_paired else 4.0
    if f.digits < 24:
        bound = 0.5 if at_defaults else NEARLY_HALF
        return bound, bound
    return 2.0, NEARLY_HALF if row.parameters else 0.5


def all_settings(row: Any) -> list[tuple[float, ...]]:
    return [tuple(row.parameters.values()), *oracle.settings(row)]


@ORDERS
def test_float32(reference: Reference, row: Any, order: int) -> None:
    parameters = tuple(row.parameters.values())
    f = pass_of(actc.elementwise[row.name], KINDS[order])
    x = np.concatenate([sample32(STEP), anchors(f, directed(row, parameters))])
    assert len(x) > (8_000_000 if FULL else 120_000)
    measure(reference, row, order, x, parameters, F32, *bounds(row, order, F32), order < 2)


@ORDERS
def test_float32_at_other_parameters(reference: Reference, parametrised: Any, order: int) -> None:
    row = parametrised
    for parameters in oracle.settings(row):
        f = functools.partial(pass_of(actc.elementwise[row.name], KINDS[order]), **dict(
            zip(row.parameters, parameters, strict=True)
        ))  # fmt: skip
        x = np.concatenate([sample32(STEP_ELSEWHERE), anchors(f, directed(row, parameters))])
        measure(reference, row, order, x, parameters, F32, *bounds(row, order, F32, parameters), order < 2)


@ORDERS
@pytest.mark.parametrize("name", ["float32", "float64"])
def test_extreme_parameters(reference: Reference, parametrised: Any, order: int, name: str) -> None:
    """Parameters far outside of float32, whose products with x overflow, underflow or come back."""
    row, f = parametrised, FORMATS[name]
    x = np.concatenate([sample32(4000037), around([0], 50)]) if name == "float32" else sample64([], 50)
    if not row.exact_f64_is_paired:  # no overflow of products with x, and of zeros without end the listed ones
        x = x[np.abs(x) < (200 if "k" in row.zeros else 1e100 if name == "float64" else 1e15)]
    if not FULL:
        x = np.random.default_rng(0).permutation(x)[:4000]
    values = (*EXTREME, 1e-45, 1e38, 1e-160) if row.exact_f64_is_paired else LARGE
    for parameters in oracle.settings(row, values[:2] if "k" in row.zeros else values):
        default, exact = bounds(row, order, f, parameters)
        if name == "float64" and not all(2.0**-500 < abs(p) < 2.0**500 for p in parameters):
            exact = default  # others run the default kernel
        rounding = name == "float32" and order < 2
        measure(reference, row, order, x, parameters, f, default, exact, rounding, MOST and 60)


ENDS = (0.0, 5e-324, 1e-290, 0.7, 2.0, 800.0, 3e300, 1.797e308)
BOTH_ENDS = (1e-250, 1e-155, 1e155, 1e250)


@ORDERS
def test_parameters_and_inputs_at_both_ends(parametrised: Any, order: int) -> None:
    """float64, one parameter at a time: nothing overflows, vanishes or cancels on the way that does not in the end.

    Where zeros of f' have no end, the largest value among these inputs is what an error is relative to."""
    row, formula, tested = parametrised, oracle.formula_of(parametrised, order), 0
    functions = [pass_of(tier[row.name], KINDS[order]) for tier in TIERS.values()]
    x = np.array([s * v for v in ENDS for s in (1, -1)])
    for name, value in itertools.product(row.parameters, BOTH_ENDS):
        for p in (tuple((row.parameters | {name: v}).values()) for v in (value, -value)):
            at = x[oracle.inside(row, x, *p)]
            exact = [formula.exact(v, *p) for v in at]
            largest = float(max(map(abs, exact), default=0)) if "k" in row.zeros else 0.0
            for f, (v, wanted) in itertools.product(functions, zip(at, exact, strict=True)):
                y = float(f(v, *p))
                near = abs(mpf(y) - wanted) <= 4 * math.ulp(largest) if largest else False
                error = FORMATS["float64"].error(y, wanted)
                assert error <= 4 or near, f"{name} = {value!r}: {formula.text} at {p}, {v!r} gave {y!r}, not {wanted}"
            tested += len(at)
    assert tested > 10


# parameters beyond 1e300, whose multiples overflow, and subnormal ones: (row, order, x, parameters)
BEYOND: list[tuple[str, int, float, tuple[float, ...]]] = [
    ("smelu", 0, 0.0, (5e307,)), ("smelu", 0, 1e308, (1.5e308,)),
    ("softplus", 0, 1.0, (1e-310,)), ("softplus", 0, -1.0, (-1e-310,)), ("isru", 2, 0.0, (1e308,)),
    ("swish", 2, 0.0, (1e308,)), ("swish", 2, 1.0, (5e307,)), ("laplace", 2, 2.0, (0.0, 1e-155)),
    ("snake", 1, 1.797e308, (20.0,)), ("snake", 1, 1.797e308, (1e300,)),
    ("xielu", 0, -2.0, (0.8, 0.8, 1e308)), ("snake", 0, 1.797e308, (1e-310,)),
    ("soft_exponential", 0, 1.7e308, (-0.7,)), ("soft_exponential", 0, 5e-324, (-1.0,)),
    ("soft_exponential", 1, 1.7e308, (-0.7,)), ("soft_exponential", 0, 1.7e308, (-1e280,)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "order", "x", "parameters"), BEYOND)
def test_parameters_beyond(name: str, order: int, x: float, parameters: tuple[float, ...], tier: str) -> None:
    row = next(r for r in ROWS if r.name == name)
    y = pass_of(TIERS[tier][name], KINDS[order])(x, *parameters)
    wanted = oracle.formula_of(row, order).exact(x, *parameters)
    assert FORMATS["float64"].error(float(y), wanted) <= 4, f"{y!r}, not {wanted}"


@ORDERS
def test_float64(reference: Reference, row: Any, order: int) -> None:
    for parameters in all_settings(row):
        x = sample64(directed(row, parameters), *(() if FULL or parameters == all_settings(row)[0] else (20,)))
        assert len(x) > (100_000 if FULL else 5000)
        measure(
            reference, row, order, x, parameters, FORMATS["float64"], *bounds(row, order, FORMATS["float64"]), False
        )


@ORDERS
@pytest.mark.parametrize("f", HALVES, ids=lambda f: f.dtype.name)
def test_halves(reference: Reference, row: Any, order: int, f: oracle.Format) -> None:
    """All of them, both tiers: correctly rounded."""
    for parameters in all_settings(row):
        x = every(f) if FULL or parameters == all_settings(row)[0] else every(f)[::5]
        measure(reference, row, order, x, parameters, f, *bounds(row, order, f, parameters), order < 2)


def gradients(x: np.ndarray, f: oracle.Format) -> np.ndarray:
    """Ordinary ones, the largest and the smallest: those that bring a vanishing derivative back, or make it vanish."""
    rng = np.random.default_rng(len(x))
    ordinary = rng.standard_normal(len(x))
    large = np.ldexp(1 + rng.random(len(x)), f.most) * rng.choice([-1, 1], len(x)) * 0.49
    small = np.ldexp(1 + rng.random(len(x)), f.least - rng.integers(-20, f.digits, len(x)))
    return np.choose(rng.integers(0, 4, len(x)), [ordinary, large, small, large]).astype(f.dtype)


@pytest.mark.parametrize("name", FORMATS)
def test_backward(reference: Reference, row: Any, tier: str, name: str) -> None:
    """g f'(x) with one rounding's worth of error even where f' alone is subnormal or g is huge."""
    f = FORMATS[name]
    for parameters in all_settings(row):
        zeros = directed(row, parameters)
        if f.digits == 24:
            x = np.concatenate([sample32(STEP_ELSEWHERE), around(zeros, 100 if FULL else 10)])
        else:
            x = sample64(zeros, 1 if FULL else 20) if f.digits == 53 else every(f)[:: 1 if FULL else 5]
        x = np.concatenate([x, np.random.default_rng(1).uniform(-110, 110, 20_000 if FULL else 4000).astype(f.dtype)])
        x = x[oracle.inside(row, x, *parameters)]
        g = gradients(x, f)
        y = TIERS[tier][row.name].backward(g, x, *parameters)
        worst = Worst(BACKWARD_BOUND)
        judged = functools.partial(backward_errors, reference, 3 * row.index + 1, f, parameters)
        parts = zip(*map(oracle.chunks, (x, g, y)), strict=True)
        for part, result, error, value in oracle.in_parallel(judged, parts):
            worst.see(error, part, result, value)
        assert worst.count == 0, f"parameters {parameters}: {worst}"


def test_backward_where_the_derivative_overflows(row: Any) -> None:
    """A float32 gradient small enough brings a product back whose f' is beyond float32, as doubles have it."""
    largest = np.finfo(np.float32).max
    x = np.array([s * v for v in (largest, largest / 2, 3e38, 89, 95, 140) for s in (1, -1)], np.float32)
    for g in np.array([4.7e-14, -1e-20, 1e-38, 1e-45, 0], np.float32):
        with np.errstate(invalid="ignore", over="ignore"):
            wanted = (np.float64(g) * actc.elementwise[row.name].derivative(x.astype(np.float64))).astype(np.float32)
        y = actc.elementwise[row.name].backward(np.full_like(x, g), x)
        np.testing.assert_allclose(y, wanted, rtol=4 * 2.0**-23, atol=4 * 2.0**-149, err_msg=f"g = {g}, x = {x}")


def backward_errors(
    reference: Reference, which: int, f: oracle.Format, parameters: tuple[float, ...], part: Any
) -> Any:
    x, g, y = part
    (error,), value, kept = reference.errors(which, x, [y], f, *parameters, g=g, cap=MOST and MOST // 2)
    x, g, y = x[kept], g[kept], y[kept]
    error = reference.relative_to_neighbours(which, x, error, value, f, BACKWARD_BOUND, *parameters, g=g)
    # where f' overflows, by the formula, its infinity is as good a factor as the true value
    slope = reference.evaluate(False, which, x.astype(np.float64), *parameters)[0][:, 0]
    with np.errstate(over="ignore", invalid="ignore"):
        product = g.astype(np.float64) * np.copysign(np.inf, slope)
        beyond = np.abs(slope) > math.ldexp(1 - 2.0**-f.digits, f.most) * 2
        same = (y.astype(np.float64) == product) | (np.isnan(product) & is_nan(y))
    return x, y, np.where(beyond & same, 0, error), value


@pytest.mark.parametrize("isa", actc.isas())
def test_every_instruction_set(reference: Reference, row: Any, isa: str) -> None:
    """Where the processor has several; that they agree in every bit is another test's."""
    before = actc.use_isa(isa)
    try:
        for order in oracle.ORDERS:
            parameters = tuple(row.parameters.values())
            zeros = directed(row, parameters)
            x = np.concatenate([sample32(65521 if FULL else 4000037), around(zeros, 50 if FULL else 3)])
            measure(reference, row, order, x, parameters, F32, *bounds(row, order, F32), order < 2)
            x = sample64(zeros[:6], 10 if FULL else 100)
            f = FORMATS["float64"]
            measure(reference, row, order, x, parameters, f, *bounds(row, order, f), False)
    finally:
        actc.use_isa(before)
