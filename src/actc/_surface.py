"""From the table to the Python surface: attributes, names, signatures and docstrings."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Mapping
from typing import Any

import numpy as np

from actc import _core

ALIASES = {
    "logistic": "sigmoid",
    "hardtanh": "hard_tanh",
    "hardsigmoid": "hard_sigmoid",
    "hardswish": "hard_swish",
    "logsigmoid": "log_sigmoid",
}
PASSES = ("derivative", "second_derivative", "backward", "value_and_derivative")

_SUMMARY = {
    "": "{name}(x{p}), elementwise.",
    "derivative": "Derivative of {name} with respect to x, elementwise.",
    "second_derivative": "Second derivative of {name} with respect to x, elementwise.",
    "backward": "Gradient through {name}: g times the derivative at x, fused.",
    "value_and_derivative": "{name}(x{p}) and its derivative in one pass.",
}
_RETURNS = {
    "": (
        "y : ndarray or scalar\n"
        "    f(x), of x's dtype (float32 for bool and 8- and 16-bit integers, float64 for wider ones)."
    ),
    "derivative": "d : ndarray or scalar\n    f'(x), of x's dtype.",
    "second_derivative": "d2 : ndarray or scalar\n    f''(x), of x's dtype.",
    "backward": "gx : ndarray or scalar\n    The IEEE product g*f'(x), f' not rounded first; 0*inf is NaN.",
    "value_and_derivative": "y, d : tuple of ndarray or scalar\n    f(x) and f'(x), of x's dtype.",
}


INFO = (
    "name", "unique_name", "parameters", "formula", "derivative", "second_derivative", "domain", "range", "limits",
    "kinks", "kink", "zeros", "monotonicity", "lipschitz", "gain", "derivative_gain", "special",
    "reference", "elsewhere",
)  # fmt: skip


def info(row: Any) -> Mapping[str, Any]:
    """The row as a read-only mapping: `f.info`."""
    return types.MappingProxyType({k: getattr(row, k) for k in INFO} | {"parameters": dict(row.parameters)})


def signature(row: Any, kind: str) -> inspect.Signature:
    """The call signature of one ufunc, as `help` and editors show it."""
    return _signature(tuple(row.parameters.items()), kind)[0]


@functools.cache  # most rows share theirs, and making one takes longer than making the ufunc
def _signature(parameters: tuple[tuple[str, float], ...], kind: str) -> tuple[inspect.Signature, str]:
    P = inspect.Parameter
    inputs = ["g", "x"] if kind == "backward" else ["x"]
    out: Any = (None, None) if kind == "value_and_derivative" else None
    made = inspect.Signature(
        [P(n, P.POSITIONAL_ONLY) for n in inputs]
        + [P(n, P.POSITIONAL_OR_KEYWORD, default=v) for n, v in parameters]
        + [P("out", P.POSITIONAL_OR_KEYWORD, default=out)]
        + [
            P(n, P.KEYWORD_ONLY, default=v)
            for n, v in dict(where=True, casting="same_kind", order="K", dtype=None, subok=True).items()
        ]
    )
    return made, str(made)


def docstring(row: Any, kind: str, exact: bool) -> str:
    """The numpydoc text of one ufunc, from its row."""
    p = "".join(f", {n}" for n in row.parameters)
    name = ("exact." if exact else "") + row.name
    lines = [f"{name}{'.' + kind if kind else ''}{_signature(tuple(row.parameters.items()), kind)[1]}", ""]
    lines += [_SUMMARY[kind].format(name=row.name, p=p), ""]
    lines += [f"    f(x)   = {row.formula}", f"    f'(x)  = {row.derivative}"]
    lines += [f"    f''(x) = {row.second_derivative}", ""]
    lines += ["Parameters", "----------"]
    if kind == "backward":
        lines += ["g : array_like", "    Gradient with respect to f(x)."]
    lines += ["x : array_like", "    Input: float16, bfloat16, float32 or float64; bool and integers are converted."]
    for parameter, default in row.parameters.items():
        lines += [f"{parameter} : float or array_like, default {default:g}"]
        lines += ["    Broadcasts against x; computed as float64, and never changes the dtype of the result."]
    lines += ["out : ndarray, optional", "    Where to write; may be x itself.", "**kwargs"]
    lines += ["    where, casting, order, dtype, subok: see `numpy.ufunc`.", ""]
    lines += ["Returns", "-------", _RETURNS[kind], ""]
    lines += ["Raises", "------", "TypeError"]
    lines += [f"    If x{' or a parameter' if row.parameters else ''} is complex, longdouble, a string or an object."]
    lines += ["ValueError", "    If shapes do not broadcast; nothing is written.", "", "Notes", "-----"]
    lines += [f"Domain: {row.domain}. Range: {row.range}. Monotonicity: {row.monotonicity}."]
    lines += [f"f(-inf), f(inf); f'(-inf), f'(inf); f''(-inf), f''(inf): {row.limits}. NaN gives NaN."]
    lines += [f"Lipschitz constant: {row.lipschitz}."]
    lines += [f"Gain at default parameters: {row.gain:.7g}; of gradients: {row.derivative_gain:.7g} (see `actc.init`)."]
    if row.kinks:
        lines += [f"Kinks: {row.kinks}. Convention there: {row.kink}."]
    if row.zeros:
        lines += [f"f' is 0 at x = {row.zeros}{'' if row.zeros.endswith('...') else '.'}"]
    if row.special:
        lines += [f"f(x) at special parameters, the first case that holds: {row.special}."]
        lines += ["At other invalid ones: what the formula gives in IEEE arithmetic, NaN where it has no value."]
    lines += accuracy(row, kind, exact)
    lines += ["Never emits a floating-point warning.", ""]
    lines += [
        f"Elsewhere: {row.elsewhere or 'no other library has it'}.",
        "",
        "References",
        "----------",
        f".. [1] {row.reference}.",
    ]
    return "\n".join(lines)


def accuracy(row: Any, kind: str, exact: bool) -> list[str]:
    """What one pass promises of its errors."""
    beside = "Within 1/4 of an isolated zero r of the result, r not 0, in ULP of the larger result at r - 1 and r + 1."
    if kind in ("backward", "second_derivative"):
        return ["Error at most 4 ULP in every type.", beside]
    settings = " at default parameters, at others within 0.5000001 ULP" if row.parameters else ""
    if exact:
        tail = "within 1 ULP" if row.exact_f64_is_paired else "as in the default tier"
        return [f"Correctly rounded in float16, bfloat16 and float32{settings}.", f"In float64 {tail}."]
    return [
        f"Error at most 2 ULP in float32, 4 in float64; float16 and bfloat16 are correctly rounded{settings}.",
        beside,
    ]


def adaptable(a: Any) -> Any:
    """What `resolve_dtypes` takes for an operand: Python's numbers adapt to the arrays beside them."""
    return type(a) if type(a) in (int, float) else np.asanyarray(a).dtype


def summed(
    where: str, sums: np.ufunc, g: np.ndarray, x: np.ndarray, values: Mapping[str, np.ndarray], own: int = 0
) -> dict[str, Any]:
    """Gradients of `values`, each in its shape: over every axis along which it was broadcast `sums` adds up, a gufunc
    over the last axis of g and x. The last `own` axes of the values take no part in broadcasting."""
    try:
        shape = np.broadcast_shapes(g.shape, x.shape, *(v.shape[: v.ndim - own] for v in values.values()))
    except ValueError:
        shapes = ", ".join(f"{n} {v.shape}" for n, v in {"g": g, "x": x, **values}.items())
        raise ValueError(f"{where}: shapes do not broadcast: {shapes}") from None
    ndim = len(shape)
    padded = [v.reshape((1,) * (ndim + own - v.ndim) + v.shape) for v in values.values()]
    kept = [a for a in range(ndim) if any(v.shape[a] != 1 for v in padded)]
    rest = [a for a in range(ndim) if a not in kept]
    outer = tuple(shape[a] for a in kept)
    count = int(np.prod([shape[a] for a in rest], dtype=np.intp))
    flat = [np.broadcast_to(v, shape).transpose(kept + rest).reshape(*outer, count) for v in (g, x)]
    totals = sums(*flat, *(v.reshape([v.shape[a] for a in kept] + list(v.shape[ndim:])) for v in padded))
    gradients = {}
    for n, p, total in zip(values, padded, totals if len(values) > 1 else [totals], strict=True):
        wide = np.asarray(total).reshape([shape[a] if a in kept else 1 for a in range(ndim)] + list(p.shape[ndim:]))
        more = tuple(a for a in kept if p.shape[a] == 1)
        if more:
            with np.errstate(all="ignore"):  # infinities of both signs
                wide = np.add.reduce(wide, axis=more, keepdims=True)
        gradients[n] = wide.reshape(values[n].shape)[()]
    return gradients


def parameter_backward(row: Any, sums: np.ufunc, exact: bool) -> Any:
    """The function `f.parameter_backward` of one row; `sums` adds up over the last axis."""
    names = list(row.parameters)

    def function(g: Any, x: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        bound = call_signature.bind(g, x, *args, **kwargs)
        bound.apply_defaults()
        g, x = np.asarray(g), np.asarray(x)
        values = [np.asarray(bound.arguments[n]) for n in names]
        for n, v in zip(names, values, strict=True):
            if (v.dtype.kind not in "biuf" and v.dtype.kind != "V") or v.dtype.char == "g":
                raise TypeError(f"{row.name}.parameter_backward: {n} must be real, not {v.dtype}")
        return summed(f"{row.name}.parameter_backward", sums, g, x, dict(zip(names, values, strict=True)))

    P = inspect.Parameter
    call_signature = inspect.Signature(
        [P("g", P.POSITIONAL_ONLY), P("x", P.POSITIONAL_ONLY)]
        + [P(n, P.POSITIONAL_OR_KEYWORD, default=v) for n, v in row.parameters.items()]
    )
    function.__signature__ = call_signature  # type: ignore[attr-defined]
    function.__name__ = function.__qualname__ = ("exact_" if exact else "") + row.unique_name + "_parameter_backward"
    function.__module__ = "actc"
    function.__doc__ = f"""Gradients with respect to the parameters of {row.name}.

Parameters
----------
g : array_like
    Gradient with respect to f(x).
x : array_like
    The input of f; shapes of g, x and the parameters broadcast.
{", ".join(names)} : float or array_like
    The parameters that f was called with.

Returns
-------
dict
    For each parameter the float64 sum of g*df/dp over every axis along which it was broadcast, in the parameter's
    shape. The order of summation is fixed (pairwise), so the bits do not depend on chance.
"""
    return function


def build(exact: bool) -> tuple[Mapping[str, np.ufunc], dict[str, Any]]:
    """All functions of one tier, and every flat name that reaches them."""
    by_name: dict[str, np.ufunc] = {}
    flat: dict[str, Any] = {}
    for row in _core.rows():
        public = dict.fromkeys([row.name, row.unique_name])
        made: dict[str, Any] = {}
        for kind in ("", *PASSES):
            ufunc = _core.make_ufunc(row.index, "_" + kind if kind else "", exact)
            ufunc.__module__ = "actc"
            ufunc.__qualname__ = ufunc.__name__
            ufunc.__doc__ = docstring(row, kind, exact)
            ufunc.__signature__ = signature(row, kind)
            made[kind] = ufunc
        if row.parameters:
            sums = _core.make_ufunc(row.index, "_parameter_sums", exact)
            made["parameter_backward"] = parameter_backward(row, sums, exact)
        f = made[""]
        f.info, f.formula, f.parameters = info(row), row.formula, types.MappingProxyType(row.parameters)
        for kind, g in made.items():
            if kind:
                setattr(f, kind, g)
            for name in public:
                flat[f"{name}_{kind}" if kind else name] = g
        by_name[row.name] = f
    for alias, name in ALIASES.items():
        if name in by_name:
            for kind in ("", *PASSES, "parameter_backward"):
                suffix = "_" + kind if kind else ""
                if name + suffix in flat:
                    flat[alias + suffix] = flat[name + suffix]
    return types.MappingProxyType(by_name), flat
