"""Differentiable functions of CPU tensors, and an `nn.Module` for each: see `help(actc.interop)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from actc.interop import _call, _torch_pass
from actc.interop._torch_modules import Activation, classes


def _check(name: str, x: Any) -> torch.Tensor:
    if isinstance(x, torch.Tensor) and x.is_floating_point() and x.device.type == "cpu":
        return x
    found = f"{x.dtype} on {x.device}" if isinstance(x, torch.Tensor) else type(x).__name__
    raise TypeError(f"{name}() takes a floating-point tensor on the CPU, not {found}")


_FUNCTIONS = _call.functions(__name__, _torch_pass.call, _check, torch.moveaxis)
_MODULES = classes(__name__, _FUNCTIONS)
if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...  # functions and classes come from the tables


globals().update(_FUNCTIONS, **_MODULES)
__all__ = ["Activation", *_FUNCTIONS, *_MODULES]
