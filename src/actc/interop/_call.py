"""The functions that all three libraries have, with actc's names, parameters and defaults."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

import actc
from actc.interop._rules import FUNCTIONS, ROWS, Call

DEFAULTS: dict[str, dict[str, Any]] = {
    name: {**f.parameters, **({"axis": -1} if name in ROWS else {})} for name, f in FUNCTIONS.items()
}


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


def functions(module: str, call: Call, check: Callable[[str, Any], Any], move: Callable[..., Any]) -> dict[str, Any]:
    """One for each name, described as a function of `module`: `check` makes arrays of inputs or refuses them, `move`
    is the library's moveaxis."""
    return {name: _described(module, name, _function(name, call, check, move)) for name in FUNCTIONS}


def _function(name: str, call: Call, check: Callable[[str, Any], Any], move: Callable[..., Any]) -> Any:
    if name not in ROWS:

        def elementwise(x: Any, /, *args: Any, **kwargs: Any) -> Any:
            return call(name, "", check(name, x), *values(name, args, kwargs).values())[0]

        def gate(a: Any, b: Any, /, *args: Any, **kwargs: Any) -> Any:
            return call(name, "", check(name, a), check(name, b), *values(name, args, kwargs).values())[0]

        return gate if name in actc.gates else elementwise

    def row(x: Any, /, *args: Any, **kwargs: Any) -> Any:
        *given, axis = values(name, args, kwargs).values()
        for value in given:
            if not isinstance(value, Real):
                raise TypeError(f"{name}(): {' and '.join(ROWS[name].parameters)} must be a number, not {value!r}")
        y = call(name, "", move(check(name, x), axis, -1), *given)[0]
        return y if ROWS[name].info["shape"] == "reduce" else move(y, -1, axis)

    return row


def _described(module: str, name: str, function: Any) -> Any:
    P, f = inspect.Parameter, FUNCTIONS[name]
    inputs = [P(n, P.POSITIONAL_ONLY) for n in ("ab" if name in actc.gates else "x")]
    own = [P(n, P.POSITIONAL_OR_KEYWORD, default=v) for n, v in DEFAULTS[name].items()]
    function.__name__ = function.__qualname__ = name
    function.__module__, function.__signature__ = module, inspect.Signature([*inputs, *own])
    function.__doc__ = f"{f.formula}\n\nDifferentiable; numbers and limits are those of `actc.{name}`."
    return function
