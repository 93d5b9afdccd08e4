"""Differentiable functions for HIPS autograd: see `help(actc.interop)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd.extend import defjvp, defvjp, primitive
from autograd.numpy.numpy_vjps import unbroadcast_f

from actc.interop import _call


def _refuse(name: str, kind: str) -> Any:
    def rule(*_: Any, **__: Any) -> Any:
        raise NotImplementedError(f"{name}: actc has no derivative of {kind} with respect to this")

    return rule


def _sums(name: str, parameter: str) -> Any:
    """The rule of one parameter, whose gradient comes summed to its shape."""
    find = _call.pass_of(name, "parameter_backward")
    once = primitive(lambda g, x, *p: find(g, x, *p)[parameter])
    defvjp(once, *[_refuse(name, "parameter_backward")] * (2 + len(_call.DEFAULTS[name])))
    return lambda y, x, *p: lambda g: once(g, x, *p)


def _primitive(name: str) -> Any:
    """f with its rules, and those of its backward pass and of f', which make it twice differentiable."""
    f, slope, curve, back = (
        primitive(_call.pass_of(name, kind)) for kind in ("", "derivative", "second_derivative", "backward")
    )
    parameters = list(_call.DEFAULTS[name])
    of_parameters = {
        kind: [_refuse(name, kind)] * len(parameters) for kind in ("backward", "derivative", "forward mode")
    }
    defvjp(
        f,
        lambda y, x, *p: unbroadcast_f(x, lambda g: back(g, x, *p)),
        *(_sums(name, parameter) for parameter in parameters),
    )
    defvjp(
        back,
        lambda y, g, x, *p: unbroadcast_f(g, lambda h: back(h, x, *p)),
        lambda y, g, x, *p: unbroadcast_f(x, lambda h: h * g * curve(x, *p)),
        *of_parameters["backward"],
    )
    defvjp(slope, lambda y, x, *p: unbroadcast_f(x, lambda g: g * curve(x, *p)), *of_parameters["derivative"])
    defvjp(curve, *[_refuse(name, "second_derivative")] * (1 + len(parameters)))
    defjvp(f, lambda t, y, x, *p: t * slope(x, *p), *of_parameters["forward mode"])
    defjvp(slope, lambda t, y, x, *p: t * curve(x, *p), *of_parameters["forward mode"])
    defjvp(
        back,
        lambda t, y, g, x, *p: back(t, x, *p),
        lambda t, y, g, x, *p: t * g * curve(x, *p),
        *of_parameters["forward mode"],
    )
    return f


def _function(name: str) -> Any:
    f = _primitive(name)
    return lambda x, /, *args, **kwargs: f(x, *_call.values(name, args, kwargs).values())


_FUNCTIONS = _call.functions(__name__, _function)
if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...  # functions and classes come from the table


globals().update(_FUNCTIONS)
__all__ = list(_FUNCTIONS)
