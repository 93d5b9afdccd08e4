"""`actc.interop.autograd`, for HIPS autograd."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import same_bits
from tables import NAMES, X, need, other

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


def test_refusals() -> None:
    with pytest.raises(TypeError, match=r"at most 1 parameters \(alpha\)"):
        A.elu(1.0, 1, 2)
    with pytest.raises(TypeError, match="'beta' is none of its parameters"):
        A.elu(1.0, beta=2)
