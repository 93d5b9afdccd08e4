"""From the table of gates to the Python surface: the ufuncs y = a f(b), and `packed`, which takes one array."""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping
from typing import Any

import numpy as np

from actc import _core, _surface

# layout -> where value and gate lie along the axis: first or second, halves or elements in turn
LAYOUTS = {
    "value_gate": (0, False),
    "gate_value": (1, False),
    "value_gate_interleaved": (0, True),
    "gate_value_interleaved": (1, True),
}
_KEYWORDS = dict(where=True, casting="same_kind", order="K", dtype=None, subok=True)
_LAYOUTS_TEXT = """layout : str, default "value_gate"
    How value and gate lie along the axis, in order of memory:

    - "value_gate": two halves, the value first. torch F.glu, jax and keras glu, diffusers GEGLU, ggml's _swapped.
    - "gate_value": two halves, the gate first. ggml_swiglu and the like, Phi-3 in transformers, vLLM SiluAndMul.
    - "value_gate_interleaved": value at even, gate at odd places.
    - "gate_value_interleaved": gate at even, value at odd places. gpt-oss in transformers.

    Llama in transformers keeps two arrays: {name}(up, gate).
axis : int, default -1
    The axis that holds both; its length is even."""


def _split(x: np.ndarray, layout: str, axis: int, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Views of the value and the gate."""
    if layout not in LAYOUTS:
        raise ValueError(f"{name}: unknown layout {layout!r}; layouts are {', '.join(map(repr, LAYOUTS))}")
    if x.ndim == 0:
        raise ValueError(f"{name}: x has no axis to split: it is 0-dimensional")
    axis = _axis(axis, x.ndim, name)
    length = x.shape[axis]
    if length % 2:
        raise ValueError(
            f"{name}: axis {axis} of x holds value and gate and must have an even length, not {length}; "
            f"x has shape {x.shape}"
        )
    value, interleaved = LAYOUTS[layout]
    parts = []
    for part in (value, 1 - value):
        cut = slice(part, None, 2) if interleaved else slice(part * (length // 2), (part + 1) * (length // 2))
        parts.append(x[(slice(None),) * axis + (cut,)])
    return parts[0], parts[1]


def _axis(axis: int, ndim: int, name: str) -> int:
    try:
        index = axis.__index__()
    except AttributeError:
        raise TypeError(f"{name}: axis must be an integer, not {type(axis).__name__}") from None
    if not -ndim <= index < ndim:
        raise ValueError(f"{name}: axis {index} is out of range for an array of {ndim} dimensions")
    return index % ndim


def packed(gate: Any, f: np.ufunc, backward: np.ufunc, exact: bool) -> Any:
    """The function `f.packed` of one gate, and its attribute `backward`."""
    P = inspect.Parameter
    name = ("exact." if exact else "") + gate.name + ".packed"
    parameters = [P(n, P.POSITIONAL_OR_KEYWORD, default=v) for n, v in gate.parameters.items()]
    options = [P(n, P.KEYWORD_ONLY, default=v) for n, v in dict(layout="value_gate", axis=-1, out=None).items()]

    def settings(called: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Only parameters may reach the ufunc, which has options of its own."""
        if len(args) > len(parameters):
            raise TypeError(f"{called}() takes at most {len(parameters)} parameters, but {len(args)} were given")
        for unknown in kwargs.keys() - gate.parameters.keys():
            raise TypeError(f"{called}() got an unexpected keyword argument {unknown!r}")

    def forward(
        x: Any, /, *args: Any, layout: str = "value_gate", axis: int = -1, out: Any = None, **kwargs: Any
    ) -> Any:
        settings(name, args, kwargs)
        a, b = _split(np.asanyarray(x), layout, axis, name)
        return f(a, b, *args, out=out, **kwargs)

    def gradient(
        g: Any, x: Any, /, *args: Any, layout: str = "value_gate", axis: int = -1, out: Any = None, **kwargs: Any
    ) -> Any:
        called = name + ".backward"
        settings(called, args, kwargs)
        x, kind = np.asanyarray(x), _surface.adaptable(g)
        a, b = _split(x, layout, axis, called)
        shape = np.shape(g)
        if len(shape) > a.ndim or any(n not in (1, m) for n, m in zip(shape[::-1], a.shape[::-1], strict=False)):
            raise ValueError(f"{called}: g has shape {shape}, the result of {name} {a.shape}")
        if out is None:
            given = (kind, a.dtype, b.dtype, *[np.dtype(np.float64)] * len(parameters), None, None)
            out = np.empty_like(x, dtype=backward.resolve_dtypes(given)[-1])
        elif not isinstance(out, np.ndarray):
            raise TypeError(f"{called}: out must be an array, not {type(out).__name__}")
        elif out.shape != x.shape:
            raise ValueError(f"{called}: out has shape {out.shape}, x {x.shape}")
        backward(g, a, b, *args, out=_split(out, layout, axis, called), **kwargs)
        return out

    for function, inputs, text in ((forward, "x", _PACKED), (gradient, "gx", _PACKED_BACKWARD)):
        function.__signature__ = inspect.Signature([P(n, P.POSITIONAL_ONLY) for n in inputs] + parameters + options)  # type: ignore[attr-defined]
        function.__module__ = "actc"
        described = "".join(
            f"{n} : float or array_like, default {v:g}\n    As in `{gate.name}`.\n" for n, v in gate.parameters.items()
        )
        layouts = _LAYOUTS_TEXT.format(name=gate.name)
        function.__doc__ = text.format(name=gate.name, formula=gate.formula, settings=described, layouts=layouts)
    forward.__name__, forward.__qualname__ = "packed", ("exact_" if exact else "") + gate.unique_name + ".packed"
    gradient.__name__, gradient.__qualname__ = "backward", forward.__qualname__ + ".backward"
    forward.backward = gradient  # type: ignore[attr-defined]
    return forward


_PACKED = """{name} of one array that holds both the value a and the gate b.

    y = {formula}

Parameters
----------
x : array_like
    Value and gate.
{settings}{layouts}
out : ndarray, optional
    Where to write: x's shape with half the length of the axis.

Returns
-------
y : ndarray
    Half as long as x along the axis. No part of x is copied.

Raises
------
ValueError
    If the axis is out of range or of odd length, or the layout unknown; nothing is written.
"""
_PACKED_BACKWARD = """Gradient through {name}.packed, both halves in one pass.

Parameters
----------
g : array_like
    Gradient with respect to y.
x : array_like
    Value and gate, as {name}.packed took them.
{settings}{layouts}
out : ndarray, optional
    Where to write; may be x itself.

Returns
-------
gx : ndarray
    Of x's shape and layout.

Raises
------
ValueError
    As {name}.packed, and if g does not have the shape of y or out that of x; nothing is written.
"""


def signature(gate: Any, kind: str) -> inspect.Signature:
    P = inspect.Parameter
    return inspect.Signature(
        [P(n, P.POSITIONAL_ONLY) for n in ("gab" if kind else "ab")]
        + [P(n, P.POSITIONAL_OR_KEYWORD, default=v) for n, v in gate.parameters.items()]
        + [P("out", P.POSITIONAL_OR_KEYWORD, default=(None, None) if kind else None)]
        + [P(n, P.KEYWORD_ONLY, default=v) for n, v in _KEYWORDS.items()]
    )


def docstring(gate: Any, kind: str, exact: bool) -> str:
    """The numpydoc text of one ufunc, from its row."""
    name = ("exact." if exact else "") + gate.name + ("." + kind if kind else "")
    summary = (
        f"Both gradients through {gate.name} in one pass." if kind else f"{gate.activation}-gated product, a f(b)."
    )
    lines = [f"{name}{signature(gate, kind)}", "", summary, "", f"    y     = {gate.formula}"]
    lines += [f"    dy/da = {gate.value_gradient}", f"    dy/db = {gate.gate_gradient}", ""]
    lines += ["Parameters", "----------"]
    if kind:
        lines += ["g : array_like", "    Gradient with respect to y."]
    lines += [
        "a : array_like",
        "    The value: float16, bfloat16, float32 or float64; bool and integers are converted.",
    ]
    lines += ["b : array_like", "    The gate. Both broadcast, and the common type of the arrays is computed in."]
    for parameter, default in gate.parameters.items():
        lines += [f"{parameter} : float or array_like, default {default:g}"]
        lines += ["    Broadcasts; computed as float64, and never changes the dtype of the result."]
    written = "tuple of ndarray" if kind else "ndarray"
    lines += [f"out : {written}, optional", "    Where to write; may be the inputs themselves.", "**kwargs"]
    lines += ["    where, casting, order, dtype, subok: see `numpy.ufunc`.", "", "Returns", "-------"]
    if kind:
        lines += ["ga, gb : tuple of ndarray or scalar", "    The IEEE products g f(b) and g a f'(b); 0*inf is NaN."]
    else:
        lines += ["y : ndarray or scalar", "    The IEEE product of a and f(b), rounded once; 0*inf is NaN."]
    lines += ["", "Raises", "------", "TypeError", "    If a or b is complex, longdouble, a string or an object."]
    lines += ["ValueError", "    If shapes do not broadcast; nothing is written.", "", "Notes", "-----"]
    lines += [f"f is `actc.{gate.activation}`, kinks and limits included."]
    if kind:
        lines += ["Error at most 4 ULP in float32 and 6 in float64, away from the zeros of f'."]
    elif exact:
        lines += [
            "Correctly rounded in float16, bfloat16 and float32, as far as tested; as the default tier in float64."
        ]
    else:
        lines += ["Error at most 2 ULP in float32, 4 in float64; float16 and bfloat16 are correctly rounded."]
    lines += [f"`{gate.name}.packed` takes value and gate in one array, in any layout.", ""]
    if gate.parameters:
        p = next(iter(gate.parameters))
        lines += [f"The gradient for {p}: `{gate.activation}.parameter_backward(g*a, b, {p})`.", ""]
    lines += [f"Elsewhere: {gate.elsewhere}.", "", "References", "----------", f".. [1] {gate.reference}."]
    return "\n".join(lines)


def build(exact: bool) -> tuple[Mapping[str, np.ufunc], dict[str, Any]]:
    """All gates of one tier, and every flat name that reaches them."""
    by_name: dict[str, np.ufunc] = {}
    flat: dict[str, Any] = {}
    for gate in _core.gates():
        made = {kind: _core.make_gate(gate.index, "_" + kind if kind else "", exact) for kind in ("", "backward")}
        for kind, ufunc in made.items():
            ufunc.__module__, ufunc.__qualname__ = "actc", ufunc.__name__
            ufunc.__doc__, ufunc.__signature__ = docstring(gate, kind, exact), signature(gate, kind)
            for name in dict.fromkeys([gate.name, gate.unique_name]):
                flat[f"{name}_{kind}" if kind else name] = ufunc
        f = by_name[gate.name] = made[""]
        f.info = types.MappingProxyType({**vars(gate), "parameters": dict(gate.parameters)})
        f.formula, f.parameters = gate.formula, types.MappingProxyType(gate.parameters)
        f.backward = made["backward"]
        f.packed = packed(gate, f, f.backward, exact)
    return types.MappingProxyType(by_name), flat
