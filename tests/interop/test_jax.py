"""`actc.interop.jax`, and JAX's arrays as such."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import same_bits
from tables import NAMES, ROWS, TWICE, X, need, other, other_of

import actc

jax: Any = need("jax")
jnp: Any = need("jax.numpy")
J: Any = need("actc.interop.jax")
FUNCTIONS = [name for name in NAMES if name != "apl"]
every = pytest.mark.parametrize("name", FUNCTIONS)
SMOOTH = np.array([-3.37, -1.71, -0.61, -0.23, 0.29, 0.61, 1.73, 3.37], np.float32)


@every
def test_values(name: str) -> None:
    """The bits of actc: plain, jitted, mapped; numbers as parameters keep the precision of a double."""
    f, g, given = getattr(J, name), actc.elementwise[name], other(name)
    for dtype in (jnp.float16, jnp.bfloat16, jnp.float32):
        x = jnp.asarray(X, dtype)
        wanted = g(np.asarray(x), **given)
        same_bits(f(x, **given), wanted)
        same_bits(jax.jit(lambda x: f(x, **given))(x), wanted)
        same_bits(jax.vmap(lambda x: f(x, **given))(x.reshape(4, 6)), wanted.reshape(4, 6))


@every
def test_gradients(name: str) -> None:
    """The bits of actc's passes, under grad, jit and vmap; a third derivative is refused."""
    f, g, given = getattr(J, name), actc.elementwise[name], other(name)
    once = jax.grad(lambda x: f(x, **given))
    twice = jax.grad(once)
    for wrap in (jax.vmap, lambda h: jax.jit(jax.vmap(h)), lambda h: jax.vmap(jax.jit(h))):
        same_bits(wrap(once)(SMOOTH), g.derivative(SMOOTH, **given))
        same_bits(wrap(twice)(SMOOTH), g.second_derivative(SMOOTH, **given))
    with pytest.raises(NotImplementedError, match=f"{name}: actc has no derivative of second_derivative"):
        jax.grad(twice)(1.0)


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if actc.elementwise[n].parameters])
def test_parameters(name: str) -> None:
    """Arrays of any shape that broadcasts have gradients, each element of a batch its own."""
    f, g = getattr(J, name), actc.elementwise[name]
    given = {p: jnp.float32(v) for p, v in other(name).items()}
    x = SMOOTH.reshape(4, 2)

    def total(p: Any, x: Any) -> Any:
        return f(x, **p).sum()

    wanted = g.parameter_backward(np.ones_like(x), x, **{p: np.asarray(v) for p, v in given.items()})
    for how in (jax.grad(total), jax.jit(jax.grad(total))):
        for p, d in how(given, x).items():
            same_bits(d, wanted[p].astype(np.float32))
    wide = {p: jnp.full((2,), v) for p, v in given.items()}
    wanted = g.parameter_backward(np.ones_like(x), x, **{p: np.asarray(v) for p, v in wide.items()})
    for p, d in jax.grad(total)(wide, x).items():
        same_bits(d, wanted[p].astype(np.float32))
    batch = {p: jnp.linspace(v, 1.5 * v, 3) for p, v in given.items()}
    mapped = jax.vmap(jax.grad(total), in_axes=(0, None))(batch, x)
    for i in range(3):
        for p, d in jax.grad(total)({q: v[i] for q, v in batch.items()}, x).items():
            same_bits(mapped[p][i], d)
    with pytest.raises(NotImplementedError, match=f"{name}: actc has no derivative of backward"):
        jax.grad(lambda p: jax.grad(total, 1)(p, x).sum())(given)


@pytest.mark.parametrize("name", ROWS)
def test_rows(name: str) -> None:
    """Along any axis, jitted and mapped; the gradient is that of actc, the second that of differences."""
    f, g, x = getattr(J, name), actc.row_functions[name], jnp.asarray(X.reshape(2, 3, 4))
    for axis in (-1, 0, 1):
        same_bits(f(x, axis=axis), g(np.asarray(x), axis=axis))
        same_bits(jax.jit(lambda x: f(x, axis=axis))(x), g(np.asarray(x), axis=axis))  # noqa: B023
    same_bits(jax.vmap(lambda x: f(x, axis=0))(x), g(np.asarray(x), axis=1))
    y = g(np.asarray(x))
    weight = np.random.default_rng(2).standard_normal(y.shape).astype(np.float32)

    def gradient(x: Any, weight: Any) -> Any:
        return jax.grad(lambda x: (f(x) * weight).sum())(x)

    wanted = g.backward(weight, y if g.info["backward_from"] == "y" else np.asarray(x))
    for how in (gradient, jax.jit(gradient), jax.vmap(gradient)):
        same_bits(how(x, weight), wanted)
    same_bits(jax.vmap(gradient, (0, None))(x, weight[0])[0], wanted[0])
    v, step = jnp.asarray(np.random.default_rng(3).standard_normal(x.shape), jnp.float32), 2.0**-6
    if name not in TWICE:
        with pytest.raises(NotImplementedError, match=f"{name}: actc has no derivative of backward"):
            jax.vjp(lambda x: gradient(x, weight), x)
        return
    found = jax.grad(lambda x: (gradient(x, weight) * v).sum())(x)
    other_side = jnp.asarray(np.random.default_rng(4).standard_normal(x.shape), jnp.float32)
    difference = gradient(x + step * other_side, weight) - gradient(x - step * other_side, weight)
    assert np.allclose((found * other_side).sum(), (difference * v).sum() / (2 * step), atol=0.02)


@pytest.mark.parametrize("name", actc.gates)
def test_gates(name: str) -> None:
    f, g, given = getattr(J, name), actc.gates[name], other_of(actc.gates[name])
    a, b = X.reshape(4, 6), X[::-1].reshape(4, 6) * np.float32(0.75)

    def gradient(a: Any, b: Any) -> Any:
        return jax.grad(lambda a, b: f(a, b, **given).sum(), (0, 1))(a, b)

    same_bits(f(a, b, **given), g(a, b, **given))
    for how in (gradient, jax.jit(gradient), jax.vmap(gradient)):
        for d, wanted in zip(how(a, b), g.backward(np.ones_like(a), a, b, **given), strict=True):
            same_bits(d, wanted)
    same_bits(jax.vmap(lambda a: f(a, b[0], **given))(a), g(a, b[0], **given))
    if "limit" not in given:
        curve = jax.vmap(jax.vmap(jax.grad(jax.grad(lambda b, a: f(a, b, **given)))))(b, a)
        parameters = given if name == "swiglu" else {}
        wanted = actc.elementwise[g.info["activation"]].second_derivative(b, **parameters) * a
        np.testing.assert_allclose(curve, wanted, rtol=1e-5, atol=1e-6)


def test_ranks_under_vmap() -> None:
    """A batched parameter of lower rank than x lines up as without the batch."""
    x, alpha = jnp.asarray(X.reshape(4, 6)), jnp.linspace(0.1, 1, 18).reshape(3, 6)
    for h in (lambda a: J.elu(x, a), lambda a: jax.grad(lambda x: J.elu(x, a).sum())(x)):
        mapped = jax.vmap(h)(alpha)
        for i in range(3):
            same_bits(mapped[i], h(alpha[i]))
    alpha = jnp.linspace(0.1, 1, 24).reshape(4, 6)
    same_bits(jax.vmap(J.elu, in_axes=(1, 1))(x, alpha), actc.elu(X.reshape(4, 6), np.asarray(alpha)).T)


def test_zero_keeps_its_sign() -> None:
    """Parameters are told apart by their bits, where 0.0 == -0.0."""
    x = jnp.float32(-1)
    for _ in range(2):
        assert np.signbit(J.prelu(x, 0.0)) != np.signbit(J.prelu(x, -0.0))
        assert np.isnan(J.elu(x, float("nan")))


def test_large_arrays_from_within_a_computation() -> None:
    """Callbacks and the computations around them do not wait for each other."""
    x = jnp.linspace(-3, 3, 3_000_000)
    y = jax.jit(lambda x: J.silu(J.gelu(x * 2) + 1).sum())(x)
    assert np.isfinite(y)
    assert jax.jit(jax.grad(lambda x: J.silu(J.gelu(x * 2) + 1).sum()))(x).shape == x.shape


def test_training_step() -> None:
    rng = np.random.default_rng(0)
    params = {
        "w": jnp.asarray(rng.standard_normal((1, 16)), jnp.float32),
        "v": jnp.zeros((16, 1)),
        "alpha": jnp.float32(1),
    }
    x = jnp.linspace(-2, 2, 64)[:, None]

    def loss(p: Any) -> Any:
        return jnp.square(J.elu(x @ p["w"], p["alpha"]) @ p["v"] - jnp.abs(x)).mean()

    step = jax.jit(lambda p: jax.tree.map(lambda a, g: a - 0.05 * g, p, jax.grad(loss)(p)))
    before = loss(params)
    for _ in range(200):
        params = step(params)
    assert loss(params) < before / 10
    assert params["alpha"] != 1


def test_refusals() -> None:
    with pytest.raises(TypeError, match="temperature must be a number, not"):
        J.softmax(X, jnp.ones(3))
    with pytest.raises(ValueError, match="axis 1"):
        J.softmax(X, axis=1)
    with pytest.raises(TypeError, match=r"silu\(\) takes an array of floating-point numbers, not of int32"):
        J.silu(jnp.arange(3))
    with pytest.raises(TypeError, match=r"at most 1 parameters \(alpha\)"):
        J.elu(1.0, 1, 2)
    with pytest.raises(TypeError, match="'beta' is none of its parameters"):
        J.elu(1.0, beta=2)
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jvp(J.silu, (1.0,), (1.0,))
    with pytest.raises(ValueError, match=r"(?i)broadcast"):
        J.elu(jnp.ones(3), jnp.ones(2))


@pytest.mark.parametrize("name", NAMES)
def test_bare_ufuncs(name: str) -> None:
    """An array of NumPy comes back; under jit there is nothing to compute with."""
    f = actc.functions[name]
    given = dict(a=[0.5], b=[0.0]) if name == "apl" else {}
    same_bits(f(jnp.asarray(X), **given), f(X, **given))
    with pytest.raises((TypeError, jax.errors.TracerArrayConversionError)):
        jax.jit(lambda x: f(x, **given))(jnp.asarray(X))
