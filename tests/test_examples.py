"""The examples run, draw, and say what their numbers say; and what they say of the claims is what it is known to be.

With --quick, and with limits of the tests' own: an example's verdict is a comparison that could be wrong itself.
"""

from __future__ import annotations

import functools
import importlib
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import actc

FOLDER = Path(__file__).resolve().parents[1] / "examples"
pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="needs the source tree")
pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

# The claims of each in their order: True holds, False does not, None depends on how much is trained
VERDICTS: dict[str, list[bool | None]] = {
    "vanishing_gradient": [True, True, False],
    "dead_relu": [True, True, True, False],
    "zero_centred": [True, True, False, True, None],
    "self_normalising": [True, True, True],
    "xavier_he": [True, True, None, False, False, False],
    "convergence": [None, True, False, False, None],
    "sparsity": [True, True, True, True, True],
    "maxout": [True, True, False, False, True],
}


@pytest.fixture(scope="module", autouse=True)
def path() -> Iterator[None]:
    """Examples import each other by bare names, as scripts do."""
    before = set(sys.modules)
    sys.path.insert(0, str(FOLDER))
    yield
    sys.path.remove(str(FOLDER))
    for name in set(sys.modules) - before:
        if str(FOLDER) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@functools.cache
def measured(name: str) -> tuple[ModuleType, Any]:
    """One example, and what it measured."""
    example = importlib.import_module(name)
    return example, example.measure(True)


def test_all_are_here() -> None:
    scripts = {p.stem for p in FOLDER.glob("*.py")} - {"common", "digits", "scale_out"}  # tests/interop has that one
    assert scripts == set(VERDICTS)


@pytest.mark.parametrize("name", VERDICTS)
def test_verdicts(name: str, tmp_path: Path, capsys: Any, monkeypatch: Any) -> None:
    """The whole script, with what it measured kept for the tests below."""
    example, found = measured(name)
    monkeypatch.setattr(example, "measure", lambda quick: found if quick else pytest.fail("--quick is lost"))
    common = importlib.import_module("common")
    assert common.main(example, ["--quick", str(tmp_path / "picture.png")]) == 0
    assert (tmp_path / "picture.png").stat().st_size > 20_000
    printed = capsys.readouterr().out
    claims = example.claims(found)
    assert len(claims) == len(VERDICTS[name])
    for claim, known in zip(claims, VERDICTS[name], strict=True):
        assert known is None or bool(claim.holds) == known, claim
        assert f"{'holds' if claim.holds else 'DOES NOT HOLD'}: {claim.said}\n    {claim.measured}" in printed


def test_vanishing_gradient() -> None:
    _, found = measured("vanishing_gradient")
    assert found["sigmoid", "Xavier"][5] < 2 * 0.25**5  # 0.25 at most a layer; weights add or take a little
    assert found["sigmoid", "Xavier"][20] < 1e-11
    assert 0.5 < found["relu", "He"][20] < 2.5
    assert found["relu", "Xavier"][20] == pytest.approx(0.5**10, rel=0.8)  # sqrt(1/2) a layer


def test_dead_relu() -> None:
    _, found = measured("dead_relu")
    dead, accuracy = found["relu"]
    assert dead[0].max() < 0.01 and accuracy[0].min() > 0.95
    assert np.nanmax(dead) > 0.3
    for name in ("leaky_relu", "elu"):
        assert np.nanmax(np.where(found[name][1] > 0.95, found[name][0], 0)) == 0


def test_zero_centred() -> None:
    example, found = measured("zero_centred")
    assert found["means"]["sigmoid"].mean == pytest.approx(0.5, abs=0.01)
    assert found["means"]["relu"].mean == pytest.approx(1 / math.sqrt(2 * math.pi), abs=0.01)
    assert found["signs"]["relu"][0] == found["signs"]["sigmoid"][0] == 1
    assert found["signs"]["sigmoid - 1/2"] == [0, 0]
    assert example.one_sign(np.array([[1, -1, 0, 1], [2, -2, 0, -1], [0, -3, 0, 2]])) == pytest.approx(2 / 3)


def test_self_normalising() -> None:
    _, found = measured("self_normalising")
    np.testing.assert_allclose(found["selu"][0], [0.5, 1.5], atol=0.05)
    np.testing.assert_allclose(found["selu"][20:].mean(0), [0, 1], atol=0.1)
    assert found["selu, He's weights"][-1, 1] > 10
    assert found["elu, its own gain"][-1, 1] < 0.8


def test_xavier_he() -> None:
    example, found = measured("xavier_he")
    assert found["spread"]["relu", "Xavier"][20] < 1e-4 * found["spread"]["relu", "He"][20]
    np.testing.assert_allclose(found["spread"]["relu", "own gain"], found["spread"]["relu", "He"], rtol=1e-9)
    assert max(found["spread"]["sigmoid", w][20] for w in example.WEIGHTS) < 1e-12
    assert found["accuracy"]["tanh", "Xavier"] > 0.9 > found["accuracy"]["sigmoid", "Xavier"]


def test_convergence() -> None:
    example, found = measured("convergence")
    for name in example.NAMES:
        losses, accuracy = found[name, example.best_rate(found, name)]
        assert (losses[:, -1] < losses[:, 0]).all() and accuracy.min() > 0.93
    final = {name: np.median(found[name, example.COMMON][0][:, -1]) for name in example.NAMES}
    assert final["sigmoid"] > 5 * max(final[n] for n in example.NAMES if n != "sigmoid")


def test_sparsity() -> None:
    example, found = measured("sparsity")
    assert found["relu", "before"]["paths"][-1] == pytest.approx(0.5**example.LAYERS, rel=0.3)
    assert found["elu", "after"]["zeros"] == [0] * example.LAYERS
    assert 0.3 < np.mean(found["relu", "after"]["zeros"]) < 0.7 and found["relu", "accuracy"] > 0.8


def test_maxout() -> None:
    example, found = measured("maxout")
    for pieces in example.PIECES:
        error, values, errors, used = found["x^2", "one unit", pieces]
        assert error == pytest.approx(np.sqrt(np.mean((values - example.X[:, 0] ** 2) ** 2)))
        assert error == min(errors) >= example.least(pieces)
        assert (used >= 1).all() and (used <= pieces).all()
        convex = np.diff(found["sin(3x)", "one unit", pieces][1], 2)
        assert convex.min() > -1e-12, "a maximum of affine maps"
    assert found["x^2", "one unit", 4][0] < 0.03


@pytest.mark.parametrize("f", ["tanh", "gelu", "relu"])
def test_gradients_of_the_network(f: str) -> None:
    """Against differences of the loss, along a random direction of each weight and bias."""
    common = importlib.import_module("common")
    network = common.Network(f, (5, 7, 6, 4), actc.init.he_normal, 0, shift=0.25, dtype=float)
    network.biases = [b.astype(float) + 0.1 for b in network.biases]
    rng, h = np.random.default_rng(1), 1e-6
    x, labels = rng.standard_normal((9, 5)), rng.integers(0, 4, 9)
    _, gradients = network.gradients(x, labels)
    for layer, pair in enumerate(gradients):
        for values, gradient in zip((network.weights[layer], network.biases[layer]), pair, strict=True):
            direction, losses = rng.standard_normal(values.shape), []
            for sign in (1, -2, 1):
                values += sign * h * direction
                losses.append(network.gradients(x, labels)[0])
            assert (losses[0] - losses[1]) / (2 * h) == pytest.approx((gradient * direction).sum(), rel=1e-5)
