"""Every function, pass and dtype against the formula of its row, within the bounds that the documentation promises.

Inputs are a stratified sample of float32 (over eight million for f and f' at the default parameters) and float64, and
all float16 and bfloat16 there are."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import oracle
import pytest
from conftest import ROWS, TIERS, is_finite, pass_of, same_bits
from mpmath import mp, mpf
from oracle import FORMATS, Reference

import actc

F32 = FORMATS["float32"]
HALVES = [f for name, f in FORMATS.items() if name in ("float16", "bfloat16")]
EXTREME = (1e-300, -1e-300, 1e300, -1e300)
DEFAULT_BOUND = {"float32": 2.0, "float64": 4.0}
BACKWARD_BOUND = 4.0
NEARLY_HALF = 0.5000001


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
    patterns = few_subnormals(patterns, 8)
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
    between = np.concatenate(
        [np.linspace(coarse[i], coarse[i + 1], 2000).astype(np.float32) for i in ends] or [coarse[:0]]
    )
    return np.concatenate([around(zeros, 5000), few_subnormals(between, 32)])


def sample64(zeros: list[float]) -> np.ndarray:
    rng = np.random.default_rng(64)
    patterns = rng.integers(0, (1 << 64) - 1, 40_000, np.uint64, endpoint=True).view(np.float64)
    uniform = [rng.uniform(-a, a, n) for a, n in ((760, 20_000), (40, 20_000), (4, 20_000))]
    grid = np.arange(-2000, 2001) * (math.log(2) / 2)
    near = [r + s * 2.0 ** -np.arange(1, 60) for r in (0.0, *zeros) for s in (-1, 1)]
    tiny = rng.integers(0, 1 << 52, 3000, dtype=np.uint64).view(np.float64)
    return np.concatenate([patterns[np.isfinite(patterns)], *uniform, grid, *near, zeros, tiny, -tiny])


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
    x = np.concatenate([rng.standard_normal(100) * 8, [1e-45, -1e-40, 3e38, -3e38, 90, -104, -150]])
    for which, formula in enumerate(reference.formulas):
        parameters = tuple(reference.rows[which // 2].parameters.values())
        for f in FORMATS.values():
            with np.errstate(all="ignore"):
                y = (np.array([float(formula.exact(v, *parameters)) for v in x])).astype(f.dtype).astype(np.float64)
            y[::7] = np.nextafter(y[::7], np.inf) * (1 + 2.0**-6)
            y[3::11], y[4::11], y[5::11] = np.inf, -np.inf, np.nan
            (errors,), _ = reference.errors(which, x, [y], f, *parameters, rounding=True)
            for v, result, error in zip(x, y, errors, strict=True):
                exact = formula.exact(v, *parameters)
                significand = abs(math.frexp(exact)[0])
                if 0.5 + 1e-9 < significand < 1 - 1e-9 or exact == 0:  # else which binade is a matter of digits
                    assert error == pytest.approx(f.error(result, exact), rel=1e-9, abs=1e-4)


@pytest.mark.parametrize("which", range(2 * len(ROWS)), ids=[f"{r.name}{d}" for r in ROWS for d in ("", "'")])
def test_reference_keeps_its_own_bound(reference: Reference, which: int) -> None:
    """The compiled formulas lie as near to mpmath as they claim, tails, zeros of f' and extreme parameters included."""
    row, formula = reference.rows[which // 2], reference.formulas[which]
    rng = np.random.default_rng(which)
    zeros = zeros_of_all(row)
    x = np.concatenate([
        rng.choice(sample32(1021), 500), rng.standard_normal(200) * 5, rng.choice(sample64(zeros), 200),
        *[r + rng.standard_normal(50) * 2.0 ** -rng.integers(2, 50, 50) for r in zeros],
    ]).astype(np.float64)  # fmt: skip
    for parameters in [tuple(row.parameters.values()), *oracle.settings(row), *oracle.settings(row, EXTREME)[:2]]:
        if parameters != tuple(row.parameters.values()):
            x = x[:: 4 if len(x) > 900 else 1]
        exact = [formula.exact(v, *parameters) for v in x]
        for quad in (False, True):
            parts, bound = reference.evaluate(quad, which, x, *parameters)
            with mp.workprec(4000):
                for v, p, b, e in zip(x, parts, bound, exact, strict=True):
                    if math.isfinite(b) and np.isfinite(p).all():
                        # beneath 1e-290 the three doubles themselves are cut off, and nothing rounds otherwise
                        assert abs(mpf(p[0]) + mpf(p[1]) + mpf(p[2]) - e) <= mpf(b) + mpf(10) ** -290, (quad, v)
        if parameters == tuple(row.parameters.values()):
            assert np.mean(np.isfinite(bound)) > 0.9, "the reference claims too little to be of use"


def zeros_of_all(row: Any) -> list[float]:
    return oracle.zeros_of(row)


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
    reference: Reference, row: Any, derivative: bool, x: np.ndarray, parameters: tuple[float, ...], f: oracle.Format,
    default_bound: float, exact_bound: float, rounding: bool,
) -> None:  # fmt: skip
    """Both tiers of f or f' at x, within their bounds; value_and_derivative gives the same bits."""
    which = 2 * row.index + derivative
    seen = {"default": Worst(default_bound), "exact": Worst(exact_bound)}
    wrong_sign: list[tuple[str, float]] = []

    def one(part: np.ndarray) -> Any:
        ys = []
        for functions in TIERS.values():
            both = functions[row.name].value_and_derivative(part, *parameters)
            ys.append(pass_of(functions[row.name], "derivative" if derivative else "")(part, *parameters))
            same_bits(ys[-1], both[derivative])
        return part, ys, *reference.errors(which, part, ys, f, *parameters, rounding=rounding)

    for part, ys, errors, value in oracle.in_parallel(one, oracle.chunks(x)):
        for (tier, worst), y, error in zip(seen.items(), ys, errors, strict=True):
            wrong = (y == 0) & (value != 0) & (np.signbit(y) != np.signbit(value))
            wrong_sign.extend((tier, float(v)) for v in part[wrong])
            if default_bound > 0.6 and (tier == "default" or f.digits == 53):
                error = reference.relative_to_neighbours(which, part, error, value, f, *parameters)
            worst.see(error, part, y, value)
    for tier, worst in seen.items():
        assert worst.count == 0, f"{tier} tier, parameters {parameters}: {worst}"
    assert not wrong_sign, f"results that round to zero lose their sign, at {wrong_sign[:5]}, parameters {parameters}"


def exact_float64_bound(row: Any) -> float:
    """A kernel of its own keeps 1 ULP; the others run the default one, and their documentation says so."""
    return 1.0 if row.exact_f64_is_paired else 4.0


@pytest.mark.parametrize("derivative", [False, True], ids=["f", "df"])
def test_float32(reference: Reference, row: Any, derivative: bool) -> None:
    parameters = tuple(row.parameters.values())
    f = pass_of(actc.functions[row.name], "derivative" if derivative else "")
    x = np.concatenate([sample32(1021), anchors(f, oracle.zeros_of(row))])
    assert len(x) > 8_000_000
    measure(reference, row, derivative, x, parameters, F32, 2.0, NEARLY_HALF if parameters else 0.5, True)


@pytest.mark.parametrize("derivative", [False, True], ids=["f", "df"])
def test_float32_at_other_parameters(reference: Reference, parametrised: Any, derivative: bool) -> None:
    row = parametrised
    for parameters in oracle.settings(row):
        f = functools.partial(pass_of(actc.functions[row.name], "derivative" if derivative else ""), **dict(
            zip(row.parameters, parameters, strict=True)
        ))  # fmt: skip
        x = np.concatenate([sample32(9973), anchors(f, oracle.zeros_of(row, *parameters))])
        measure(reference, row, derivative, x, parameters, F32, 2.0, NEARLY_HALF, True)


@pytest.mark.parametrize("derivative", [False, True], ids=["f", "df"])
@pytest.mark.parametrize("name", ["float32", "float64"])
def test_extreme_parameters(reference: Reference, parametrised: Any, derivative: bool, name: str) -> None:
    """Parameters far outside of float32, whose products with x overflow, underflow or come back."""
    row, f = parametrised, FORMATS[name]
    x = np.concatenate([sample32(4000037), around([0], 50)]) if name == "float32" else sample64([])[::50]
    for parameters in oracle.settings(row, (*EXTREME, 1e-45, 1e38, 1e-160)):
        ordinary = all(2.0**-500 < abs(p) < 2.0**500 for p in parameters)  # others run the default kernel
        bound = NEARLY_HALF if name == "float32" else exact_float64_bound(row) if ordinary else 4.0
        measure(reference, row, derivative, x, parameters, f, DEFAULT_BOUND[name], bound, name == "float32")


@pytest.mark.parametrize("derivative", [False, True], ids=["f", "df"])
def test_float64(reference: Reference, row: Any, derivative: bool) -> None:
    for parameters in [tuple(row.parameters.values()), *oracle.settings(row)]:
        x = sample64(oracle.zeros_of(row, *parameters))
        assert len(x) > 100_000
        measure(reference, row, derivative, x, parameters, FORMATS["float64"], 4.0, exact_float64_bound(row), False)


@pytest.mark.parametrize("derivative", [False, True], ids=["f", "df"])
@pytest.mark.parametrize("f", HALVES, ids=lambda f: f.dtype.name)
def test_halves(reference: Reference, row: Any, derivative: bool, f: oracle.Format) -> None:
    """All of them, both tiers: correctly rounded."""
    for parameters in [tuple(row.parameters.values()), *oracle.settings(row)]:
        is_default = parameters == tuple(row.parameters.values())
        bound = 0.5 if is_default else NEARLY_HALF
        measure(reference, row, derivative, every(f), parameters, f, bound, bound, True)


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
    for parameters in [tuple(row.parameters.values()), *oracle.settings(row)]:
        zeros = oracle.zeros_of(row, *parameters)
        if f.digits == 24:
            x = np.concatenate([sample32(9973), around(zeros, 100)])
        else:
            x = sample64(zeros) if f.digits == 53 else every(f)
        x = np.concatenate([x, np.random.default_rng(1).uniform(-110, 110, 20_000).astype(f.dtype)])
        g = gradients(x, f)
        y = TIERS[tier][row.name].backward(g, x, *parameters)
        worst = Worst(BACKWARD_BOUND)
        judged = functools.partial(backward_errors, reference, 2 * row.index + 1, f, parameters)
        parts = zip(*map(oracle.chunks, (x, g, y)), strict=True)
        for part, result, error, value in oracle.in_parallel(judged, parts):
            worst.see(error, part, result, value)
        assert worst.count == 0, f"parameters {parameters}: {worst}"


def backward_errors(
    reference: Reference, which: int, f: oracle.Format, parameters: tuple[float, ...], part: Any
) -> Any:
    x, g, y = part
    (error,), value = reference.errors(which, x, [y], f, *parameters, g=g)
    return x, y, reference.relative_to_neighbours(which, x, error, value, f, *parameters, g=g), value


@pytest.mark.parametrize("isa", actc.isas())
def test_every_instruction_set(reference: Reference, row: Any, isa: str) -> None:
    before = actc.use_isa(isa)
    try:
        for derivative in (False, True):
            x = np.concatenate([sample32(65521), around(oracle.zeros_of(row), 50)])
            parameters = tuple(row.parameters.values())
            measure(reference, row, derivative, x, parameters, F32, 2.0, NEARLY_HALF if parameters else 0.5, True)
            x = sample64(oracle.zeros_of(row))[::10]
            measure(reference, row, derivative, x, parameters, FORMATS["float64"], 4.0, exact_float64_bound(row), False)
    finally:
        actc.use_isa(before)
