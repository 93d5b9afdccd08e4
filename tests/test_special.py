"""NaN, infinities, signed zeros, kinks, degenerate parameters and the floating-point environment."""

from __future__ import annotations

import ctypes
import math
import pathlib
import subprocess
from collections.abc import Iterator
from typing import Any

import numpy as np
import oracle
import pytest
from conftest import (
    BITS,
    DTYPES,
    PASSES,
    ROWS,
    TIERS,
    arguments,
    arity,
    bits,
    every_dtype,
    is_nan,
    pass_of,
    run_python,
    same_bits,
)
from mpmath import mp, mpf
from test_formula import KINDS
from test_table import switches


def format_of(dtype: Any) -> oracle.Format:
    return oracle.FORMATS[np.dtype(dtype).name]


def nans(dtype: np.dtype[Any]) -> np.ndarray:
    """Quiet and signalling, both signs, first and last payload."""
    f = format_of(dtype)
    size = dtype.itemsize * 8
    infinity = ((1 << (size - f.digits)) - 1) << (f.digits - 1)
    quiet = 1 << (f.digits - 2)
    patterns = [infinity | p | s << (size - 1) for p in (quiet, quiet | 1, 2 * quiet - 1, 1, quiet - 1) for s in (0, 1)]
    found = np.array(patterns, BITS[dtype.itemsize]).view(dtype)
    assert is_nan(found).all()
    return found


def awkward(dtype: np.dtype[Any]) -> np.ndarray:
    """Everything that has ever upset an activation function."""
    f = format_of(dtype)
    least, most = math.ldexp(1, f.least - f.digits + 1), math.ldexp(2 - math.ldexp(1, 1 - f.digits), f.most)
    some = [
        0,
        least,
        3 * least,
        math.ldexp(1, f.least),
        1e-3,
        0.3,
        1,
        1.2784645,
        17,
        88.7,
        104,
        110,
        710,
        746,
        most,
        math.inf,
    ]
    with np.errstate(over="ignore"):
        x = np.array([*some, *(-s for s in some)]).astype(dtype)
    return np.concatenate([x, nans(dtype)])


def every_setting(row: Any, valid: bool = True) -> list[tuple[float, ...]]:
    more = [*oracle.settings(row, valid=valid), *oracle.settings(row, (0.0, -0.0, 1e300), valid)]
    return [tuple(row.parameters.values()), *more]


def test_nan_gives_nan(row: Any, tier: str, dtype: Any) -> None:
    """In every pass, whatever its payload, sign and kind, and whatever the parameters."""
    f = TIERS[tier][row.name]
    for x in (nans(dtype), np.tile(nans(dtype), 8)[:67]):
        for p in [
            *every_setting(row, valid=False),
            *oracle.settings(row, (math.nan, math.inf, -math.inf), valid=False),
        ]:
            assert is_nan(f(x, *p)).all()
            assert is_nan(f.derivative(x, *p)).all()
            assert is_nan(f.second_derivative(x, *p)).all()
            assert is_nan(f.value_and_derivative(x, *p)).all()
            for g in (1, 0, -math.inf):
                assert is_nan(f.backward(np.full_like(x, g), x, *p)).all()
            assert is_nan(f.backward(x, np.ones_like(x), *p)).all()
            assert is_nan(f.backward(x, -np.ones_like(x), *p)).all()


HUGE = (1e307, 1e-300, 1.0)


def test_infinities_give_the_limits(row: Any, tier: str, dtype: Any) -> None:
    f, fmt = TIERS[tier][row.name], format_of(dtype)
    bound = 0.5000001 if dtype.itemsize == 2 else 2 if tier == "default" else 1
    for p in (tuple(row.parameters.values()), *oracle.settings(row, (0.3, 3.0, 0.7)), *oracle.settings(row, HUGE)):
        limits = oracle.limits_of(row, *p)
        for n in (1, 5, 64):
            x = np.full(n, -math.inf, dtype), np.full(n, math.inf, dtype)
            found = [pass_of(f, kind)(side, *p) for kind in KINDS for side in x]
            for i, (y, limit) in enumerate(zip(found, limits, strict=True)):
                if math.isnan(limit):
                    assert is_nan(y).all()
                    continue
                assert (
                    max(
                        fmt.error(float(v), mpf(limit) if math.isfinite(limit) else mpf(2) ** 2000 * mp.sign(limit))
                        for v in y
                    )
                    <= bound
                )
                if i < 2:
                    assert (np.signbit(y) == (math.copysign(1, limit) < 0)).all(), (
                        "the sign of the limit, of a zero too"
                    )
            for side in (0, 1):
                d = limits[2 + side]
                same_bits(f.value_and_derivative(x[side], *p)[0], found[side])
                same_bits(f.value_and_derivative(x[side], *p)[1], found[2 + side])
                same_bits(f.backward(np.ones_like(x[side]), x[side], *p), found[2 + side])
                with np.errstate(invalid="ignore"):
                    expected = np.float64(math.inf) * d
                product = f.backward(np.full(n, math.inf, dtype), x[side], *p).astype(np.float64)
                np.testing.assert_array_equal(product, np.full(n, np.array(expected).astype(dtype), np.float64))


def test_signed_zeros(row: Any, tier: str, dtype: Any) -> None:
    """f(-0) = -0 where f(0) = 0 and the slope on the left is not 0, or f negative there; else it is +0, as f(+0) is."""
    f, formula, slope = TIERS[tier][row.name], *(oracle.formula_of(row, order) for order in (0, 1))
    for i, p in enumerate(every_setting(row)):
        if (i == 0 or all(p)) and formula.exact(0.0, *p) == 0:
            negative = abs(slope.exact(-1e-300, *p)) > 1e-250 or formula.exact(-1e-30, *p) < 0
            for n in (1, 3, 64):
                y = f(np.full(n, -0.0, dtype), *p)
                assert (y == 0).all()
                assert (np.signbit(y) == negative).all(), f"f(-0) at parameters {p}"
                same_bits(f.value_and_derivative(np.full(n, -0.0, dtype), *p)[0], y)
                y = f(np.full(n, 0.0, dtype), *p)
                assert (y == 0).all() and not np.signbit(y).any(), f"f(+0) at parameters {p}"


def places(row: Any, p: tuple[float, ...], dtype: Any) -> np.ndarray:
    """Kinks and comparisons of the formulas that the type has, both zeros, and the neighbours of each."""
    known = {*oracle.kinks_of(row, *p), *switches(row, *p), 0.0}
    at = [s for s in known if float(np.array(s).astype(dtype)) == s]
    at = np.array([*at, -0.0]).astype(dtype)
    x = np.concatenate([at, *(np.nextafter(at, np.array(side, dtype)) for side in (-math.inf, math.inf))])
    return x[oracle.inside(row, x, *p)]


def test_kinks(row: Any, tier: str, dtype: Any) -> None:
    """The formulas of f, f' and f'' own every kink, its two neighbours and both zeros."""
    f, fmt = TIERS[tier][row.name], format_of(dtype)
    for p in (tuple(row.parameters.values()), *oracle.settings(row)):
        x = places(row, p, dtype)
        for order, formula in enumerate(oracle.formula_of(row, order) for order in oracle.ORDERS):
            bound = 4 if order == 2 else 0.5000001 if dtype.itemsize == 2 else 2 if dtype.itemsize == 4 else 4
            results = [pass_of(f, KINDS[order])(x, *p)]
            if order < 2:
                results.append(f.value_and_derivative(x, *p)[order])
            if order == 1:
                results.append(f.backward(np.ones_like(x), x, *p))
            for i, v in enumerate(x):
                exact = formula.exact(float(v), *p)
                for y in results:
                    error = fmt.error(float(y[i]), exact)
                    assert error <= bound, f"f{order * chr(39)}({v!r}) is {y[i]!r}, not {float(exact)!r}, at {p}"


def test_zero_times_infinity(row: Any, tier: str, dtype: Any) -> None:
    """backward is the product: an infinite gradient meets a derivative that is 0 as NaN, and others as infinity."""
    f, formula = TIERS[tier][row.name], oracle.formula_of(row, True)
    x = np.array([-50, -3, -1, -0.25, -0.0, 0, 0.25, 1, 3, 50]).astype(dtype)
    exact = [formula.exact(float(v), *row.parameters.values()) for v in x]
    for sign in (-1, 1):
        y = f.backward(np.full_like(x, sign * math.inf), x)
        for v, d, result in zip(x, exact, y.astype(np.float64), strict=True):
            if d == 0:
                assert math.isnan(result), f"inf * f'({v}) = inf * 0"
            elif abs(d) > math.ldexp(1, format_of(dtype).least):
                assert result == sign * mp.sign(d) * math.inf
        y = f.backward(np.full_like(x, sign * 0.0), x).astype(np.float64)
        assert (y == 0).all()
        of_zero = np.signbit(f.derivative(x))  # where f' is 0 its sign is its own affair
        wanted = [(sign < 0) != (bool(s) if d == 0 else d < 0) for d, s in zip(exact, of_zero, strict=True)]
        assert [bool(b) for b in np.signbit(y)] == wanted


def test_zero_parameter_is_the_limit(parametrised: Any, tier: str) -> None:
    """What a parameter tends to from above, its value 0 gives: slope 0 is relu, and no 0/0 appears.

    At x = 0 a zero parameter may make a kink of its own, whose owner the formula names (see the next test)."""
    row, f = parametrised, TIERS[tier][parametrised.name]
    x = np.concatenate([np.linspace(-20, 20, 161), [-math.inf, math.inf]]).astype(np.float32)
    tested = 0
    for name in row.parameters:
        if not oracle.domain_of(row, *(row.parameters | {name: 0.0}).values()):
            continue
        tested += 1
        for kind in ("", "derivative"):
            at_zero, near_zero = (pass_of(f, kind)(x, **{name: v}) for v in (0.0, 1e-300))
            same = np.isfinite(x) & (x != 0)
            # doubles compute float32 at 1e-300, floats at 0
            np.testing.assert_array_max_ulp(at_zero[same], near_zero[same], 2 if tier == "default" else 0)
            np.testing.assert_array_equal(at_zero, pass_of(f, kind)(x, **{name: -0.0 if kind else 0.0}))
        assert not np.isnan(f(x, **{name: 0.0})).any(), f"{name} = 0"
    assert tested


def test_zero_parameters_follow_the_formula(parametrised: Any, tier: str, dtype: Any) -> None:
    """One at a time and all at once, wherever the formula divides by none of them."""
    row, f, fmt = parametrised, TIERS[tier][parametrised.name], format_of(dtype)
    x = np.array([-80, -4.5, -1, -0.125, -1e-3, -0.0, 0, 1e-3, 0.125, 0.3, 1, 2.75, 30]).astype(dtype)
    for zeros in [{n: 0.0} for n in row.parameters] + [dict.fromkeys(row.parameters, 0.0)]:
        p = tuple((row.parameters | zeros).values())
        if not oracle.domain_of(row, *p):
            continue
        for order, kind in enumerate(KINDS):
            formula, y = oracle.formula_of(row, order), pass_of(f, kind)(x, *p)
            bound = 4 if order == 2 else 0.5000001 if dtype.itemsize == 2 else 2 if dtype.itemsize == 4 else 4
            for v, result in zip(x, y, strict=True):
                try:
                    exact = formula.exact(float(v), *p)
                except ZeroDivisionError:
                    continue
                error = fmt.error(float(result), exact)
                assert error <= bound, f"{formula.text} at {v!r}, {p}: {result!r}, not {exact}"


def ieee(text: str, row: Any, x: float, p: tuple[float, ...]) -> float:
    """The formula in double arithmetic, nan where it has no real value."""
    names: dict[str, Any] = {n: getattr(np, n) for n in ("exp", "expm1", "log1p", "tanh", "cosh", "sinh", "sqrt", "pi")}
    names |= {n: getattr(np, n) for n in ("sin", "cos", "log")} | {"atan": np.arctan, "asinh": np.arcsinh}
    names |= {"erf": lambda v: np.float64(math.erf(v)), "erfc": lambda v: np.float64(math.erfc(v))}
    with np.errstate(all="ignore"):
        parameters = dict(zip(row.parameters, map(np.float64, p), strict=True))
        return float(eval(text, {}, names | parameters | {"x": np.float64(x)}))


def test_degenerate_parameters_follow_the_formula(parametrised: Any, tier: str) -> None:
    """Infinite and NaN parameters give what the formula gives in IEEE arithmetic, where no exponential underflows, or
    the limit where the formula divides infinity by infinity; never another number. NaN is for NaN parameters, for what
    the domain excludes and for where the formula has no value."""
    row, f = parametrised, TIERS[tier][parametrised.name]
    x = np.array([-math.inf, -4.5, -1, -0.125, 0.125, 1, 4.5, math.inf])
    for p in oracle.settings(row, (math.nan, math.inf, -math.inf), valid=False):
        huge = tuple(max(-1e300, min(v, 1e300)) if v == v else v for v in p)
        for order in (0, 1):
            text = oracle.formula_of(row, order).text
            expected = np.array([ieee(text, row, v, p) for v in x])
            limit = np.array([ieee(text, row, v, huge) for v in x])
            for dtype in DTYPES.values():
                y = pass_of(f, KINDS[order])(x.astype(dtype), *p).astype(np.float64)
                needless = np.isnan(y) & ~np.isnan(expected) & oracle.inside(row, np.clip(x, -9, 9), *p)
                assert any(map(math.isnan, p)) or not needless.any(), f"{text} at x = {x[needless]}, parameters {p}"
                wanted = np.where(np.isnan(expected) & ~np.isnan(y), limit, expected)
                wanted = np.where(np.isnan(y) | np.isinf(x), y, wanted)  # which infinity is larger, nobody can say
                with np.errstate(over="ignore"):
                    wanted = np.where(np.isinf(y), wanted.astype(dtype).astype(np.float64), wanted)
                text_ = f"{text} at x = {x}, parameters {p}, {dtype}"
                np.testing.assert_allclose(y, wanted, rtol=0.01, atol=1e-100, err_msg=text_)


def test_invalid_parameters(parametrised: Any, tier: str, dtype: Any) -> None:
    """Those that the domain excludes give what the formula gives in IEEE arithmetic, or NaN; NaN where that does."""
    row, f = parametrised, TIERS[tier][parametrised.name]
    x = np.array([-4.5, -1.75, -1, -0.125, 0.125, 0.5, 1, 2, 4.5])
    values = (-0.5, 3.0, 0.0, -2.0, 0.3)
    for p in oracle.settings(row, values, valid=False):
        if oracle.domain_of(row, *p):
            continue
        for order in (0, 1):
            text = oracle.formula_of(row, order).text
            expected = np.array([ieee(text, row, v, p) for v in x])
            y = pass_of(f, KINDS[order])(x.astype(dtype), *p).astype(np.float64)
            wanted = np.where(np.isnan(y), np.nan, expected)
            np.testing.assert_allclose(y, wanted, rtol=0.01, err_msg=f"{text} at x = {x}, parameters {p}")


def test_thresholds_in_the_wrong_order(tier: str, dtype: Any) -> None:
    """The one row whose formula has a value for invalid parameters that the contract replaces by NaN."""
    f = TIERS[tier]["srelu"]
    x = np.array([-math.inf, -3, -0.5, 0, 0.25, 0.5, 3, math.inf]).astype(dtype)
    for p in ((1.0, 0.2, 0.0, 0.2), (0.5, 1.0, 0.25, 1.0), (1e300, 0.2, 1.0, 0.2)):
        for g in (f, f.derivative, f.second_derivative):
            assert is_nan(g(x, *p)).all(), f"{g.__name__}{p}"
        for v in x:
            assert all(map(math.isnan, f.parameter_backward(dtype.type(1), v, *p).values()))
    assert not is_nan(f(x, 0.5, 0.2, 0.5, 0.2)).any(), "equal ones are in order"


def test_beyond_the_domain(parametrised: Any, tier: str, dtype: Any) -> None:
    """Where the domain ends at an x, f is NaN from there on."""
    row, f = parametrised, TIERS[tier][parametrised.name]
    for p in (tuple(row.parameters.values()), *oracle.settings(row, (-0.5, 0.3, 3.0, -2.0))):
        low, high = oracle.domain_of(row, *p)
        outside = [v for v in (low - 0.5, low - 4, low - 100, high + 0.5, high + 4, high + 100) if math.isfinite(v)]
        outside += [-math.inf] * math.isfinite(low) + [math.inf] * math.isfinite(high)
        assert is_nan(f(np.array(outside).astype(dtype), *p)).all()
        assert not is_nan(f(np.array([max(low, -20) + 0.5, min(high, 20) - 0.5]).astype(dtype), *p)).any()


# ---- the floating-point environment ---------------------------------------------------------------------------


@every_dtype
def test_nothing_is_ever_raised(ufunc: Any, dtype: Any) -> None:
    """No warning and no FloatingPointError at any length, aligned or not, contiguous or not, whatever lies in it."""
    _, _, _, f = ufunc
    pool = awkward(dtype)
    parameters = arity(f)
    inputs = f.nin - len(parameters)
    with np.errstate(all="raise"):
        for n in range(1, 65):
            x = np.resize(np.roll(pool, n), n)
            g = np.resize(np.roll(pool, 5 * n), n)
            f(*[g, x][2 - inputs :])
            f(*[g[::-1], np.repeat(x, 2)[::2]][2 - inputs :])
            for v in (0.0, -1.5, 1e300, -math.inf, math.nan)[n % 5 :: 5] if parameters else ():
                f(*[g, x][2 - inputs :], *[v] * len(parameters))
                f(*[g, x][2 - inputs :], *[np.full(n, v)] * len(parameters))
        for v in pool:
            f(*[v] * inputs)
        np.add(np.ones(3), 1)  # and no flag is left for the next ufunc to trip over


@pytest.fixture(scope="module")
def mxcsr(tmp_path_factory: Any) -> Iterator[Any]:
    directory: pathlib.Path = tmp_path_factory.mktemp("mxcsr")
    (directory / "mxcsr.c").write_text(
        "#include <xmmintrin.h>\nunsigned get(void) { return _mm_getcsr(); }\nvoid set(unsigned v) { _mm_setcsr(v); }\n"
    )
    library = directory / "mxcsr.so"
    try:
        subprocess.run(
            [oracle.compiler(), "-shared", "-fPIC", str(directory / "mxcsr.c"), "-o", str(library)],
            check=True,
            capture_output=True,
        )
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("needs a C compiler for x86")
    register = ctypes.CDLL(str(library))
    before = register.get()
    yield register
    register.set(before)


MODES = {"flush": 0x8040, "down": 0x2000, "up": 0x4000, "to zero": 0x6000, "flush and up": 0xC040}


@pytest.mark.parametrize("mode", MODES)
def test_environment_of_the_caller(mxcsr: Any, mode: str, dtype: Any) -> None:
    """Rounding mode and flush-to-zero of the caller change no bit, and are his again afterwards."""
    pool = awkward(dtype)
    pool = pool[~is_nan(pool)]
    x = np.concatenate([pool, np.linspace(-100, 100, 99).astype(dtype)])
    calls = []
    for functions in TIERS.values():
        for f in functions.values():
            for kind, (inputs, outputs) in PASSES.items():
                for a in (x, np.repeat(x, 2)[::2]):
                    calls.append((pass_of(f, kind), [a] * inputs, [np.empty_like(a) for _ in range(outputs)]))
    expected = [np.array(f(*inputs)) for f, inputs, _ in calls]
    before = mxcsr.get()
    changed = set()
    mxcsr.set((before & ~0xE040) | MODES[mode])
    for f, inputs, out in calls:
        f(*inputs, out=tuple(out))
        changed.add(mxcsr.get() & 0xFFC0)
    mxcsr.set(before)
    assert changed == {((before & ~0xE040) | MODES[mode]) & 0xFFC0}
    for (f, _, out), wanted in zip(calls, expected, strict=True):
        np.testing.assert_array_equal(bits(np.array(out)).ravel(), bits(wanted).ravel(), err_msg=f.__name__)


def test_import_has_no_side_effects() -> None:
    """Not on rounding, flushing, locale, threads or signals of the process."""
    run_python(
        "import numpy, ctypes, locale, signal, threading, os\n"
        "try:\n    import ml_dtypes\nexcept ImportError: pass\n"
        "def state():\n"
        "    tiny = numpy.float32(1e-45)\n"
        "    return (numpy.float32(tiny) * 1 == 0, ctypes.CDLL(None).fegetround(), locale.setlocale(locale.LC_ALL),\n"
        "            [signal.getsignal(s) for s in signal.valid_signals()], threading.active_count(),\n"
        "            len(os.listdir('/proc/self/task')) if os.path.isdir('/proc/self/task') else 0)\n"
        "before = state()\nimport actc\nactc.exact\n"
        "for f in actc.elementwise.values(): f(numpy.ones(5, 'f'))\n"
        "assert state() == before, (before, state())"
    )


@every_dtype
def test_scalars_and_empty(ufunc: Any, dtype: Any) -> None:
    """A scalar gives what an array of one gives; nothing gives nothing."""
    _, _, _, f = ufunc
    for v in awkward(dtype):
        inputs = [np.ones(1, dtype), np.array([v])][-(f.nin - len(arity(f))) :]
        of_arrays, of_scalars = f(*inputs), f(*(a[0] for a in inputs))
        for a, s in zip(
            of_arrays if f.nout == 2 else [of_arrays], of_scalars if f.nout == 2 else [of_scalars], strict=True
        ):
            assert type(s) is dtype.type
            same_bits(a[0], s)
    none = f(*[a[:0] for a in arguments(f, dtype)])
    assert (none if f.nout == 1 else none[1]).shape == (0,)


def test_table_covers_the_contract() -> None:
    """The tests above would be empty without these."""
    assert any(r.parameters for r in ROWS)
    assert any(r.zeros for r in ROWS)
    assert any(r.kink for r in ROWS)
    assert any("-0" in r.limits for r in ROWS)
