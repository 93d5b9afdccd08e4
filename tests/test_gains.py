"""The gains in the table: against mpmath, against the C functions themselves, and at other parameters."""

from __future__ import annotations

import importlib.util
import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import oracle
import pytest
from conftest import ROWS

import actc
from actc._gain import PASSES, mean_square, special_points

TOOL = Path(__file__).resolve().parents[1] / "tools" / "gains.py"


@pytest.fixture(scope="module")
def tool() -> Any:
    if not TOOL.exists():
        pytest.skip("needs the source tree")
    spec = importlib.util.spec_from_file_location("gains_tool", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("order", [0, 1], ids=PASSES)
def test_table_against_mpmath(tool: Any, row: Any, order: int) -> None:
    """The formula, to half the digits that the tool computes: a digit wrong in the table shows."""
    kept = (row.gain, row.derivative_gain)[order]
    assert float(tool.gain(row, order, digits=17)) == pytest.approx(kept, rel=3e-16)


@pytest.mark.parametrize("pass_", PASSES)
def test_table_against_the_functions(row: Any, pass_: str) -> None:
    """By Simpson's rule on the C function, which shares nothing with the quadratures of the tool and of `gain`."""
    f = actc.elementwise[row.name]
    g = f if pass_ == "forward" else f.derivative
    cuts = sorted({-20.0, 0.0, 20.0, *oracle.kinks_of(row)})
    total = 0.0
    for a, b in itertools.pairwise(cuts):
        z = np.linspace(np.nextafter(a, b), np.nextafter(b, a), 200_001)
        weight = np.full(len(z), 2.0)
        weight[1::2] = 4
        weight[[0, -1]] = 1
        total += float(weight @ (g(z) ** 2 * np.exp(-z * z / 2))) * (b - a) / (len(z) - 1) / 3
    expected = math.inf if total == 0 else math.sqrt(math.sqrt(2 * math.pi) / total)
    assert f.info[PASSES[pass_]] == pytest.approx(expected, rel=1e-12)


def test_known_values() -> None:
    for name, pass_, value in (
        ("identity", "forward", 1),
        ("relu", "forward", math.sqrt(2)),
        ("relu", "backward", math.sqrt(2)),
        ("leaky_relu", "forward", math.sqrt(2 / (1 + 0.01**2))),
        ("selu", "forward", 1),  # what its constants were chosen for
        ("exponential", "forward", math.exp(-1)),
        ("binary_step", "backward", math.inf),
    ):
        assert actc.init.gain(name, pass_) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize("order", [0, 1], ids=PASSES)
def test_other_parameters(tool: Any, parametrised: Any, order: int) -> None:
    pass_ = list(PASSES)[order]
    tried = 0
    for setting in [*oracle.settings(parametrised), *oracle.settings(parametrised, (0.07, 5.0, 1.0))]:
        low, _ = oracle.domain_of(parametrised, *setting)
        found = actc.init.gain(parametrised.name, pass_, **dict(zip(parametrised.parameters, setting, strict=True)))
        if low > -math.inf:
            assert math.isnan(found), "no value on a part of the line"
            continue
        tried += 1
        expected = float(tool.gain(parametrised, order, *setting, digits=15))
        assert found == pytest.approx(expected, rel=1e-13), setting
    assert tried >= 2


def test_narrow_features() -> None:
    """A step, a bump and a threshold far narrower than any grid that one would take."""
    assert actc.init.gain("swish", beta=1e9) == pytest.approx(math.sqrt(2), rel=1e-12)
    assert actc.init.gain("softcap", cap=1e-9) == pytest.approx(1e9, rel=1e-8)
    for sigma in (1e-2, 1e-6):  # E[f'^2] of a normal density of deviation sigma at mu
        mu = 0.3
        square = math.exp(-mu * mu / (2 + sigma * sigma)) / (
            2 * math.sqrt(math.pi) * sigma * math.sqrt(2 * math.pi) * math.sqrt(1 + sigma * sigma / 2)
        )
        found = actc.init.gain("laplace", "backward", mu=mu, sigma=sigma)
        assert found == pytest.approx(1 / math.sqrt(square), rel=1e-12)
    assert actc.init.gain("hard_sigmoid_onnx", "backward", alpha=1e8, beta=1e8) == pytest.approx(
        math.sqrt(math.sqrt(2 * math.pi) * math.exp(0.5) / 1e8), rel=1e-7
    )


def test_growth() -> None:
    """E[f^2] of soft_exponential is of order e^(2 alpha^2): an integrand with its peak far from 0."""
    for alpha in (3.0, 10.0):
        a2 = alpha * alpha
        mean = (math.exp(2 * a2) - 2 * math.exp(a2 / 2) + 1) / a2 + 2 * (math.exp(a2 / 2) - 1) + a2
        assert actc.init.gain("soft_exponential", alpha=alpha) == pytest.approx(1 / math.sqrt(mean), rel=1e-12)
    assert actc.init.gain("soft_exponential", alpha=50.0) == 0


def test_where_the_mean_is_zero() -> None:
    assert actc.init.gain("threshold", threshold=1e3) == math.inf
    assert actc.init.gain("binary_step", "backward") == math.inf
    assert actc.init.gain("relu", "forward") == actc.init.gain("threshold", threshold=0, value=0)


def test_names_and_functions() -> None:
    for row in ROWS:
        f = actc.elementwise[row.name]
        gains = {actc.init.gain(of) for of in (row.name, row.unique_name, f, actc.exact.elementwise[row.name])}
        assert gains == {row.gain} == {f.info["gain"]}
        assert actc.init.gain(f, "backward") == row.derivative_gain == f.info["derivative_gain"]
        if row.parameters:  # defaults said aloud are the defaults
            assert actc.init.gain(f, **row.parameters) == row.gain
    assert actc.init.gain("hardtanh") == actc.init.gain("hard_tanh")


@pytest.mark.parametrize("pass_", PASSES)
def test_halves_and_hinges(pass_: str) -> None:
    """crelu against its own vectors, summed as its neighbours sum them; apl against the mean square of the moments."""
    z, w = np.polynomial.hermite_e.hermegauss(200)
    w = w / w.sum()
    y = actc.crelu(z[:, None])
    if pass_ == "forward":
        wanted = 1 / math.sqrt(w @ (y**2).mean(1))
    else:  # unit gradients of random sign at both outputs
        wanted = 1 / math.sqrt(w @ (actc.crelu.derivative(z[:, None]) ** 2).sum(1))
    for f in ("crelu", actc.crelu, actc.exact.crelu):
        assert actc.init.gain(f, pass_) == pytest.approx(wanted, rel=1e-14)
        assert actc.init.gain(f, pass_) == f.info[PASSES[pass_]] if not isinstance(f, str) else True
    assert actc.init.gain("apl", pass_, a=[0.0], b=[0.0]) == pytest.approx(math.sqrt(2), rel=1e-13)
    assert actc.init.gain("apl", pass_, a=[-1.0], b=[0.0]) == pytest.approx(1, rel=1e-13)
    slopes = actc.init.gain("leaky_relu", pass_, negative_slope=0.3)
    assert actc.init.gain(actc.exact.apl, pass_, a=[-0.4, 0.1], b=np.zeros(2)) == pytest.approx(slopes, rel=1e-13)
    a, b = [0.2, -0.1], [0.5, -1.0]
    grid = np.linspace(-12, 12, 2_400_001)
    f = actc.apl if pass_ == "forward" else actc.apl.derivative
    square = np.trapezoid(f(grid, a, b) ** 2 * np.exp(-grid * grid / 2), grid) / math.sqrt(2 * math.pi)
    assert actc.init.gain("apl", pass_, a=a, b=b) == pytest.approx(1 / math.sqrt(square), rel=1e-5)


def test_every_function_has_a_gain_or_says_what_it_needs() -> None:
    """All of actc.functions; nothing else."""
    for name, f in actc.functions.items():
        if "required" in f.info:
            with pytest.raises(ValueError, match=r"apl needs its hinges, a and b.*a and b not given"):
                actc.init.gain(name)
            with pytest.raises(ValueError, match="needs its hinges"):
                actc.init.he_normal((3, 3), gain=f)
        else:
            assert actc.init.gain(name) == actc.init.gain(f) == f.info["gain"] > 0
    assert actc.init.he_normal((3, 3), gain="crelu").shape == (3, 3)
    others = [
        *actc.row_functions,
        *actc.gates,
        "rrelu",
        "maxout_layer",
        "functions",
        "isa",
        "preset",
        "init",
        "__name__",
    ]
    for name in set(others) - set(actc.functions):
        for f in (name, getattr(actc, name)):
            with pytest.raises(ValueError, match=r"expected one of actc\.functions"):
                actc.init.gain(f)


def test_hinges_that_do_not_fit() -> None:
    for error, message, given in (
        (ValueError, "b not given", dict(a=[1.0])),
        (ValueError, r"not a \(2,\), b \(1,\)", dict(a=[1.0, 2.0], b=[1.0])),
        (ValueError, r"not a \(\), b \(\)", dict(a=1.0, b=1.0)),
        (TypeError, "a must hold numbers, not complex128", dict(a=[1j], b=[1.0])),
        (TypeError, "apl has no parameter 'c'; it has: a, b", dict(c=1.0)),
    ):
        with pytest.raises(error, match=message):
            actc.init.gain("apl", **given)


def test_errors() -> None:
    with pytest.raises(ValueError, match="unknown activation function 'rellu'"):
        actc.init.gain("rellu")
    with pytest.raises(ValueError, match="unknown activation function"):
        actc.init.gain(np.tanh)
    with pytest.raises(ValueError, match="forward, backward, not 'sideways'"):
        actc.init.gain("relu", "sideways")
    with pytest.raises(TypeError, match="elu has no parameter 'beta'; it has: alpha"):
        actc.init.gain("elu", beta=1)
    with pytest.raises(TypeError, match="relu has no parameter 'alpha'; it has: none"):
        actc.init.gain("relu", alpha=1)
    with pytest.raises(TypeError, match="alpha must be a number, not longdouble"):
        actc.init.gain("elu", alpha=np.longdouble(0.5))
    with pytest.raises(TypeError, match="alpha must be a number, not list"):
        actc.init.gain("elu", alpha=[1.0])


def test_quadrature_against_moments() -> None:
    """Of polynomials the moments are known."""
    for power, moment in ((0, 1), (1, 1), (2, 3), (3, 15), (8, 2027025)):
        assert mean_square(lambda z: z**power) == pytest.approx(moment, rel=1e-14)  # noqa: B023
    assert special_points("t_l, t_r", {"t_l": 1.5, "t_r": 100.0}) == [0.0, 1.5, -1.5, 1.5]
