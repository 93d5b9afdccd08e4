"""The functions of actc under the names, parameters and defaults of other frameworks: the elementwise ones here, those
of rows in `_preset_rows`.

`python -m actc._presets` prints docs/presets.md.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import math
import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

import actc
from actc import _core, _preset_rows, _surface
from actc._preset_rows import REQUIRED

Rule = Callable[..., tuple[str, tuple[Any, ...]]]


class Row(NamedTuple):
    """One function of a framework."""

    actc: str  # the function of actc that it is, at the defaults
    parameters: Mapping[str, Any]  # the framework's, in the order of actc's; if there are none, actc's defaults hold
    rule: Rule | None  # where the parameters choose the function: its name and its parameters; the docstring says how
    kinks: Mapping[float, float]  # where f' is, by convention, another one than actc's
    note: str


def _row(
    name: str, /, *, rule: Rule | None = None, kinks: Mapping[float, float] | None = None, note: str = "", **given: Any
) -> Row:
    return Row(name, MappingProxyType(given), rule, MappingProxyType(dict(kinks or {})), note)


def _choice(parameter: str, functions: Mapping[Any, str], note: str = "") -> Row:
    """One parameter chooses the function; the first of its values is the default."""

    def rule(**given: Any) -> tuple[str, tuple[Any, ...]]:
        value = given[parameter]
        if value not in functions:
            raise ValueError(f"{parameter} must be {' or '.join(map(repr, functions))}, not {value!r}")
        return functions[value], ()

    (default, name), *others = functions.items()
    rule.__doc__ = "; ".join([f"{name}(x)", *(f"{other}(x) if {parameter}={value!r}" for value, other in others)])
    return _row(name, rule=rule, note=note, **{parameter: default})


def _rrelu(lower: Any, upper: Any) -> tuple[str, tuple[Any, ...]]:
    """leaky_relu(x, (lower + upper)/2)"""
    return "leaky_relu", ((lower + upper) / 2,)


def _bounded_relu(negative_slope: Any, max_value: Any, threshold: Any) -> tuple[str, tuple[Any, ...]]:
    """relu(x); leaky_relu, hard_tanh, thresholded_relu or srelu, as the parameters say"""
    match bool(np.any(negative_slope)), max_value is not None, bool(np.any(threshold)):
        case False, False, False:
            return "relu", ()
        case True, False, False:
            return "leaky_relu", (negative_slope,)
        case False, True, False:
            return "hard_tanh", (0.0, max_value)
        case False, False, True:
            return "thresholded_relu", (threshold,)
        case True, True, False:
            return "srelu", (0.0, negative_slope, max_value, 0.0)
    raise ValueError("relu: actc has nothing that takes a threshold and negative_slope or max_value besides")


# What ONNX has for single precision; taken for selu's own.
_SELU = 1.67326319217681884765625, 1.05070102214813232421875


def _selu(alpha: Any, gamma: Any) -> tuple[str, tuple[Any, ...]]:
    """selu(x); elu(x, alpha) if gamma=1"""
    if np.all(np.equal(gamma, 1)):
        return "elu", (alpha,)
    if all(np.all(np.equal(np.float32(v), d)) for v, d in zip((alpha, gamma), _SELU, strict=True)):
        return "selu", ()
    raise ValueError(f"Selu: gamma must be 1, or alpha and gamma the defaults; not {alpha} and {gamma}")


def _shrink(bias: Any, lambd: Any) -> tuple[str, tuple[Any, ...]]:
    """hardshrink(x, lambd); softshrink(x, lambd) if bias=lambd"""
    if not np.any(bias):
        return "hardshrink", (lambd,)
    if np.all(np.equal(bias, lambd)):
        return "softshrink", (lambd,)
    raise ValueError("Shrink: bias must be 0 or lambd")


_BOTH = "a threshold with one of the others: ValueError, as actc has no such function"

# Names that mean the same stand together. A parameter takes the place of actc's in the same position.
_TABLES: dict[str, dict[str, Row]] = {
    "torch": {
        "Identity": _row("identity"),
        "relu ReLU": _row("relu"),
        "relu6 ReLU6": _row("relu6"),
        "leaky_relu LeakyReLU": _row("leaky_relu", negative_slope=0.01),
        "prelu": _row("prelu", weight=REQUIRED, note="weight broadcasts as in NumPy, not along axis 1"),
        "PReLU": _row("prelu", weight=0.25, note="weight broadcasts as in NumPy, not along axis 1"),
        "rrelu RReLU": _row(
            "leaky_relu", rule=_rrelu, lower=1 / 8, upper=1 / 3, note="as in evaluation; training draws the slopes"
        ),
        "elu ELU": _row("elu", alpha=1.0),
        "selu SELU": _row("selu"),
        "celu CELU": _row("celu", alpha=1.0),
        "sigmoid Sigmoid": _row("sigmoid"),
        "logsigmoid LogSigmoid": _row("log_sigmoid"),
        "hardsigmoid Hardsigmoid": _row("hard_sigmoid"),
        "tanh Tanh": _row("tanh"),
        "tanhshrink Tanhshrink": _row("tanhshrink"),
        "hardtanh Hardtanh": _row("hard_tanh", min_val=-1.0, max_val=1.0),
        "softplus Softplus": _row(
            "softplus", beta=1.0, note="no threshold: torch returns x where beta*x > 20, which is 2e-9/beta less"
        ),
        "softsign Softsign": _row("softsign"),
        "silu SiLU": _row("silu"),
        "gelu GELU": _choice("approximate", {"none": "gelu", "tanh": "gelu_tanh"}),
        "mish Mish": _row("mish"),
        "hardswish Hardswish": _row("hard_swish"),
        "softshrink Softshrink": _row("softshrink", lambd=0.5),
        "hardshrink Hardshrink": _row("hardshrink", lambd=0.5),
        "threshold Threshold": _row("threshold", threshold=REQUIRED, value=REQUIRED),
    },
    "jax": {
        "identity": _row("identity"),
        "relu": _row("relu"),
        "relu6": _row("relu6"),
        "leaky_relu": _row("leaky_relu", negative_slope=0.01, kinks={0.0: 1.0}),
        "elu": _row("elu", alpha=1.0),
        "selu": _row("selu"),
        "celu": _row("celu", alpha=1.0),
        "sigmoid": _row("sigmoid"),
        "log_sigmoid": _row("log_sigmoid"),
        "hard_sigmoid": _row("hard_sigmoid"),
        "sparse_sigmoid": _row("sparse_sigmoid", kinks={-1.0: 0.25, 1.0: 0.25}),
        "tanh": _row("tanh"),
        "hard_tanh": _row("hard_tanh", kinks={-1.0: 1.0, 1.0: 1.0}),
        "softplus": _row("softplus"),
        "sparse_plus": _row("sparse_plus"),
        "squareplus": _row("squareplus", b=4.0),
        "soft_sign": _row("softsign"),
        "silu swish": _row("silu"),
        "gelu": _choice("approximate", {True: "gelu_tanh", False: "gelu"}),
        "mish": _row("mish"),
        "hard_silu hard_swish": _row("hard_swish"),
    },
    "keras": {
        "linear": _row("identity"),
        "relu": _row("relu", rule=_bounded_relu, negative_slope=0.0, max_value=None, threshold=0.0, note=_BOTH),
        "ReLU": _row("relu", rule=_bounded_relu, max_value=None, negative_slope=0.0, threshold=0.0, note=_BOTH),
        "relu6": _row("relu6"),
        "leaky_relu": _row("leaky_relu", negative_slope=0.2, note="Keras on JAX: f'(0) = 1"),
        "LeakyReLU": _row("leaky_relu", negative_slope=0.3, note="Keras on JAX: f'(0) = 1"),
        "PReLU": _row("prelu", alpha=0.0),
        "elu ELU": _row("elu", alpha=1.0),
        "selu": _row("selu", note="Keras on TensorFlow: f'(0) = 1.0507"),
        "celu": _row("celu", alpha=1.0, note="Keras on TensorFlow: f'(0) = 2, an error"),
        "sigmoid": _row("sigmoid"),
        "log_sigmoid": _row("log_sigmoid"),
        "hard_sigmoid": _row("hard_sigmoid"),
        "sparse_sigmoid": _row("sparse_sigmoid", note="Keras on JAX: f'(+-1) = 0.25"),
        "tanh": _row("tanh"),
        "tanh_shrink": _row("tanhshrink"),
        "hard_tanh": _row("hard_tanh", note="Keras on TensorFlow and on JAX: f'(+-1) = 1"),
        "softplus": _row("softplus"),
        "sparse_plus": _row("sparse_plus"),
        "squareplus": _row("squareplus", b=4.0),
        "softsign": _row("softsign"),
        "silu swish": _row("silu"),
        "gelu": _choice(
            "approximate", {False: "gelu", True: "gelu_tanh"}, note="keras.ops.gelu has approximate=True instead"
        ),
        "mish": _row("mish"),
        "hard_silu hard_swish": _row("hard_swish"),
        "soft_shrink": _row("softshrink", threshold=0.5),
        "hard_shrink": _row("hardshrink", threshold=0.5),
        "threshold": _row("threshold", threshold=REQUIRED, default_value=REQUIRED),
        "exponential": _row("exponential"),
    },
    "tensorflow": {
        "relu": _row("relu"),
        "relu6": _row("relu6"),
        "leaky_relu": _row("leaky_relu", alpha=0.2),
        "elu": _row("elu"),
        "selu": _row("selu", kinks={0.0: 1.0507009873554805}),
        "sigmoid": _row("sigmoid"),
        "log_sigmoid": _row("log_sigmoid"),
        "tanh": _row("tanh"),
        "softplus": _row("softplus"),
        "softsign": _row("softsign"),
        "silu swish": _row("swish", beta=1.0),
        "gelu": _choice("approximate", {False: "gelu", True: "gelu_tanh"}),
    },
    "onnx": {
        "Identity": _row("identity"),
        "Relu": _row("relu"),
        "LeakyRelu": _row("leaky_relu", alpha=0.01),
        "PRelu": _row("prelu", slope=REQUIRED),
        "ThresholdedRelu": _row("thresholded_relu", alpha=1.0),
        "Clip": _row("hard_tanh", min=-math.inf, max=math.inf),
        "Elu": _row("elu", alpha=1.0),
        "Selu": _row("selu", rule=_selu, alpha=_SELU[0], gamma=_SELU[1], note="other alpha and gamma: ValueError"),
        "Celu": _row("celu", alpha=1.0),
        "Sigmoid": _row("sigmoid"),
        "HardSigmoid": _row("hard_sigmoid_onnx", alpha=0.2, beta=0.5),
        "Tanh": _row("tanh"),
        "Softplus": _row("softplus"),
        "Softsign": _row("softsign"),
        "Swish": _row("swish", alpha=1.0),
        "Gelu": _choice("approximate", {"none": "gelu", "tanh": "gelu_tanh"}),
        "Mish": _row("mish"),
        "HardSwish": _row("hard_swish"),
        "Shrink": _row("hardshrink", rule=_shrink, bias=0.0, lambd=0.5, note="other bias: ValueError"),
        "Atan": _row("arctan"),
        "Exp": _row("exponential"),
        "Sin": _row("sinusoid"),
    },
}


def _substitute(text: str, values: Mapping[str, str]) -> str:
    """The text with other names, or numbers, for its names; all at once, since they may be the same words."""
    return re.sub(r"\b[A-Za-z_]\w*\b", lambda m: values.get(m[0], m[0]), text)


def _shown(value: Any) -> str:
    return repr(value).removesuffix(".0")


def _values(row: Row) -> dict[str, str]:
    """Each parameter of actc's function -> the framework's that takes its place, or the number that it always is."""
    parameters = actc.elementwise[row.actc].parameters
    if row.parameters and row.rule is None:
        return dict(zip(parameters, row.parameters, strict=True))
    numbers = row.rule(**row.parameters)[1] if row.rule is not None else parameters.values()
    return dict(zip(parameters, map(_shown, numbers), strict=True))


def _expression(row: Row) -> str:
    """What the row is in actc's terms."""
    if row.rule is not None:
        return str(row.rule.__doc__)
    named = [p if p == q else f"{p}={q}" for p, q in _values(row).items()] if row.parameters else []
    return f"{row.actc}({', '.join(['x', *named])})"


def _pass(f: Any, kind: str) -> Any:
    return getattr(f, kind) if kind else f


class Function:
    """A function of a preset, or one pass of it, on the loops of actc. Made by `preset`; pickles by name.

    Attributes
    ----------
    actc : str
        The name of the function of actc that it is, at the defaults.
    parameters : Mapping
        The framework's parameters and their defaults; `inspect.Parameter.empty` where there is none.
    formula : str
        What it computes.
    derivative, second_derivative, backward, value_and_derivative, parameter_backward : Function
        As those of actc, with the framework's parameters. `parameter_backward` exists where these are parameters of
        actc's function.
    """

    __name__: str
    __signature__: inspect.Signature

    def __init__(self, framework: str, name: str, row: Row, kind: str = "") -> None:
        f = actc.elementwise[row.actc]
        self.actc, self.parameters = row.actc, row.parameters
        self.formula = _substitute(f.formula, _values(row))
        self._from, self._kind, self._rule = (framework, name, kind), kind, row.rule
        self._target, self._others = _pass(f, kind), set(f.parameters)
        self._fixed = () if row.parameters else tuple(f.parameters.values())
        self._kinks = row.kinks if kind in ("derivative", "backward", "value_and_derivative") else {}
        P = inspect.Parameter
        old = [p for p in self._target.__signature__.parameters.values() if p.name not in f.parameters]
        new = [P(n, P.POSITIONAL_OR_KEYWORD, default=v) for n, v in row.parameters.items()]
        self._arity = sum(p.kind is P.POSITIONAL_ONLY for p in old)
        self.__signature__ = inspect.Signature([*old[: self._arity], *new, *old[self._arity :]])
        self.__name__ = self.__qualname__ = f"{name}_{kind}" if kind else name
        self.__doc__ = f"{framework} {name}{kind and '.' + kind}: {_expression(row)}{kind and ', its ' + kind}."
        if not kind:
            kinds = [*_surface.PASSES, *["parameter_backward"] * bool(row.parameters and row.rule is None)]
            for k in kinds:
                setattr(self, k, Function(framework, name, row, k))

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        inputs, values, rest = self._split(args, kwargs)
        target = self._target
        if self._rule is not None:
            chosen, values = self._rule(**dict(zip(self.parameters, values, strict=True)))
            target = _pass(actc.elementwise[chosen], self._kind)
        if self._kind == "parameter_backward":
            return dict(zip(self.parameters, target(*inputs, *values, *rest, **kwargs).values(), strict=True))
        if self._kinks:
            return self._with_kinks(inputs, (*values, *rest), kwargs)
        return target(*inputs, *values, *rest, **kwargs)

    def _split(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], ...]:
        """The inputs, the parameters and what follows them; the parameters are taken out of the keywords."""
        n, end = self._arity, self._arity + len(self.parameters)
        values = list(args[n:end])
        if len(args) < n:
            raise TypeError(f"{self.__name__}() takes {n} positional argument{'s'[: n > 1]} at least, not {len(args)}")
        for name, default in list(self.parameters.items())[len(values) :]:
            values.append(kwargs.pop(name, default))
            if values[-1] is REQUIRED:
                raise TypeError(f"{self.__name__}() is missing the argument {name!r}")
        for name in kwargs:
            if name in self.parameters:
                raise TypeError(f"{self.__name__}() got multiple values for argument {name!r}")
            if name in self._others:
                raise TypeError(f"{self.__name__}() got an unexpected keyword argument {name!r}")
        return args[:n], (*values, *self._fixed), args[end:]

    def _with_kinks(self, inputs: tuple[Any, ...], rest: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The pass, with the framework's derivative where it is another one."""
        x, where = np.asarray(inputs[-1], kwargs.get("dtype")), kwargs.get("where", True)
        with np.errstate(all="ignore"):  # before the call, which may overwrite its inputs
            slopes = [
                (np.equal(x, at) & where, np.multiply(inputs[0], slope, dtype=float) if len(inputs) > 1 else slope)
                for at, slope in self._kinks.items()
            ]
        result = self._target(*inputs, *rest, **kwargs)
        d = result[-1] if isinstance(result, tuple) else result
        for mask, slope in slopes:
            with np.errstate(all="ignore"):  # a product of doubles may be too large for d
                if not isinstance(d, np.generic):
                    np.copyto(d, slope, casting="unsafe", where=mask)
                elif mask:
                    d = d.dtype.type(slope)
        return (*result[:-1], d) if isinstance(result, tuple) else d

    def __repr__(self) -> str:
        return f"<{'.'.join(filter(None, self._from))} of actc presets>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _function, self._from


def _function(framework: str, name: str, kind: str) -> Any:
    return _pass(preset(framework)[name], kind)


class Preset(Mapping[str, Any]):
    """The functions of one framework: attributes, and a mapping from their names. Made by `preset`; pickles by name."""

    def __init__(self, framework: str) -> None:
        self._framework = framework
        self._functions: dict[str, Any] = {}
        for names, row in _TABLES[framework].items():
            if row.actc not in actc.elementwise:
                continue
            f = actc.elementwise[row.actc]
            for name in names.split():
                same = dict(f.parameters) == dict(row.parameters) and getattr(actc, name, None) is f
                self._functions[name] = f if same and not row.kinks else Function(framework, name, row)
        for names, of_rows in _preset_rows.TABLES[framework].items():
            for name in names.split():
                self._functions[name] = _preset_rows.RowFunction(framework, name, of_rows)

    def __getitem__(self, name: str) -> Any:
        return self._functions[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._functions)

    def __len__(self) -> int:
        return len(self._functions)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self._functions:
            return self._functions[name]
        near = difflib.get_close_matches(name, self.__dict__.get("_functions", ()), 3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise AttributeError(f"{self!r} has no {name!r}{hint}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._functions]

    def __repr__(self) -> str:
        return f"actc.preset({self.__dict__.get('_framework')!r})"

    def __hash__(self) -> int:
        return hash(self._framework)

    def __reduce__(self) -> tuple[Any, ...]:
        return preset, (self._framework,)


_preset = functools.cache(Preset)


def preset(name: str) -> Preset:
    """The functions of another framework: its names, parameters and defaults, so that a ported model computes the same.

    Parameters
    ----------
    name : {"torch", "jax", "keras", "tensorflow", "onnx"}
        torch has the names of torch.nn.functional and torch.nn, jax those of jax.nn, keras those of keras.activations
        and keras.layers (Keras 3), tensorflow those of tf.nn and tf.math, onnx its operators; functions of rows, as
        softmax and glu, are among them, with the framework's name and default for the axis.

    Returns
    -------
    Preset
        Its attributes are the functions; it is also a mapping from their names. Each is called as actc's are, has the
        same passes (`derivative`, `backward` ...), and takes `out` and the other keywords of ufuncs. Where name and
        defaults are actc's own it is the ufunc of actc.

    Raises
    ------
    ValueError
        If there is no such preset.

    Notes
    -----
    Derivatives follow JAX's and TensorFlow's conventions at kinks where they differ from actc's. Errors of frameworks
    are not imitated, nor is torch's `threshold` of softplus. docs/presets.md lists every function.

    Examples
    --------
    >>> import actc
    >>> actc.preset("keras").leaky_relu(-1.0)
    np.float64(-0.2)
    >>> actc.preset("onnx").HardSigmoid(1.0, alpha=0.25)
    np.float64(0.75)
    """
    if name not in _TABLES:
        raise ValueError(f"no preset {name!r}; there are {', '.join(_TABLES)}")
    return _preset(name)


_PAGE = """# Presets

`actc.preset("torch")` and its like have a framework's own names, parameters and defaults, so that a model ported from
it computes the same function:

```python
import numpy as np, actc

x = np.linspace(-3, 3, 7, dtype=np.float32)
keras = actc.preset("keras")
keras.leaky_relu(x)                                 # slope 0.2; actc.leaky_relu has 0.01
keras.hard_shrink.backward(np.ones_like(x), x, threshold=1.0)
actc.preset("jax").gelu(x)                          # the tanh form, as in jax.nn
for name, f in keras.items(): ...
```

Parameters follow x, by position or by name; `out=` and the other keywords of ufuncs work; `derivative`,
`second_derivative`, `backward` and `value_and_derivative` are there, and `parameter_backward` where the parameters are
those of actc's function. Where name and defaults are actc's own, the entry is actc's ufunc.

*At kinks* is what `derivative`, `backward` and `value_and_derivative` take f' to be; **bold** where JAX or TensorFlow
has another convention than actc, which is followed (`second_derivative` is actc's). Keras has the derivatives of its
backend, here those of actc; ONNX defines none. Values at infinities and for NaN are actc's: where frameworks give NaN
at an infinity, here is the limit. ONNX, and TensorFlow's leaky_relu, keep parameters in single precision; here they are
doubles.

Below the elementwise functions of each framework stand those of rows, with its name and default for the axis, as their
first parameter: `preset("torch").softmax(x, 0)`. Parameters behind it are given by name. `backward` takes what actc's
does: `softmax.backward(g, y, dim)`, `glu.backward(g, x, dim)`. actc's temperature and `layout` are not theirs. Layer
normalisation, whose axes and weights differ in each, and ONNX's SwiGLU, `swiglu(B, A, alpha)`, are not here.

This page is printed by `python -m actc._presets`.
"""

_SOURCES = {
    "torch": "torch.nn.functional and torch.nn, 2.13",
    "jax": "jax.nn, 0.10",
    "keras": "keras.activations and keras.layers, 3.15",
    "tensorflow": "tf.nn (log_sigmoid, reduce_logsumexp: tf.math), 2.21",
    "onnx": "operators of ai.onnx, opset 28",
}


def _at_kinks(row: Row, said: str) -> str:
    """The table's words with the framework's parameters; instead of its f', the row's own."""
    parts = [_substitute(p, _values(row)) for p in re.split(r",\s+|;\s+", said) if p]
    if row.kinks:
        own = [f"**f'({_shown(at)}) = {_shown(slope)}**" for at, slope in row.kinks.items()]
        parts = [*own, *(p for p in parts if not p.startswith("f'("))]
    return ", ".join(parts)


def page() -> str:
    """The text of docs/presets.md."""
    said = {r.name: r.kink for r in _core.rows()}
    lines = [_PAGE]
    for framework, table in _TABLES.items():
        lines += [f"## {framework}", "", f"Names of {_SOURCES[framework]}.", ""]
        lines += ["| name | parameters | actc | at kinks | remark |", "|---|---|---|---|---|"]
        for names, row in table.items():
            if row.actc in said:
                given = [n if v is REQUIRED else f"{n}={_shown(v)}" for n, v in row.parameters.items()]
                cells = [", ".join(given), _expression(row), _at_kinks(row, said[row.actc]), row.note]
                lines += [f"| {' | '.join([name, *cells])} |" for name in names.split()]
        for names, of_rows in _preset_rows.TABLES[framework].items():
            given = [n if v is REQUIRED else f"{n}={_shown(v)}" for n, v in of_rows.parameters.items()]
            cells = [", ".join(given), _preset_rows.expression(of_rows), "", of_rows.note]
            lines += [f"| {' | '.join([name, *cells])} |" for name in names.split()]
        lines += [""]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    print(page(), end="")
