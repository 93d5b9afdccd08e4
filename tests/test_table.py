"""The rows themselves: derivatives against the formula, limits, zeros, kinks and range against all three, in mpmath;
and what they say of range, monotonicity and Lipschitz constant against the functions themselves, densely sampled."""

from __future__ import annotations

import ast
import itertools
import math
import re
from typing import Any

import numpy as np
import oracle
import pytest
from conftest import ROWS, TIERS, run_python
from mpmath import mp, mpf

import actc


def all_settings(row: Any) -> list[tuple[float, ...]]:
    return [tuple(row.parameters.values()), *oracle.settings(row)]


def positive_settings(row: Any) -> list[tuple[float, ...]]:
    """Those that limits, monotonicity and Lipschitz constants are given for."""
    return [tuple(row.parameters.values()), *oracle.settings(row, (0.3, 3.0, 0.7))]


def switches(row: Any, *parameters: float) -> list[float]:
    """Where the formula goes from one piece to another: the x that it is compared with."""
    found = set()
    for formula in (oracle.formula_of(row, order) for order in oracle.ORDERS):
        for node in ast.walk(formula.tree):
            if isinstance(node, ast.Compare) and {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} & {"x"}:
                for side in (node.left, *node.comparators):
                    if not any(isinstance(n, ast.Name) and n.id == "x" for n in ast.walk(side)):
                        found.add(float(oracle.Formula(ast.unparse(side), tuple(row.parameters)).at(0, *parameters)))
    return sorted(found)


def test_table_and_surface_agree() -> None:
    names = [r.name for r in ROWS]
    assert len(set(names)) == len(names) > 0
    for functions in TIERS.values():
        assert list(functions) == names, "in table order"
    for row in ROWS:
        f = actc.elementwise[row.name]
        assert f.formula == row.formula
        assert dict(f.parameters) == row.parameters
        assert row.reference, "where does it come from?"
        for text in (row.domain, row.range, row.limits, row.monotonicity, row.lipschitz):
            assert text
        assert len(row.zeros.strip()) == 0 or oracle.zeros_of(row)
        assert "..." not in row.zeros.removesuffix("..."), "more of them: at the end"
        assert bool(row.kinks) == bool(row.kink), "a kink and what happens there"


@pytest.mark.parametrize("order", [1, 2], ids=["df", "d2f"])
def test_derivative_is_the_derivative_of_the_formula(row: Any, order: int) -> None:
    f, df = (oracle.formula_of(row, order - 1), oracle.formula_of(row, order))
    rng = np.random.default_rng(row.index)
    for parameters in all_settings(row):
        few = 1 if parameters == all_settings(row)[0] else 3
        points = [
            *rng.standard_normal(25 // few) * 4,
            *rng.uniform(-60, 60, 10 // few),
            *2.0 ** -rng.uniform(1, 60, 5),
            -1e-9,
            1e4,
            -1e4,
        ]
        breaks = {*switches(row, *parameters), *oracle.kinks_of(row, *parameters)}
        points = [p for p in points if min((abs(p - s) for s in breaks), default=1) > 1e-12]
        points = [p for p in points if oracle.inside(row, p - 1e-12, *parameters)]
        assert len(points) >= 30 // few
        with mp.workdps(120):
            for x in map(mpf, points):
                slope = mp.diff(lambda t: f.at(t, *map(mpf, parameters)), x)  # noqa: B023
                wanted = df.at(x, *map(mpf, parameters))
                assert mp.almosteq(slope, wanted, rel_eps=mpf(10) ** -25, abs_eps=mpf(10) ** -40), f"{x}, {parameters}"


def test_limits_are_the_limits_of_the_formula(row: Any) -> None:
    """At +-1e30 the formula has reached them, up to what one over x can be away."""
    with mp.workdps(400):
        far = [mpf(10) ** 30 + mpf(k) / 2 for k in range(16)]
    for parameters in positive_settings(row):
        low, high = oracle.domain_of(row, *parameters)
        for i, limit in enumerate(oracle.limits_of(row, *parameters)):
            formula, side = oracle.formula_of(row, i // 2), (-1, 1)[i % 2]
            with mp.workdps(400):
                beyond = low > -math.inf if side < 0 else high < math.inf
                y = [] if beyond else [formula.at(side * x, *map(mpf, parameters)) for x in far]
                if math.isnan(limit):
                    assert beyond or max(y) - min(y) > 0.1, "there is a limit"
                elif math.isinf(limit):
                    assert all(mp.sign(v) == math.copysign(1, limit) and abs(v) > 1e25 for v in y)
                else:
                    assert all(abs(v - mpf(limit)) <= 1e-15 * max(1, abs(limit)) for v in y)
                    if limit == 0 and i < 2 and (min(y) >= 0 or max(y) <= 0):  # it may also oscillate
                        assert all(v <= 0 if math.copysign(1, limit) < 0 else v >= 0 for v in y)


def test_zeros_are_listed(row: Any) -> None:
    """f' changes its sign at the listed zeros, at 0 and at kinks, and nowhere else."""
    df = oracle.formula_of(row, 1)
    for parameters in all_settings(row)[: 1 if not row.zeros else None]:
        zeros = oracle.zeros_of(row, *parameters)
        with mp.workdps(60):
            values = list(map(mpf, parameters))
            for r in zeros:
                scale = max(abs(df.at(mpf(r) + t, *values)) for t in (-1, -0.5, 0.5, 1))
                assert abs(df.at(mpf(r), *values)) < 1e-15 * max(1, abs(r)) * scale
            grid = [mpf(i) / 8 + mpf("0.01") for i in range(-400, 400)]
            grid = [x for x in grid if oracle.inside(row, x, *parameters)]
            known = [*zeros, 0.0, *oracle.kinks_of(row, *parameters)]
            signs = [mp.sign(df.at(x, *values)) for x in grid]
            for a, b, s, t in zip(grid, grid[1:], signs, signs[1:], strict=False):
                if s * t < 0:
                    assert any(a <= z <= b for z in known), f"f' changes its sign between {float(a)} and {float(b)}"


def range_of(row: Any, *parameters: float) -> tuple[float, float]:
    low, high = (float(oracle.field(row, t, *parameters)) for t in oracle.split(row.range[1:-1]))
    assert row.range[0] in "[("
    assert row.range[-1] in ")]"
    return low, high


def test_range_is_the_range(row: Any) -> None:
    low, high = range_of(row)
    f = oracle.formula_of(row, 0)
    parameters = tuple(row.parameters.values())
    with mp.workdps(60):
        points = [mpf(i) / 64 for i in range(-1000, 1000)] + [mpf(s) * 10**k for k in range(1, 30) for s in (-1, 1)]
        y = [f.at(x, *map(mpf, parameters)) for x in points]
        least, most = min(y), max(y)
        assert least >= low - 1e-15 * abs(low) if math.isfinite(low) else True
        assert most <= high + 1e-15 * abs(high) if math.isfinite(high) else True
        if row.range[0] == "(" and math.isfinite(low):  # the literal itself is rounded
            assert least > low - 1e-15 * max(1, abs(low))
        # and it is no wider than it need be
        assert least < -1e20 if math.isinf(low) else least < low + 1e-3
        assert most > 1e20 if math.isinf(high) else most > high - 1e-3


def dense(row: Any, parameters: tuple[float, ...]) -> np.ndarray:
    """Doubles in order: evenly where functions bend, sparsely as far as the numbers go, and both sides of each kink."""
    size = np.geomspace(1e-300, 1e300, 5000)
    kinks = np.array([k for k in oracle.kinks_of(row, *parameters) if math.isfinite(k)])
    beside = [np.nextafter(kinks, side) for side in (-math.inf, math.inf)]
    even = np.linspace(-60, 60, 60_001), np.linspace(-6, 6, 60_001)
    x = np.unique(np.concatenate([*even, size, -size, kinks, *beside]))
    return x[oracle.inside(row, x, *parameters)]


def said(text: str, row: Any, parameters: tuple[float, ...]) -> str:
    """What "a if condition else b" or less says at the given parameters; nothing where nothing is claimed."""
    first, _, rest = text.partition(" if ")
    condition, _, other = rest.partition(" else ")
    return first if not rest or oracle.field(row, condition, *parameters) else other


def test_the_functions_keep_to_their_range(row: Any, tier: str) -> None:
    low, high = range_of(row)
    x = dense(row, tuple(row.parameters.values()))
    for dtype, room in ((np.float64, 1e-15), (np.float32, 3e-7)):
        with np.errstate(over="ignore"):
            narrow = x.astype(dtype)
        y = TIERS[tier][row.name](narrow[np.isfinite(narrow)])
        assert not np.isnan(y).any()
        assert y.min() >= low - room * abs(low)
        assert y.max() <= high + room * abs(high)


def test_monotonicity(row: Any, tier: str) -> None:
    """Of the results, up to their errors, and of the formula, which alone can tell increasing from nondecreasing."""
    claims = 0
    for parameters in all_settings(row):
        claim = said(row.monotonicity, row, parameters)
        claims += bool(claim)
        assert claim in ("increasing", "nondecreasing", "not monotone", "")
        x = dense(row, parameters)
        with np.errstate(over="ignore", invalid="ignore"):
            y = TIERS[tier][row.name](x, *parameters)
            steps = np.diff(y)
        steps = np.nan_to_num(steps[np.isfinite(y[1:]) & np.isfinite(y[:-1])])
        finite = y[np.isfinite(y)]
        room = 8 * np.maximum(np.spacing(np.abs(finite[1:])), np.spacing(np.abs(finite[:-1])))
        if claim == "not monotone":
            assert (steps > room).any() and (steps < -room).any()
        elif claim:
            assert (steps >= -room).all(), f"falls at x = {x[int(np.argmin(steps + room))]}, parameters {parameters}"
        with mp.workdps(100):
            grid = [mpf(i) / 8 for i in range(-40, 41) if oracle.inside(row, i / 8, *parameters)]
            exact = [oracle.formula_of(row, 0).at(v, *map(mpf, parameters)) for v in grid]
            if claim == "increasing":
                assert all(a < b for a, b in itertools.pairwise(exact))
            if claim == "nondecreasing" and parameters == all_settings(row)[0]:
                far = [oracle.formula_of(row, 0).at(mpf(v), *map(mpf, parameters)) for v in (-50, -49, 49, 50)]
                assert any(a == b for a, b in itertools.pairwise([*exact, *far])), "it is increasing, then"
    assert claims


def test_lipschitz_constant(row: Any) -> None:
    """No slope exceeds it, some slope comes near it; where it is infinite f jumps or its slopes have no bound."""
    f = actc.exact.elementwise[row.name]
    for parameters in positive_settings(row):
        constant = float(oracle.field(row, row.lipschitz, *parameters))
        x = dense(row, parameters)
        with np.errstate(all="ignore"):
            y, slope = f.value_and_derivative(x, *parameters)
            usable = (np.abs(x) < 1e6) & np.isfinite(y)
            near = np.flatnonzero(usable[1:] & usable[:-1])
            chords = np.abs(np.diff(y)[near])
            rounding = 16 * np.maximum(np.spacing(np.abs(y[near])), np.spacing(np.abs(y[near + 1])))
            steepest = np.nanmax(np.abs(slope))
            if math.isinf(constant):
                widths = np.diff(x)[near]
                assert steepest > 1e6 or (chords > 1e6 * widths + rounding).any()
            else:
                assert steepest <= constant * (1 + 4e-15)
                assert steepest >= constant * (1 - 1e-6)
                assert (chords <= constant * np.diff(x)[near] * (1 + 1e-12) + rounding).all()


def test_kink_says_what_the_derivatives_do(row: Any) -> None:
    """The text "f'(c) = value" agrees with the executable formulas; what jumps is listed, what is listed jumps, and
    each kink belongs to one of its sides."""
    formulas = [oracle.formula_of(row, order) for order in oracle.ORDERS]
    for parameters in all_settings(row):
        values = list(map(mpf, parameters))
        told = [set(), set(), set()]
        for primes, place, value in re.findall(r"f('*)\(([^)]*)\)\s*=\s*([^;,]+)", row.kink):
            for sign in ("+", "-") if place.startswith("+-") else ("",):
                at = float(oracle.field(row, sign + place.removeprefix("+-"), *parameters))
                wanted = float(oracle.field(row, value, *parameters))
                found = float(formulas[len(primes)].exact(at, *parameters))
                assert found == pytest.approx(wanted, rel=1e-15), f"f{primes}({at})"
                told[len(primes)].add(at)
        kinks = oracle.kinks_of(row, *parameters)
        for at in {*kinks, *switches(row, *parameters)}:
            with mp.workdps(60):
                sides = [[f.at(mpf(at) + h, *values) for h in (-(mpf(10) ** -12), mpf(10) ** -12)] for f in formulas]
                here = [f.at(mpf(at), *values) for f in formulas]
                jumps = [abs(left - right) > 1e-9 * max(1, abs(left)) for left, right in sides]
                assert (at in kinks) == any(jumps), f"f{jumps.index(True) * chr(39) if any(jumps) else ''} at {at}"
                for order in oracle.ORDERS:  # up to how exactly the place of the kink is a double
                    assert any(abs(here[order] - s) <= 1e-9 * max(1, abs(s)) for s in sides[order])
                if jumps[1]:
                    assert at in told[1] or " where " in row.kink, f"f' jumps at {at} and .kink is silent"
                if jumps[2] and not jumps[1]:
                    assert at in told[2] or not abs(here[2]), f"f'' jumps at {at} and .kink is silent"
                if jumps[0]:
                    assert "jumps" in row.kink or at in told[0], f"f jumps at {at} and .kink is silent"


def test_unique_names_mean_nothing_else(row: Any) -> None:
    """Libraries that dispatch by the bare name of a ufunc must find the same function or none."""
    special = pytest.importorskip("scipy.special")
    x = np.linspace(-3, 3, 13)
    for module in (np, special):
        other = getattr(module, row.unique_name, None)
        if other is not None:
            np.testing.assert_allclose(other(x), actc.elementwise[row.name](x), rtol=1e-12)
    assert getattr(actc, row.unique_name) is getattr(actc, row.name) is actc.elementwise[row.name]
    assert actc.elementwise[row.name].__name__ == row.unique_name


def test_identity_is_named_linear() -> None:
    """NumPy's `identity` makes matrices; ours must not be taken for it."""
    assert actc.identity.__name__ == "linear"


def test_what_is_made_late_is_made_once() -> None:
    """Other names than the elementwise come at first use: by dir, star import or attribute, in any thread the same."""
    run_python("""
import inspect, pickle, sys, threading
import actc
assert "actc._more" not in sys.modules
found, start = [], threading.Barrier(8)
def first():
    start.wait()
    found.append((actc.softmax, actc.functions, actc.swiglu))
threads = [threading.Thread(target=first) for _ in range(8)]
for t in threads: t.start()
for t in threads: t.join()
assert len(found) == 8 and len({tuple(map(id, f)) for f in found}) == 1
assert pickle.loads(pickle.dumps(found[0][0])) is found[0][0] is actc.softmax
assert dir(actc) == dir(actc) and set(dir(actc)) >= {"softmax", "gelu", "exact", "init", "preset", "__version__"}
assert dict(inspect.getmembers(actc))["apl"] is actc.apl
""")
    run_python("""
import actc.exact
from actc import *
assert softmax is actc.softmax and exact.softmax is not softmax and gelu is actc.gelu and functions["crelu"] is crelu
""")
