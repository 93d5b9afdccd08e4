"""Diagnostics: counted by hand, against closed forms, and against differences of the network itself."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import actc
from actc import diagnostics, init


def test_sparsity() -> None:
    y = np.array([[0.0, -0.0, 1e-45], [np.nan, 0.0, -2.0]], np.float32)
    assert diagnostics.sparsity(y) == 0.5
    np.testing.assert_array_equal(diagnostics.sparsity(y, axis=0), [0.5, 1, 0])
    np.testing.assert_allclose(diagnostics.sparsity(y, axis=(1,)), [2 / 3, 1 / 3])
    z = np.random.default_rng(0).standard_normal(100_000)
    assert diagnostics.sparsity(actc.relu(z)) == pytest.approx(0.5, abs=0.01)
    assert diagnostics.sparsity(actc.elu(z)) == 0
    assert diagnostics.sparsity(0) == 1


def test_dead_units(dtype: Any) -> None:
    z = np.array([[-1, 2, -3, 0, np.nan], [-5, -6, -7, 0, -1]], dtype)
    np.testing.assert_array_equal(diagnostics.dead_units("relu", z), [True, False, True, True, False])
    np.testing.assert_array_equal(diagnostics.dead_units(actc.leaky_relu, z), [False] * 5)
    np.testing.assert_array_equal(
        diagnostics.dead_units("leaky_relu", z, negative_slope=0), [True, False, True, True, False]
    )
    np.testing.assert_array_equal(diagnostics.dead_units("relu", z, axis=1), [False, True])
    images = np.stack([z] * 3, axis=1)  # samples, pixels, units
    np.testing.assert_array_equal(diagnostics.dead_units("relu", images, axis=(0, 1)), [True, False, True, True, False])


def test_saturation_is_a_matter_of_scale(row: Any) -> None:
    """Its thresholds are where the slope is what the definition says; scaling the function changes nothing."""
    f = actc.elementwise[row.name]
    z = np.linspace(-6, 6, 4001)
    for threshold in (0.0, 0.05, 0.5):
        wanted = np.abs(f.derivative(z)) <= (threshold / row.derivative_gain if row.derivative_gain < math.inf else 0)
        assert diagnostics.saturation(f, z, threshold) == wanted.mean()
    if row.name == "binary_step":
        assert diagnostics.saturation(f, z) == 1


def test_saturation_of_known_functions() -> None:
    z = np.linspace(-10, 10, 200_001)
    assert 10 - 10 * diagnostics.saturation("sigmoid", z) == pytest.approx(4.526, abs=1e-3)
    assert 10 - 10 * diagnostics.saturation("tanh", z) == pytest.approx(2.374, abs=1e-3)
    assert diagnostics.saturation("relu", z) == pytest.approx(0.5, abs=1e-4)
    assert diagnostics.saturation("identity", z) == 0
    narrow = diagnostics.saturation("hard_tanh", z, min_val=-2.0, max_val=2.0)
    assert narrow == pytest.approx(0.8, abs=1e-4)
    np.testing.assert_array_equal(diagnostics.saturation("relu", [[1, -1], [np.nan, -2]], axis=0), [0, 1])


def test_moments(dtype: Any) -> None:
    y = np.random.default_rng(0).normal(3, 2, (200, 50)).astype(dtype)
    wide = y.astype(np.float64)
    for axis in (None, 0, (0, 1), -1):
        found = diagnostics.moments(y, axis)
        np.testing.assert_allclose(found.mean, wide.mean(axis), rtol=1e-14)
        np.testing.assert_allclose(
            found.variance, ((wide - wide.mean(axis, keepdims=True)) ** 2).mean(axis), rtol=1e-12
        )
    large = diagnostics.moments(np.full(100_000, 60000, np.float16))
    assert large == (60000, 0) and large.mean.dtype == np.float64
    for y, mean in (([1.0, math.inf, -math.inf], math.nan), ([1.0, math.inf], math.inf), ([1.0, math.nan], math.nan)):
        np.testing.assert_array_equal(diagnostics.moments(y), (mean, math.nan))
    for y in ([1j], ["1"], [None]):
        for f in (diagnostics.moments, diagnostics.sparsity):
            with pytest.raises(TypeError, match="must hold real numbers"):
                f(y)
    with pytest.raises(TypeError, match="must hold real numbers, not complex128"):
        diagnostics.moments(np.ones(3) + 1j)


def test_halves_and_hinges() -> None:
    """The two of actc.functions that are no rows of the table."""
    z = np.array([[-1.0, 2.0, 0.0], [-3.0, -0.5, 1.0]])
    assert diagnostics.saturation("crelu", z) == 7 / 12  # each z, 0 aside, is flat in one half
    np.testing.assert_array_equal(diagnostics.dead_units("crelu", z), [True, False, False, False, False, True])
    hinges = dict(a=[0.5], b=[0.0])
    assert diagnostics.saturation("apl", z, **hinges) == 1 / 6  # its slope at 0 counts none of the pieces
    np.testing.assert_array_equal(diagnostics.dead_units("apl", z, a=[0.0], b=[0.0]), diagnostics.dead_units("relu", z))
    with pytest.raises(ValueError, match="apl needs its hinges"):
        diagnostics.saturation("apl", z)
    for name in ("softmax", "glu"):
        with pytest.raises(ValueError, match=r"expected one of actc\.functions"):
            diagnostics.saturation(name, z)
    weights = [np.eye(3), np.ones((6, 2))]
    b = diagnostics.preactivations("crelu", weights, z)[1]
    np.testing.assert_array_equal(b, np.abs(z).sum(1, keepdims=True) * np.ones(2))
    found = diagnostics.gradient_attenuation("crelu", [np.eye(3)], z[:, [0, 1, 1]], np.ones((2, 6)))
    np.testing.assert_allclose(found, [1, 1])


def network(f: Any, layers: int, width: int, gain: Any, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [init.he_normal((width, width), gain, layout="keras", rng=rng, dtype=float) for _ in range(layers)]


def test_preactivations() -> None:
    rng = np.random.default_rng(1)
    weights = [rng.standard_normal(s) for s in ((4, 7), (7, 3), (3, 2))]
    x = rng.standard_normal((5, 4))
    a, b, c = diagnostics.preactivations("elu", weights, x, alpha=0.5)
    np.testing.assert_array_equal(a, x @ weights[0])
    np.testing.assert_array_equal(b, actc.elu(a, 0.5) @ weights[1])
    np.testing.assert_array_equal(c, actc.elu(b, 0.5) @ weights[2])


@pytest.mark.parametrize("f", ["tanh", "sigmoid", "gelu"])
def test_gradient_against_differences(f: str) -> None:
    """One sample, so that the gradient with respect to x is all of it."""
    rng = np.random.default_rng(2)
    weights, x, g = network(f, 4, 6, 1.0), rng.standard_normal((1, 6)), rng.standard_normal((1, 6))

    def loss(x: np.ndarray) -> float:
        return float((g * actc.elementwise[f](diagnostics.preactivations(f, weights, x)[-1])).sum())

    h = 1e-6
    gradient = [(loss(x + h * e) - loss(x - h * e)) / (2 * h) for e in np.eye(6)]
    found = diagnostics.gradient_attenuation(f, weights, x, g)
    assert len(found) == 5 and found[-1] == 1
    assert found[0] == pytest.approx(math.sqrt(np.mean(np.square(gradient)) / np.mean(g**2)), rel=1e-6)


def test_the_backward_gain_keeps_the_gradient(row: Any) -> None:
    """One layer on normal inputs: the gradient keeps its size with the backward gain, which is what that is for."""
    if math.isinf(row.derivative_gain):
        assert diagnostics.gradient_attenuation(row.name, network(row.name, 1, 64, 1.0), np.ones((2, 64)))[0] == 0
        return
    x = np.random.default_rng(3).standard_normal((128, 512))
    weights = network(row.name, 1, 512, 1.0)  # z is as normal as x
    found = diagnostics.gradient_attenuation(row.name, weights, x, rng=4)[0]
    assert found * row.derivative_gain == pytest.approx(1, rel=0.05)


def test_attenuation_beyond_the_range_of_squares() -> None:
    """A gradient of 1e-200 is vanished, not 0."""
    weights = [1e-50 * np.eye(3)] * 4
    found = diagnostics.gradient_attenuation("identity", weights, np.ones((2, 3)), np.ones((2, 3)))
    np.testing.assert_allclose(found, [1e-200, 1e-150, 1e-100, 1e-50, 1], rtol=1e-13)


def test_rng() -> None:
    weights, x = network("tanh", 3, 8, 1.0), np.ones((4, 8))
    first = diagnostics.gradient_attenuation("tanh", weights, x, rng=5)
    np.testing.assert_array_equal(diagnostics.gradient_attenuation("tanh", weights, x, rng=5), first)
    assert (diagnostics.gradient_attenuation("tanh", weights, x, rng=6) != first)[:-1].all()


def test_errors() -> None:
    x, w, layers = np.ones((3, 4)), np.ones((4, 5)), diagnostics.preactivations
    for words, call in (
        ("unknown activation function 'rellu'", lambda: diagnostics.dead_units("rellu", x)),
        ("unknown activation function", lambda: diagnostics.saturation(np.tanh, x)),
        (r"nothing to count: shape \(0, 4\), axis 0", lambda: diagnostics.dead_units("relu", x[:0])),
        (r"nothing to count: shape \(0, 4\), axis None", lambda: diagnostics.sparsity(x[:0])),
        (r"nothing to count: shape \(3, 0\)", lambda: diagnostics.moments(x[:, :0], axis=1)),
        ("axis 2 is out of bounds", lambda: diagnostics.moments(x, axis=2)),
        ("threshold must not be negative, not -1", lambda: diagnostics.saturation("relu", x, -1)),
        ("threshold must not be negative, not nan", lambda: diagnostics.saturation("relu", x, math.nan)),
        (r"x must be of shape \(samples, inputs\), not \(3,\)", lambda: layers("relu", [w], x[:, 0])),
        (r"weights\[1\] must be of shape \(5, outputs\), not \(4, 5\)", lambda: layers("relu", [w, w], x)),
        ("weights is empty", lambda: diagnostics.gradient_attenuation("relu", [], x)),
        (r"g must be of shape \(3, 5\), .*, not \(3, 4\)", lambda: diagnostics.gradient_attenuation("relu", [w], x, x)),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=words):
            call()
    with pytest.raises(TypeError, match="relu has no parameter 'alpha'"):
        diagnostics.saturation("relu", x, alpha=1)
