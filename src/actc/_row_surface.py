"""From the table of row functions to the Python surface: attributes, names, signatures, docstrings, and the options
that NumPy's gufuncs do not know."""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping
from typing import Any

import numpy as np

from actc import _core, _rows, _surface

INFO = (
    "name", "parameters", "shape", "formula", "backward", "backward_from", "limits", "masked", "empty", "reference",
    "elsewhere",
)  # fmt: skip


def passes_of(row: Any) -> tuple[str, ...]:
    """What there is besides the value. A row that is more than its elements has a matrix for a derivative."""
    return (
        ("derivative", "second_derivative", "backward", "value_and_derivative")
        if row.shape == "doubled"
        else ("backward",)
    )


def inputs_of(row: Any, kind: str) -> list[str]:
    return ["g", row.backward_from] if kind == "backward" else ["x"]


def options_of(row: Any, kind: str) -> dict[str, Any]:
    """Keywords of one gufunc that NumPy has not, with their defaults."""
    options: dict[str, Any] = {}
    if row.shape == "doubled":
        options["axis"] = -1
    if row.masked and (not kind or row.backward_from == "x"):
        options["where"] = True
        if row.empty:
            options["empty"] = "nan"
    return options


# ---- options -----------------------------------------------------------------------------------------------------


def with_options(
    ufunc: Any, row: Any, inputs: int, parameters: int, operands: list[Any], kwargs: dict[str, Any]
) -> Any:
    """The call of `ufunc` with options: by another view of its arrays, never by another kernel."""
    if row.grouped:
        return _grouped(ufunc, row, inputs, operands, kwargs)
    if row.shape == "doubled":
        if "axis" in kwargs:
            axis = _index(kwargs.pop("axis"))
            kwargs["axes"] = [(axis,)] * (ufunc.nin + ufunc.nout)
        return _rows.plain(ufunc, operands, kwargs)
    return _masked(ufunc, row, inputs, parameters, operands, kwargs)


def _index(axis: Any) -> int:
    try:
        return int(axis.__index__())
    except AttributeError:
        raise TypeError(f"axis must be an integer, not {axis!r}") from None


def _masked(ufunc: Any, row: Any, inputs: int, parameters: int, operands: list[Any], kwargs: dict[str, Any]) -> Any:
    where, empty = kwargs.pop("where", True), kwargs.pop("empty", "nan") if row.empty else "nan"
    if empty not in ("nan", "zero"):
        raise ValueError(f'{row.name}: empty must be "nan" or "zero", not {empty!r}')
    if "axes" in kwargs:
        raise TypeError(f"{row.name}() takes axis, not axes, beside where or empty")
    operands[inputs - 1] = x = np.asanyarray(operands[inputs - 1])
    if type(x.dtype) not in _core.promotions():
        return _rows.plain(ufunc, operands, kwargs)  # which has no loop for it, and says so
    fill: Any = np.float64(row.masked)
    axis = _index(kwargs.get("axis", -1))
    if parameters:  # a temperature: below 0 it turns the order around
        values = np.asarray(operands[inputs]).astype(np.float64, casting="same_kind")
        fill = np.where(np.signbit(values), -fill, fill)[..., None]
    if where is not True:
        where = np.asanyarray(where)
        if where.dtype != np.bool_:
            raise TypeError(f"{row.name}: where must be an array of bool, not of {where.dtype}")
        if where.ndim > x.ndim:
            raise ValueError(f"{row.name}: where of shape {where.shape} has more dimensions than x of shape {x.shape}")
        try:
            where = np.broadcast_to(where, x.shape)
        except ValueError:
            raise ValueError(f"{row.name}: where of shape {where.shape} does not broadcast to x, {x.shape}") from None
        if x.dtype.kind in "biu":
            x = x.astype(np.float32 if x.dtype.itemsize < 4 else np.float64)
        rows = np.where(np.moveaxis(where, axis, -1), np.moveaxis(x, axis, -1), fill.astype(x.dtype))
        operands[inputs - 1] = x = np.moveaxis(rows, -1, axis)
    if empty == "nan":
        y = _rows.plain(ufunc, operands, kwargs)
        if row.shape == "map" and not row.empty and where is not True:
            np.copyto(y, 0, where=~where)  # hardmax: what is masked is not chosen, whatever the others are
        return y
    idle = (np.moveaxis(x, axis, -1) == fill).all(-1, keepdims=True)  # before the call, for its result may be x
    y = _rows.plain(ufunc, operands, kwargs)
    np.copyto(y, np.array(float(row.empty), y.dtype), where=np.moveaxis(idle, -1, axis))
    return y


def _grouped(ufunc: Any, row: Any, inputs: int, operands: list[Any], kwargs: dict[str, Any]) -> Any:
    """f(x, pieces, axis): splitting an axis in (groups, pieces) is a view, whatever the strides."""
    outs = operands[inputs + 1 :]
    if len(outs) > 1 or (outs and "out" in kwargs):
        raise TypeError(f"{row.name}() takes one out, by position or by keyword")
    if len(operands) > inputs:
        if "pieces" in kwargs:
            raise TypeError(f"{row.name}() got multiple values for argument 'pieces'")
        pieces = operands[inputs]
    elif "pieces" in kwargs:
        pieces = kwargs.pop("pieces")
    else:
        raise TypeError(f"{row.name}() missing required argument: 'pieces'")
    if "keepdims" in kwargs or "axes" in kwargs:
        raise TypeError(f"{row.name}() takes axis, neither axes nor keepdims")
    arrays = [np.asanyarray(a) for a in operands[:inputs]]
    x = arrays[-1]
    axis, pieces = _groups_of(row, x, pieces, kwargs.pop("axis", -1))
    arrays[-1] = _split(x, axis, pieces)
    out = kwargs.pop("out", None) if not outs else outs[0]
    if isinstance(out, tuple):
        if len(out) != 1:
            raise ValueError(f"{row.name}: out must be one array, not {len(out)}")
        (out,) = out
    if inputs == 1:
        return _rows.plain(ufunc, arrays, {"axis": axis + 1, "out": out, **kwargs})
    groups = arrays[-1].shape[: axis + 1] + arrays[-1].shape[axis + 2 :]
    if arrays[0].shape != groups:
        raise ValueError(f"{row.name}.backward: g has shape {arrays[0].shape}, and {groups} goes with x, {x.shape}")
    if out is not None:
        if not isinstance(out, np.ndarray) or out.shape != x.shape:
            raise ValueError(f"{row.name}.backward: out must be an array of x's shape {x.shape}")
        _rows.plain(ufunc, arrays, {"axis": axis + 1, "out": _split(out, axis, pieces), **kwargs})
        return out
    return _rows.plain(ufunc, arrays, {"axis": axis + 1, **kwargs}).reshape(x.shape)


def _groups_of(row: Any, x: np.ndarray, pieces: Any, axis: Any) -> tuple[int, int]:
    """The axis, counted from the front, and the number of pieces."""
    try:
        n = int(pieces.__index__())
    except AttributeError:
        raise TypeError(f"{row.name}: pieces must be an integer, not {pieces!r}") from None
    if n < 1:
        raise ValueError(f"{row.name}: pieces must be at least 1, not {n}")
    axis = _index(axis)
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"{row.name}: axis {axis} is out of range for x with {x.ndim} dimensions")
    axis %= x.ndim
    if x.shape[axis] % n:
        raise ValueError(f"{row.name}: {x.shape[axis]} elements along axis {axis} do not make groups of {n}")
    return axis, n


def _split(a: np.ndarray, axis: int, pieces: int) -> np.ndarray:
    return a.reshape(*a.shape[:axis], a.shape[axis] // pieces, pieces, *a.shape[axis + 1 :])


def index_function(row: Any, exact: bool) -> Any:
    """f.index(x, pieces, axis=-1) of a grouped function."""

    def index(x: Any, /, pieces: int, axis: int = -1) -> np.ndarray:
        x = np.asanyarray(x)
        if type(x.dtype) not in _core.promotions():
            raise TypeError(f"{row.name}.index: x must be real, of up to 64 bits, not {x.dtype}")
        axis, pieces = _groups_of(row, x, pieces, axis)
        return np.asarray(_split(x, axis, pieces).argmax(axis + 1))

    index.__name__ = index.__qualname__ = ("exact_" if exact else "") + row.name + "_index"
    index.__module__ = "actc"
    index.__doc__ = f"""Which piece of each group {row.name} has chosen: the first of the largest; NaN is the largest.

Parameters
----------
x : array_like
    The input of {row.name}.
pieces : int
    Neighbours in a group.
axis : int, default -1
    The axis along which groups lie.

Returns
-------
ndarray of int
    From 0 to pieces - 1, of the shape of the result of {row.name}.

Raises
------
TypeError
    If x is complex, longdouble, a string or an object.
ValueError
    If pieces does not divide the length of the axis, or the axis is out of range.
"""
    return index


# ---- names and documentation -------------------------------------------------------------------------------------


def signature(row: Any, kind: str) -> inspect.Signature:
    """The call signature of one gufunc, as `help` and editors show it."""
    P = inspect.Parameter
    out: Any = (None, None) if kind == "value_and_derivative" else None
    named = dict(row.parameters)
    keywords: dict[str, Any] = {"axis": -1} | options_of(row, kind)
    if row.shape == "reduce" and not kind and not row.grouped:
        keywords["keepdims"] = False
    keywords |= {"casting": "same_kind", "order": "K", "dtype": None, "subok": True}
    return inspect.Signature(
        [P(n, P.POSITIONAL_ONLY) for n in inputs_of(row, kind)]
        + [P("pieces", P.POSITIONAL_OR_KEYWORD)] * row.grouped
        + [P(n, P.POSITIONAL_OR_KEYWORD, default=v) for n, v in named.items()]
        + [P("out", P.POSITIONAL_OR_KEYWORD, default=out)]
        + [P(n, P.KEYWORD_ONLY, default=v) for n, v in keywords.items()]
    )


_NOTED = ("domain", "range", "kinks", "kink", "monotonicity", "lipschitz")
_SUMMARY = {
    "": "{name} of each row: along one axis.",
    "derivative": "Derivative of {name} with respect to the one element of x that each element depends on.",
    "second_derivative": "Second derivative of {name}, likewise.",
    "backward": "Gradient through {name}, with respect to x.",
    "value_and_derivative": "{name} and its derivative in one pass.",
}


def docstring(row: Any, kind: str, exact: bool) -> str:
    """The numpydoc text of one gufunc, from its row."""
    y, of_length = {"map": ("y[i]", "y another"), "reduce": ("y", "y a number"), "doubled": ("y[i]", "y one of 2n")}[
        row.shape
    ]
    y_is = {
        "map": "of x's shape",
        "reduce": "of x's shape without the axis" if not row.grouped else "of x's shape, the axis divided by pieces",
        "doubled": "of x's shape, the axis twice as long",
    }[row.shape]
    lines = [f"{'exact.' if exact else ''}{row.name}{'.' + kind if kind else ''}{signature(row, kind)}", ""]
    lines += [_SUMMARY[kind].format(name=row.name), ""]
    lines += [f"    {y:5} = {row.formula}", f"    gx[i] = {row.backward}", ""]
    lines += [f"where x is a row of n elements and {of_length}.", "", "Parameters", "----------"]
    for name in inputs_of(row, kind):
        text = {
            "g": f"Gradient with respect to y, {y_is}.",
            "x": "Input: float16, bfloat16, float32 or float64; bool and integers are converted.",
            "y": f"The result of {row.name}, not its input.",
        }[name]
        lines += [f"{name} : array_like", f"    {text}"]
    if row.grouped:
        lines += ["pieces : int", "    Neighbours in a group, which is a row; it must divide the length of the axis."]
    for parameter, default in row.parameters.items():
        lines += [f"{parameter} : float or array_like, default {default:g}"]
        lines += ["    One for all, or one a row; computed as float64, and never changes the dtype of the result."]
    lines += ["out : ndarray, optional", "    Where to write; may be an input of the same shape."]
    lines += ["axis : int, default -1", "    The axis along which rows run."]
    options = options_of(row, kind)
    if "where" in options:
        lines += ["where : array of bool, optional", "    Broadcasts to x. Where False, an element counts as"]
        turned = ", and as its opposite at a negative temperature" if row.parameters else ""
        lines += [f"    {row.masked}{turned}. Not for dask or xarray arrays."]
    if "empty" in options:
        lines += ['empty : {"nan", "zero"}, default "nan"']
        lines += [f"    What becomes of a row of nothing but {row.masked}: NaN, or {row.empty}."]
    if row.shape == "reduce" and not kind and not row.grouped:
        lines += ["keepdims : bool, default False", "    Keep the axis, with length 1."]
    lines += ["**kwargs", "    casting, order, dtype, subok: see `numpy.ufunc`.", "", "Returns", "-------"]
    lines += [
        {
            "": f"y : ndarray or scalar\n    {y_is[0].upper()}{y_is[1:]}, of x's dtype (float32 for bool and 8- and "
            "16-bit integers, float64 for wider ones).",
            "backward": "gx : ndarray\n    An array of x's shape and dtype.",
            "value_and_derivative": f"y, d : tuple of ndarray\n    Both {y_is}.",
        }.get(kind, f"d : ndarray\n    {y_is[0].upper()}{y_is[1:]}."),
        "",
    ]
    lines += ["Raises", "------", "TypeError", "    If x is complex, longdouble, a string or an object."]
    lines += ["ValueError", "    If shapes do not match or the axis is out of range; nothing is written.", ""]
    lines += ["Notes", "-----", f"Limits: {row.limits}. NaN in a row gives NaN."]
    if halves := _core.halves_of(row.name):
        lines += ["Of each half: " + "; ".join(f"{k} {getattr(halves, k)}" for k in _NOTED) + "."]
        lines += [
            f"Gain {halves.gain:.7g}, the mean square of both halves; of gradients, which meet in x, "
            f"{halves.derivative_gain:.7g} (see `actc.init`)."
        ]
    worst = "1" if exact else "4" if kind == "backward" else "3"
    lines += [
        f"Error at most {worst} ULP in float32, 1 in float16 and bfloat16, 4 in float64; where the terms of a sum"
    ]
    lines += ["cancel (a maximum and a logarithm, two gradients) in units of the larger term."]
    lines += ["The bits of a row depend on nothing but the row: not on strides, other rows or the instruction set."]
    lines += ["Never emits a floating-point warning.", "", f"Elsewhere: {row.elsewhere}.", ""]
    lines += ["References", "----------", f".. [1] {row.reference}."]
    return "\n".join(lines)


def build(exact: bool) -> tuple[Mapping[str, np.ufunc], dict[str, Any]]:
    """All row functions of one tier, and every flat name that reaches them."""
    by_name: dict[str, np.ufunc] = {}
    flat: dict[str, Any] = {}
    for row in _rows.rows():
        made: dict[str, Any] = {}
        for kind in ("", *passes_of(row)):
            own = types.SimpleNamespace(
                **vars(row), options=frozenset(options_of(row, kind)), with_options=with_options
            )
            gufunc = _rows.make_gufunc(own, kind, exact)
            _core.refuse_longdouble(gufunc, len(inputs_of(row, kind)), len(row.parameters))
            gufunc.__module__ = "actc"
            gufunc.__qualname__ = gufunc.__name__
            gufunc.__doc__ = docstring(row, kind, exact)
            gufunc.__signature__ = signature(row, kind)
            made[kind] = flat[f"{row.name}_{kind}" if kind else row.name] = gufunc
        f = by_name[row.name] = made.pop("")
        known = {k: getattr(row, k) for k in INFO} | {"parameters": dict(row.parameters)}
        halves = _core.halves_of(row.name)
        f.info = types.MappingProxyType({**(_surface.info(halves) if halves else {}), **known})
        f.formula, f.parameters = row.formula, types.MappingProxyType(row.parameters)
        if row.grouped:
            made["index"] = flat[f"{row.name}_index"] = index_function(row, exact)
        for kind, gufunc in made.items():
            setattr(f, kind, gufunc)
    return types.MappingProxyType(by_name), flat
