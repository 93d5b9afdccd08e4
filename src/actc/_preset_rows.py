"""Row functions and gates under the names, parameters and defaults of other frameworks: what `_presets` adds to its
elementwise functions."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

import actc

REQUIRED = inspect.Parameter.empty


class Row(NamedTuple):
    """One function of a framework."""

    actc: str
    parameters: Mapping[str, Any]  # the framework's and their defaults; the first may be given by position, as there
    keywords: Mapping[str, str]  # each of them -> the keyword of actc's function
    fixed: Mapping[str, Any]  # keywords that the framework has no parameter for
    note: str


def _row(name: str, /, *, note: str = "", fixed: Mapping[str, Any] | None = None, **given: tuple[str, Any]) -> Row:
    parameters = MappingProxyType({p: default for p, (_, default) in given.items()})
    keywords = MappingProxyType({p: keyword for p, (keyword, _) in given.items()})
    return Row(name, parameters, keywords, MappingProxyType(dict(fixed or {})), note)


_DIM = "torch takes dim=None too, guesses an axis and warns"
_ALL = "None: over all axes"
_ERRS = "Keras errs where two elements or more are not 0: they do not add up to 1"
_LAST = "None: the last axis"

# Names that mean the same stand together.
TABLES: dict[str, dict[str, Row]] = {
    "torch": {
        "softmax Softmax": _row("softmax", dim=("axis", REQUIRED), note=_DIM),
        "Softmax2d": _row("softmax", fixed={"axis": -3}),
        "log_softmax LogSoftmax": _row("log_softmax", dim=("axis", REQUIRED), note=_DIM),
        "softmin Softmin": _row("softmin", dim=("axis", REQUIRED), note=_DIM),
        "glu GLU": _row("glu", dim=("axis", -1)),
    },
    "jax": {
        "softmax": _row("softmax", axis=("axis", -1)),
        "log_softmax": _row("log_softmax", axis=("axis", -1)),
        "logsumexp": _row("logsumexp", axis=("axis", None), keepdims=("keepdims", False), note=_ALL),
        "logmeanexp": _row("logmeanexp", axis=("axis", None), keepdims=("keepdims", False), note=_ALL),
        "standardize": _row("standardize", axis=("axis", -1), epsilon=("eps", 1e-5), note="no mean=, no variance="),
        "glu": _row("glu", axis=("axis", -1)),
    },
    "keras": {
        "softmax Softmax": _row("softmax", axis=("axis", -1)),
        "log_softmax": _row("log_softmax", axis=("axis", -1)),
        "sparsemax": _row("sparsemax", axis=("axis", -1), note=_ERRS),
        "glu": _row("glu", axis=("axis", -1)),
    },
    "tensorflow": {
        "softmax": _row("softmax", axis=("axis", None), note=_LAST),
        "log_softmax": _row("log_softmax", axis=("axis", None), note=_LAST),
        "reduce_logsumexp": _row("logsumexp", axis=("axis", None), keepdims=("keepdims", False), note=_ALL),
        "crelu": _row("crelu", axis=("axis", -1)),
    },
    "onnx": {
        "Softmax": _row("softmax", axis=("axis", -1), note="as from opset 13; before, 1 was the default"),
        "LogSoftmax": _row("log_softmax", axis=("axis", -1), note="as from opset 13; before, 1 was the default"),
        "Hardmax": _row("hardmax", axis=("axis", -1), note="as from opset 13; before, 1 was the default"),
        "ReduceLogSumExp": _row(
            "logsumexp", axes=("axis", None), keepdims=("keepdims", 1), note=f"one axis, not several; {_ALL}"
        ),
    },
}


def function_of(row: Row) -> Any:
    """The function of actc: a gufunc, or a gate in its form for one array."""
    gate = actc.gates.get(row.actc)
    return actc.row_functions[row.actc] if gate is None else gate.packed


def expression(row: Row) -> str:
    """What the row is in actc's terms."""
    given = {**{k: p for p, k in row.keywords.items()}, **row.fixed}
    packed = ".packed" if row.actc in actc.gates else ""
    return f"{row.actc}{packed}({', '.join(['x', *(k if k == v else f'{k}={v}' for k, v in given.items())])})"


def _written(out: Any, y: Any, name: str) -> Any:
    out = out[0] if isinstance(out, tuple) and len(out) == 1 else out
    if not isinstance(out, np.ndarray):
        raise TypeError(f"{name}(): out must be an array, not {type(out).__name__}")
    if out.shape != np.shape(y):
        raise ValueError(f"{name}(): out has shape {out.shape}, the result {np.shape(y)}")
    np.copyto(out, y, casting="same_kind")
    return out


class RowFunction:
    """A row function or gate of a preset, or one pass of it. Made by `preset`; pickles by name.

    Attributes
    ----------
    actc : str
        The name of the function of actc that it is.
    parameters : Mapping
        The framework's parameters and their defaults; `inspect.Parameter.empty` where there is none.
    formula : str
        What it computes, of a row x.
    backward : RowFunction
        As actc's, from y or from x: softmax(x, dim) has backward(g, y, dim). crelu has the other passes too.
    """

    __name__: str
    __signature__: inspect.Signature

    def __init__(self, framework: str, name: str, row: Row, kind: str = "") -> None:
        f = function_of(row)
        self.actc, self.parameters = row.actc, row.parameters
        own = actc.gates.get(row.actc, f)
        self.formula = own.formula
        self._from, self._row, self._kind = (framework, name, kind), row, kind
        self._target = getattr(f, kind) if kind else f
        P = inspect.Parameter
        theirs = self._target.__signature__.parameters
        self._inputs = [p.name for p in theirs.values() if p.kind is P.POSITIONAL_ONLY]
        new = [
            P(p, P.KEYWORD_ONLY if i else P.POSITIONAL_OR_KEYWORD, default=v)
            for i, (p, v) in enumerate(row.parameters.items())
        ]
        replaced = {*self._inputs, *own.parameters, *row.parameters, "axis", "keepdims", "layout"}
        rest = [p.replace(kind=P.KEYWORD_ONLY) for p in theirs.values() if p.name not in replaced]
        self.__signature__ = inspect.Signature([*(P(n, P.POSITIONAL_ONLY) for n in self._inputs), *new, *rest])
        self.__name__ = self.__qualname__ = f"{name}_{kind}" if kind else name
        self.__doc__ = f"{framework} {name}{kind and '.' + kind}: {expression(row)}{kind and ', its ' + kind}."
        if not kind:
            for k in ("derivative", "second_derivative", "backward", "value_and_derivative"):
                if hasattr(f, k):
                    setattr(self, k, RowFunction(framework, name, row, k))

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        n = len(self._inputs)
        if not n <= len(args) <= n + bool(self.parameters):
            raise TypeError(f"{self.__name__}() takes {' and '.join(self._inputs)} by position, not {len(args)} values")
        for name in kwargs:
            if name not in self.__signature__.parameters or (len(args) > n and name == next(iter(self.parameters))):
                raise TypeError(f"{self.__name__}() got an unexpected keyword argument {name!r}")
        values = dict(zip(self.parameters, args[n:], strict=False))
        settings = dict(self._row.fixed)
        for name, default in self.parameters.items():
            value = values.get(name, kwargs.pop(name, default))
            if value is REQUIRED:
                raise TypeError(f"{self.__name__}() is missing the argument {name!r}")
            if value is None and default is not None:
                raise TypeError(f"{self.__name__}(): {name} must be an integer, not None")
            settings[self._row.keywords[name]] = value
        if "keepdims" in settings:
            return self._reduce(list(args[:n]), settings, kwargs)
        if settings["axis"] is None:
            settings["axis"] = -1
        return self._target(*args[:n], **settings, **kwargs)

    def _reduce(self, inputs: list[Any], settings: dict[str, Any], kwargs: dict[str, Any]) -> Any:
        """One number a row: of all elements if the axis is None, and a gradient that may have kept its axes."""
        axis, keepdims, out = settings["axis"], bool(settings["keepdims"]), kwargs.pop("out", None)
        if isinstance(axis, (list, tuple, np.ndarray)) and np.size(axis) == 1:
            axis = np.ravel(axis)[0]
        x = np.asanyarray(inputs[-1])
        shape, flat = x.shape, axis is None
        if flat:
            inputs[-1], axis = x.reshape(-1), 0
            if "where" in kwargs:
                kwargs["where"] = np.broadcast_to(kwargs["where"], shape).reshape(-1)
        if self._kind == "backward":
            if type(inputs[0]) not in (int, float):  # which adapt to x
                g = np.asanyarray(inputs[0])
                inputs[0] = g.reshape(()) if flat and g.size == 1 else np.squeeze(g, axis) if keepdims else g
            y = self._target(*inputs, axis=axis, **kwargs).reshape(shape)
        elif flat:
            y = self._target(*inputs, axis=axis, **kwargs)
            y = y.reshape((1,) * len(shape)) if keepdims else y
        else:
            y = self._target(*inputs, axis=axis, keepdims=keepdims, **kwargs)
        return y if out is None else _written(out, y, self.__name__)

    def __repr__(self) -> str:
        return f"<{'.'.join(filter(None, self._from))} of actc presets>"

    def __reduce__(self) -> tuple[Any, ...]:
        from actc._presets import _function

        return _function, self._from
