"""Type stub of actc, printed from the table by `python -m actc._stubs`."""

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actc import exact as exact
from actc import views as views

_Array: TypeAlias = NDArray[Any]

class _Function(Protocol):
    """y = f(x)"""

    __name__: str
    formula: str
    parameters: Mapping[str, float]
    @overload
    def __call__(self, x: np.floating[Any] | float, /) -> Any: ...
    @overload
    def __call__(self, x: ArrayLike, /, out: _Array | None = ..., **kwargs: Any) -> _Array: ...
    def derivative(self, x: ArrayLike, /, out: _Array | None = ..., **kwargs: Any) -> _Array: ...
    def backward(self, g: ArrayLike, x: ArrayLike, /, out: _Array | None = ..., **kwargs: Any) -> _Array: ...
    def value_and_derivative(
        self, x: ArrayLike, /, out: tuple[_Array | None, _Array | None] = ..., **kwargs: Any
    ) -> tuple[_Array, _Array]: ...

class _FunctionOfNegativeSlope(Protocol):
    """y = f(x, negative_slope)"""

    __name__: str
    formula: str
    parameters: Mapping[str, float]
    def __call__(self, x: ArrayLike, /, negative_slope: ArrayLike = ..., out: _Array | None = ..., **kwargs: Any) -> Any: ...
    def derivative(self, x: ArrayLike, /, negative_slope: ArrayLike = ..., out: _Array | None = ..., **kwargs: Any) -> Any: ...
    def backward(self, g: ArrayLike, x: ArrayLike, /, negative_slope: ArrayLike = ..., out: _Array | None = ..., **kwargs: Any) -> Any: ...
    def value_and_derivative(self, x: ArrayLike, /, negative_slope: ArrayLike = ..., **kwargs: Any) -> tuple[Any, Any]: ...
    def parameter_backward(self, g: ArrayLike, x: ArrayLike, /, negative_slope: ArrayLike = ...) -> dict[str, Any]: ...

class _FunctionOfAlpha(Protocol):
    """y = f(x, alpha)"""

    __name__: str
    formula: str
    parameters: Mapping[str, float]
    def __call__(self, x: ArrayLike, /, alpha: ArrayLike = ..., out: _Array | None = ..., **kwargs: Any) -> Any: ...
    def derivative(self, x: ArrayLike, /, alpha: ArrayLike = ..., out: _Array | None = ..., **kwargs: Any) -> Any: ...
    def backward(self, g: ArrayLike, x: ArrayLike, /, alpha: ArrayLike = ..., out: _Array | None = ..., **kwargs: Any) -> Any: ...
    def value_and_derivative(self, x: ArrayLike, /, alpha: ArrayLike = ..., **kwargs: Any) -> tuple[Any, Any]: ...
    def parameter_backward(self, g: ArrayLike, x: ArrayLike, /, alpha: ArrayLike = ...) -> dict[str, Any]: ...

class _FunctionOfBeta(Protocol):
    """y = f(x, beta)"""

    __name__: str
    formula: str
    parameters: Mapping[str, float]
    def __call__(self, x: ArrayLike, /, beta: ArrayLike = ..., out: _Array | None = ..., **kwargs: Any) -> Any: ...
    def derivative(self, x: ArrayLike, /, beta: ArrayLike = ..., out: _Array | None = ..., **kwargs: Any) -> Any: ...
    def backward(self, g: ArrayLike, x: ArrayLike, /, beta: ArrayLike = ..., out: _Array | None = ..., **kwargs: Any) -> Any: ...
    def value_and_derivative(self, x: ArrayLike, /, beta: ArrayLike = ..., **kwargs: Any) -> tuple[Any, Any]: ...
    def parameter_backward(self, g: ArrayLike, x: ArrayLike, /, beta: ArrayLike = ...) -> dict[str, Any]: ...

__version__: str
functions: Mapping[str, Any]

def isa() -> str: ...
def isas() -> list[str]: ...
def use_isa(name: str) -> str: ...
def cpu_features() -> dict[str, bool]: ...
def show_config() -> None: ...
def get_include() -> str: ...
def get_library() -> str: ...
def get_library_dir() -> str: ...
def get_cmake_dir() -> str: ...
def __getattr__(name: str) -> Any: ...

identity: _Function
identity_derivative: Any
identity_backward: Any
identity_value_and_derivative: Any
linear: _Function
linear_derivative: Any
linear_backward: Any
linear_value_and_derivative: Any
relu: _Function
relu_derivative: Any
relu_backward: Any
relu_value_and_derivative: Any
leaky_relu: _FunctionOfNegativeSlope
leaky_relu_derivative: Any
leaky_relu_backward: Any
leaky_relu_value_and_derivative: Any
leaky_relu_parameter_backward: Any
prelu: _FunctionOfAlpha
prelu_derivative: Any
prelu_backward: Any
prelu_value_and_derivative: Any
prelu_parameter_backward: Any
elu: _FunctionOfAlpha
elu_derivative: Any
elu_backward: Any
elu_value_and_derivative: Any
elu_parameter_backward: Any
selu: _Function
selu_derivative: Any
selu_backward: Any
selu_value_and_derivative: Any
sigmoid: _Function
sigmoid_derivative: Any
sigmoid_backward: Any
sigmoid_value_and_derivative: Any
logistic: _Function
logistic_derivative: Any
logistic_backward: Any
logistic_value_and_derivative: Any
tanh: _Function
tanh_derivative: Any
tanh_backward: Any
tanh_value_and_derivative: Any
softplus: _FunctionOfBeta
softplus_derivative: Any
softplus_backward: Any
softplus_value_and_derivative: Any
softplus_parameter_backward: Any
softsign: _Function
softsign_derivative: Any
softsign_backward: Any
softsign_value_and_derivative: Any
silu: _Function
silu_derivative: Any
silu_backward: Any
silu_value_and_derivative: Any
gelu: _Function
gelu_derivative: Any
gelu_backward: Any
gelu_value_and_derivative: Any
mish: _Function
mish_derivative: Any
mish_backward: Any
mish_value_and_derivative: Any
