"""What the three libraries share: one function for each of `actc.elementwise`, and the parameters of a call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import actc

DEFAULTS = {name: dict(f.parameters) for name, f in actc.elementwise.items()}


def pass_of(name: str, kind: str) -> Any:
    """One pass of one function; "" is the forward one."""
    return getattr(actc.elementwise[name], kind) if kind else actc.elementwise[name]


def values(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a call, in the order of the table; in plain words, for torch.compile reads it too."""
    defaults = DEFAULTS[name]
    if len(args) > len(defaults):
        raise TypeError(f"{name}() takes at most {len(defaults)} parameters ({', '.join(defaults)}), not {len(args)}")
    found = dict(zip(defaults, args, strict=False))
    for parameter, value in kwargs.items():
        if parameter not in defaults or parameter in found:
            why = "was given twice" if parameter in found else f"is none of its parameters ({', '.join(defaults)})"
            raise TypeError(f"{name}(): {parameter!r} {why}")
        found[parameter] = value
    return {**defaults, **found}


def functions(module: str, make: Callable[[str], Any]) -> dict[str, Any]:
    """What `make` makes of every name, named and described as a function of `module`."""
    P = inspect.Parameter
    made = {}
    for name, f in actc.elementwise.items():
        function = made[name] = make(name)
        function.__name__ = function.__qualname__ = name
        function.__module__ = module
        own = [P(n, P.POSITIONAL_OR_KEYWORD, default=v) for n, v in DEFAULTS[name].items()]
        function.__signature__ = inspect.Signature([P("x", P.POSITIONAL_ONLY), *own])
        function.__doc__ = f"{f.formula}\n\nDifferentiable; numbers and limits are those of `actc.{name}`."
    return made
