"""How people write it, and the types that come out; mypy and pyright read this, tests/test_types.py runs them.

A comment that ignores an error stands where there has to be one: both checkers complain of any that is not needed.
"""

from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import actc

Floats = NDArray[np.float32]
x: Floats = np.ones(3, np.float32)
wide: NDArray[np.float64] = np.ones(3)

# An array of floats gives one of its own type, by every name and in every tier
assert_type(actc.gelu(x), Floats)
assert_type(actc.gelu(wide), NDArray[np.float64])
assert_type(actc.gelu.derivative(x), Floats)
assert_type(actc.gelu_derivative(x), Floats)
assert_type(actc.gelu.second_derivative(x), Floats)
assert_type(actc.gelu.backward(x, x), Floats)
assert_type(actc.gelu_backward(x, x), Floats)
assert_type(actc.gelu.value_and_derivative(x), tuple[Floats, Floats])
assert_type(actc.logistic(x, out=x), Floats)
assert_type(actc.elu(x, 0.5), Floats)
assert_type(actc.elu(x, alpha=np.ones(3), where=[True, False, True]), Floats)
assert_type(actc.srelu(x, t_l=-1.0, a_r=0.5), Floats)
assert_type(actc.prelu.backward(x, x, alpha=0.5), Floats)
assert_type(actc.prelu.parameter_backward(x, x, 0.25), dict[str, Any])

# What only the call can tell
result: object = actc.gelu(1.0)
result = actc.gelu([1, 2, 3])
result = actc.gelu(x, dtype=np.float64)


class Column:
    """As a column of a data frame is."""

    def __array_ufunc__(self, *args: Any, **kwargs: Any) -> "Column":
        return self


result = actc.gelu(Column())
result = actc.exact.gelu(x)
result = actc.softmax(x, axis=-1)
result = actc.swiglu(x, x)
result = actc.preset("torch")["gelu"](x)
formula: str = actc.elu.formula
default: float = actc.elu.parameters["alpha"]
for f in actc.functions.values():
    result = f(x)

# Mistakes are found before they run
actc.gelu(x, 0.5, 0.5)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
actc.elu(x, beta=0.5, out=3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
actc.gelu(object())  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
actc.gelu.backward(x)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
actc.gelu.parameter_backward(x, x)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
actc.relu.slope  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # noqa: B018
