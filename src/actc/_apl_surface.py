"""APL for Python: the names, docstrings and `parameter_backward` of the gufuncs in `_others`."""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping
from typing import Any

import numpy as np

from actc import _core, _others, _surface

_ROW = _core.apl()
INFO: Mapping[str, Any] = types.MappingProxyType(
    {**_surface.info(_ROW), "required": ("a", "b"), "gain": None, "derivative_gain": None}
)
_RETURNS = {
    "": "y : f(x), of x's dtype.",
    "derivative": "d : f'(x), of x's dtype.",
    "second_derivative": "d2 : f''(x), which is 0 (NaN for NaN).",
    "backward": "gx : g*f'(x).",
    "value_and_derivative": "y, d : f(x) and f'(x).",
}


def docstring(kind: str) -> str:
    """The numpydoc text of one pass."""
    inputs = "g, x, a, b" if kind == "backward" else "x, a, b"
    g = "g : array_like\n    Gradient with respect to f(x).\n" if kind == "backward" else ""
    return f"""apl{"." + kind if kind else ""}({inputs}, out=None, **kwargs)

Adaptive piecewise linear unit, a gufunc over the last axis of its hinges.

    f(x)   = max(0, x) + sum over s of a[s] max(0, b[s] - x)
    f'(x)  = [x > 0] - sum over s of a[s] [x < b[s]]
    f''(x) = 0

Parameters
----------
{g}x : array_like
    Input: float16, bfloat16, float32 or float64; bool and integers are converted.
a, b : array_like
    Slopes and places of the hinges, S of each on the last axis; required. The axes before it broadcast against x, so
    a of shape (C, S) has hinges of its own for each of C channels on x's last axis. Computed as float64.
out : ndarray, optional
    Where to write; may be x itself.
**kwargs
    axes, casting, order, dtype, subok: see `numpy.ufunc`.

Returns
-------
{_RETURNS[kind]}

Raises
------
TypeError
    If x is complex, longdouble, a string or an object, or a or b is missing.
ValueError
    If a and b differ in their last axis or shapes do not broadcast; nothing is written.

Notes
-----
f(-inf) is the limit: infinite unless the slopes add up to 0. At a kink the flat side counts: f'(0) takes [0 > 0] = 0,
and at x = b a hinge counts 0. Sums run in pairs of doubles and are rounded once, in both tiers.

References
----------
.. [1] {INFO["reference"]}.
"""


def parameter_backward(sums: np.ufunc) -> Any:
    """The function `apl.parameter_backward`."""

    def function(g: Any, x: Any, /, a: Any, b: Any) -> dict[str, Any]:
        """Gradients with respect to the hinges of apl.

        Parameters
        ----------
        g : array_like
            Gradient with respect to f(x).
        x : array_like
            The input of f.
        a, b : array_like
            The hinges that f was called with.

        Returns
        -------
        dict
            "a" and "b": the float64 sums of g*max(0, b - x) and g*a*[x < b] over every axis along which a and b were
            broadcast, in their shapes. The order of summation is fixed (pairwise).
        """
        g, x, a, b = map(np.asarray, (g, x, a, b))
        if not a.ndim or not b.ndim or a.shape[-1] != b.shape[-1]:
            raise ValueError(f"apl.parameter_backward: a and b need as many hinges each: a {a.shape}, b {b.shape}")
        return _surface.summed("apl.parameter_backward", sums, g, x, {"a": a, "b": b}, own=1)

    return function


def build(exact: bool) -> tuple[np.ufunc, dict[str, Any]]:
    """apl of one tier, and every flat name that reaches its passes."""
    P = inspect.Parameter
    made: dict[str, Any] = {}
    for kind in _RETURNS:
        ufunc = made[kind] = _others.make_apl(kind, exact)
        ufunc.__module__ = "actc"
        ufunc.__qualname__ = ufunc.__name__
        ufunc.__doc__ = docstring(kind)
        names = ["g", "x"] if kind == "backward" else ["x"]
        out: Any = (None, None) if kind == "value_and_derivative" else None
        ufunc.__signature__ = inspect.Signature(
            [P(n, P.POSITIONAL_ONLY) for n in names]
            + [P(n, P.POSITIONAL_OR_KEYWORD) for n in "ab"]
            + [P("out", P.POSITIONAL_OR_KEYWORD, default=out), P("kwargs", P.VAR_KEYWORD)]
        )
    function = made["parameter_backward"] = parameter_backward(_others.make_apl("parameter_sums", exact))
    function.__name__ = function.__qualname__ = ("exact_" if exact else "") + "apl_parameter_backward"
    function.__module__ = "actc"
    f = made[""]
    f.info, f.formula, f.parameters = INFO, _ROW.formula, INFO["parameters"]
    for kind, g in made.items():
        if kind:
            setattr(f, kind, g)
    return f, {f"apl_{kind}" if kind else "apl": g for kind, g in made.items()}
