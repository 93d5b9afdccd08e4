"""The rows themselves: derivative against formula, limits, zeros, kinks and range against both, in mpmath."""

from __future__ import annotations

import ast
import math
import re
from typing import Any

import numpy as np
import oracle
import pytest
from conftest import ROWS, TIERS
from mpmath import mp, mpf

import actc


def all_settings(row: Any) -> list[tuple[float, ...]]:
    return [tuple(row.parameters.values()), *oracle.settings(row)]


def switches(row: Any, *parameters: float) -> list[float]:
    """Where the formula goes from one piece to another: the x that it is compared with."""
    found = set()
    for formula in (oracle.formula_of(row, d) for d in (False, True)):
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
        f = actc.functions[row.name]
        assert f.formula == row.formula
        assert dict(f.parameters) == row.parameters
        assert row.reference, "where does it come from?"
        assert row.elsewhere, "what do others call it?"


def test_derivative_is_the_derivative_of_the_formula(row: Any) -> None:
    f, df = (oracle.formula_of(row, d) for d in (False, True))
    rng = np.random.default_rng(row.index)
    for parameters in all_settings(row):
        points = [
            *rng.standard_normal(25) * 4,
            *rng.uniform(-60, 60, 10),
            *2.0 ** -rng.uniform(1, 60, 5),
            -1e-9,
            1e4,
            -1e4,
        ]
        points = [p for p in points if min((abs(p - s) for s in switches(row, *parameters)), default=1) > 1e-12]
        assert len(points) > 30
        with mp.workdps(120):
            for x in map(mpf, points):
                slope = mp.diff(lambda t: f.at(t, *map(mpf, parameters)), x)  # noqa: B023
                assert mp.almosteq(
                    slope, df.at(x, *map(mpf, parameters)), rel_eps=mpf(10) ** -25, abs_eps=mpf(10) ** -40
                )


def test_limits_are_the_limits_of_the_formula(row: Any) -> None:
    """At +-1e300 the formula has reached them, up to what one over x can be away."""
    for parameters in (tuple(row.parameters.values()), *oracle.settings(row, (0.3, 3.0, 0.7))):
        limits = oracle.limits_of(row, *parameters)
        for i, (derivative, x) in enumerate([(False, -1e300), (False, 1e300), (True, -1e300), (True, 1e300)]):
            formula, limit = oracle.formula_of(row, derivative), limits[i]
            with mp.workdps(400):
                y = formula.at(mpf(x), *map(mpf, parameters))
                if math.isinf(limit):
                    assert mp.sign(y) == math.copysign(1, limit)
                    assert abs(y) > 1e250
                else:
                    assert abs(y - mpf(limit)) <= 1e-15 * max(1, abs(limit))
                    if limit == 0 and not derivative:
                        assert y <= 0 if math.copysign(1, limit) < 0 else y >= 0


def test_zeros_are_listed(row: Any) -> None:
    """f' changes its sign at the listed zeros, at 0 and at switches, and nowhere else."""
    df = oracle.formula_of(row, True)
    for parameters in all_settings(row)[: 1 if not row.zeros else None]:
        zeros = oracle.zeros_of(row, *parameters)
        with mp.workdps(60):
            values = list(map(mpf, parameters))
            for r in zeros:
                scale = max(abs(df.at(mpf(r) - 1, *values)), abs(df.at(mpf(r) + 1, *values)))
                assert abs(df.at(mpf(r), *values)) < 1e-15 * scale
            grid = [mpf(i) / 8 + mpf("0.01") for i in range(-400, 400)]
            known = [*zeros, 0.0, *switches(row, *parameters)]
            signs = [mp.sign(df.at(x, *values)) for x in grid]
            for a, b, s, t in zip(grid, grid[1:], signs, signs[1:], strict=False):
                if s * t < 0:
                    assert any(a <= z <= b for z in known), f"f' changes its sign between {float(a)} and {float(b)}"


def test_range_is_the_range(row: Any) -> None:
    text = row.range
    low, high = (float(eval(t, {}, {"inf": math.inf, **row.parameters})) for t in text[1:-1].split(","))
    assert text[0] in "[("
    assert text[-1] in ")]"
    f = oracle.formula_of(row, False)
    parameters = tuple(row.parameters.values())
    with mp.workdps(60):
        points = [mpf(i) / 64 for i in range(-1000, 1000)] + [mpf(s) * 10**k for k in range(1, 30) for s in (-1, 1)]
        y = [f.at(x, *map(mpf, parameters)) for x in points]
        least, most = min(y), max(y)
        assert least >= low - 1e-15 * abs(low) if math.isfinite(low) else True
        assert most <= high + 1e-15 * abs(high) if math.isfinite(high) else True
        if text[0] == "(" and math.isfinite(low):  # the literal itself is rounded
            assert least > low - 1e-15
        # and it is no wider than it need be
        assert least < -1e20 if math.isinf(low) else least < low + 1e-3
        assert most > 1e20 if math.isinf(high) else most > high - 1e-3


def test_kink_says_what_the_derivative_does(row: Any) -> None:
    """The text "f'(c) = value" agrees with the executable derivative, and every jump of f' is mentioned."""
    df = oracle.formula_of(row, True)
    scope = {"inf": math.inf}
    for parameters in all_settings(row):
        named = dict(zip(row.parameters, parameters, strict=True))
        said = {}
        for places, value in re.findall(r"f'\(([^)]*)\)\s*=\s*([^;,]+)", row.kink):
            for place in re.split(r"\s+and\s+|;", places):
                signs = ("+", "-") if place.startswith("+-") else ("",)
                for sign in signs:
                    at = float(eval(sign + place.removeprefix("+-"), scope, dict(named)))
                    said[at] = float(eval(value, scope, dict(named)))
        for at, value in said.items():
            assert float(df.exact(at, *parameters)) == pytest.approx(value, rel=1e-15)
        for at in switches(row, *parameters):
            with mp.workdps(60):
                left, right = (df.at(mpf(at) + h, *map(mpf, parameters)) for h in (mpf(10) ** -50, -(mpf(10) ** -50)))
                assert at in said or mp.almosteq(left, right, rel_eps=1e-30), f"f' jumps at {at} and .kink is silent"


def test_unique_names_mean_nothing_else(row: Any) -> None:
    """Libraries that dispatch by the bare name of a ufunc must find the same function or none."""
    special = pytest.importorskip("scipy.special")
    x = np.linspace(-3, 3, 13)
    for module in (np, special):
        other = getattr(module, row.unique_name, None)
        if other is not None:
            np.testing.assert_allclose(other(x), actc.functions[row.name](x), rtol=1e-12)
    assert getattr(actc, row.unique_name) is getattr(actc, row.name) is actc.functions[row.name]
    assert actc.functions[row.name].__name__ == row.unique_name


def test_identity_is_named_linear() -> None:
    """NumPy's `identity` makes matrices; ours must not be taken for it."""
    assert actc.identity.__name__ == "linear"
