"""An `nn.Module` for every function: torch's own classes, computing with actc, and others of the same kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

import actc
from actc import _preset_rows, _presets
from actc.interop import _call


class Activation(nn.Module):  # type: ignore[misc]
    """A function as a module; its parameters are attributes, and learnt where given as `nn.Parameter`."""

    name: str
    function: Callable[..., torch.Tensor]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        for parameter, value in _call.values(self.name, args, kwargs).items():
            setattr(self, parameter, value)

    def forward(self, *x: torch.Tensor) -> torch.Tensor:
        return self.function(*x, *[getattr(self, p) for p in _call.DEFAULTS[self.name]])

    def extra_repr(self) -> str:
        return ", ".join(f"{p}={getattr(self, p)}" for p in _call.DEFAULTS[self.name])


def _elementwise(functions: Mapping[str, Any], row: Any) -> Any:
    """A `forward` that finds its parameters where torch's own does."""

    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        given = {p: getattr(self, p) for p in row.parameters}
        name, values = row.rule(**given) if row.rule else (row.actc, given.values())
        if row.actc == "prelu" and self.weight.numel() > 1 and x.ndim > 2:  # one a channel, along axis 1
            values = (self.weight.reshape(-1, *[1] * (x.ndim - 2)),)
        if "upper" in given and self.training:  # of rrelu, by torch's own generator
            values = (torch.empty_like(x).uniform_(self.lower, self.upper),)
        return functions[name](x, *values)  # type: ignore[no-any-return]

    return forward


def _of_rows(functions: Mapping[str, Any], row: Any) -> Any:
    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        axis = row.fixed.get("axis", getattr(self, "dim", None))
        if not isinstance(axis, int):
            raise TypeError(f"{type(self).__name__}: dim must be an integer, not {axis!r}")
        if row.actc in actc.row_functions:
            return functions[row.actc](x, axis=axis)  # type: ignore[no-any-return]
        if x.shape[axis] % 2:
            raise ValueError(f"{type(self).__name__}: dimension {axis} of {tuple(x.shape)} has no two equal halves")
        return functions[row.actc](*x.chunk(2, axis))  # type: ignore[no-any-return]

    return forward


def classes(module: str, functions: Mapping[str, Any]) -> dict[str, Any]:
    """Torch's classes with torch's parameters where it has one; for the others a name like `BentIdentity`."""
    made, left = {}, dict(functions)
    for table, forward in ((_presets._TABLES["torch"], _elementwise), (_preset_rows.TABLES["torch"], _of_rows)):
        for names, row in table.items():
            for name in (n for n in names.split() if n[0].isupper()):
                left.pop(row.actc, None)
                members = {"forward": forward(functions, row), "__doc__": f"`torch.nn.{name}`, computed by actc."}
                made[name] = type(name, (getattr(nn, name),), members)
    for name, function in left.items():
        members = {"name": name, "function": staticmethod(function)}
        members["__doc__"] = f"`{name}` as a module: {function.__signature__}."
        made[_title(name)] = type(_title(name), (Activation,), members)
    for made_class in made.values():
        made_class.__module__ = module
    return made


def _title(name: str) -> str:
    return name.title().replace("_", "")
