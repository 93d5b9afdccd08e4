"""`actc.interop.autograd`, for HIPS autograd."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import same_bits
from tables import NAMES, ROWS, TWICE, X, need, other, other_of

import actc

autograd: Any = need("autograd")
check_grads: Any = need("autograd.test_util").check_grads
A: Any = need("actc.interop.autograd")
FUNCTIONS = [name for name in NAMES if name != "apl"]
SMOOTH = np.array([-3.37, -1.71, -0.61, -0.23, 0.29, 0.61, 1.73, 3.37])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients(name: str) -> None:
    """Against differences in both modes; the bits are those of actc's passes; a third derivative is refused."""
    f, g, given = getattr(A, name), actc.elementwise[name], other(name)
    same_bits(f(X, **given), g(X, **given))
    check_grads(lambda x: f(x, **given), modes=["fwd", "rev"], order=2)(SMOOTH)
    once = autograd.elementwise_grad(lambda x: f(x, **given))
    twice = autograd.elementwise_grad(once)
    same_bits(once(SMOOTH), g.derivative(SMOOTH, **given))
    same_bits(twice(SMOOTH), g.second_derivative(SMOOTH, **given))
    with pytest.raises(NotImplementedError, match=f"{name}: actc has no derivative of second_derivative"):
        autograd.elementwise_grad(twice)(SMOOTH)


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if actc.elementwise[n].parameters])
def test_parameters(name: str) -> None:
    f, values = getattr(A, name), list(other(name).values())
    x = SMOOTH.reshape(4, 2)
    for shape in ((), (2,), (4, 1)):
        wide = [np.full(shape, v) for v in values]
        check_grads(lambda *p: f(x, *p), modes=["rev"], order=1)(*wide)
        check_grads(lambda x: f(x, *wide), modes=["fwd", "rev"], order=2)(x)  # noqa: B023
    check_grads(lambda x, p: f(x, p, *values[1:]), modes=["rev"], order=1)(SMOOTH[0], np.full((2, 3), values[0]))
    with pytest.raises(NotImplementedError, match=f"{name}: actc has no derivative of backward"):
        autograd.grad(lambda p: autograd.grad(lambda x: f(x, p, *values[1:]))(0.61))(values[0])
    with pytest.raises(NotImplementedError, match=f"{name}: actc has no derivative of forward mode"):
        autograd.make_jvp(lambda p: f(0.61, p, *values[1:]))(values[0])(1.0)


@pytest.mark.parametrize("name", ROWS)
def test_rows(name: str) -> None:
    f, g, x = getattr(A, name), actc.row_functions[name], X.reshape(2, 3, 4).astype(np.float64)
    for axis in (-1, 0, 1):
        same_bits(f(x, axis=axis), g(x, axis=axis))
    for given in ({}, {p: 0.75 for p in g.parameters}):
        check_grads(lambda x: f(x, axis=1, **given), modes=["rev"], order=1 + (name in TWICE))(x)  # noqa: B023
    if name not in TWICE:
        with pytest.raises(NotImplementedError, match=f"{name}: actc has no derivative of backward"):
            autograd.grad(lambda x: (autograd.grad(lambda x: (f(x) ** 2).sum())(x) ** 2).sum())(x)
    with pytest.raises(NotImplementedError, match=f"{name}: actc has no derivative of forward mode"):
        autograd.make_jvp(f)(x)(x)


@pytest.mark.parametrize("name", actc.gates)
def test_gates(name: str) -> None:
    f, g, given = getattr(A, name), actc.gates[name], other_of(actc.gates[name])
    a, b = X.reshape(4, 6).astype(np.float64), X[:6].astype(np.float64) * 0.75
    same_bits(f(a, b, **given), g(a, b, **given))
    for i, wanted in enumerate(g.backward(np.ones_like(a), a, a + 1, **given)):
        same_bits(autograd.grad(lambda a, b: f(a, b, **given).sum(), i)(a, a + 1), wanted)
    clamped = "limit" in given
    check_grads(lambda a, b: f(a, b, **given), modes=["rev"], order=2 - clamped)(a, b)
    if given and not clamped:
        check_grads(lambda *p: f(a, b, *p), modes=["rev"], order=1)(*given.values())


def test_refusals() -> None:
    with pytest.raises(TypeError, match="temperature must be a number, not array"):
        A.softmax(X, np.ones(3))
    with pytest.raises(ValueError, match="axis 1"):
        A.softmax(X, axis=1)
    with pytest.raises(TypeError, match=r"at most 1 parameters \(alpha\)"):
        A.elu(1.0, 1, 2)
    with pytest.raises(TypeError, match="'beta' is none of its parameters"):
        A.elu(1.0, beta=2)
