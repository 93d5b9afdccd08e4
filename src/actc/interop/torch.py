"""Differentiable functions of CPU tensors, and an `nn.Module` for each: see `help(actc.interop)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from actc.interop import _call, _torch_pass


def _function(name: str) -> Any:
    def function(x: torch.Tensor, /, *args: Any, **kwargs: Any) -> torch.Tensor:
        if not (isinstance(x, torch.Tensor) and x.is_floating_point() and x.device.type == "cpu"):
            found = f"{x.dtype} on {x.device}" if isinstance(x, torch.Tensor) else type(x).__name__
            raise TypeError(f"{name}() takes a floating-point tensor on the CPU, not {found}")
        return _torch_pass.differentiable(name, "", x, *_call.values(name, args, kwargs).values())

    return function


class Activation(torch.nn.Module):  # type: ignore[misc]
    """A function of the table as a module; its parameters are attributes, and learnt where given as `nn.Parameter`."""

    name: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        for parameter, value in _call.values(self.name, args, kwargs).items():
            setattr(self, parameter, value)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        given = [getattr(self, p) for p in _call.DEFAULTS[self.name]]
        return _FUNCTIONS[self.name](x, *given)  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        return ", ".join(f"{p}={getattr(self, p)}" for p in _call.DEFAULTS[self.name])


_TORCH = {name.lower(): name for name in torch.nn.modules.activation.__all__}
_FUNCTIONS = _call.functions(__name__, _function)
_MODULES: dict[str, Any] = {
    _TORCH.get(name.replace("_", ""), name.title().replace("_", "")): type("", (Activation,), {"name": name})
    for name in _FUNCTIONS
}
for _name, _made in _MODULES.items():
    _made.__name__, _made.__qualname__, _made.__module__ = _name, _name, __name__
    _made.__doc__ = f"`{_made.name}` as a module: {_FUNCTIONS[_made.name].__signature__}."
if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...  # functions and classes come from the table


globals().update(_FUNCTIONS, **_MODULES)
__all__ = ["Activation", *_FUNCTIONS, *_MODULES]
