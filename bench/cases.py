"""What is measured: a function, pass, dtype, shape, layout and kind of values; its arrays, formulas and judge.

Elementwise functions and gates are those of actc's tables, with the formulas there. The formulas of row functions run
on one row of Python numbers, so what they are on arrays is written down here.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

import actc
from actc import _bench, _cli_formula, _core

Array = np.ndarray[Any, Any]
Arrays = dict[str, Array]

# Everybody's arrays have the same names: x, and of a gate the value u; the gradient g; s, the result that was saved. y
# and d are where results go, t is room for one between. ux and yd are u and x, y and d, in one piece.
GATES = {
    gate.name: SimpleNamespace(
        activation=gate.activation,
        parameters=gate.parameters,
        **{
            key: re.sub(r"\bb\b", "x", re.sub(r"\ba\b", "u", getattr(gate, key)))
            for key in ("formula", "value_gradient", "gate_gradient")
        },
    )
    for gate in _core.gates()
}

_MAX, _MIN, _SUM, _MEAN = (f".{name}(axis=axis, keepdims=True)" for name in ("max", "min", "sum", "mean"))
_COUNT = "np.expand_dims(np.arange(1, x.shape[axis] + 1, dtype=x.dtype), axis - 1)"
_SPARSEMAX = (
    f"np.maximum(x - np.take_along_axis(c := np.cumsum(z := -np.sort(-x, axis), axis) - 1, "
    f"(n := (z * {_COUNT} > c){_SUM}) - 1, axis) / n.astype(x.dtype), 0)"
)
_ENTMAX15 = (
    f"np.square(np.maximum((z := (x - x{_MAX}) / 2) - np.take_along_axis("
    f"t := (m := np.cumsum(w := -np.sort(-z, axis), axis) / (k := {_COUNT})) "
    f"- np.sqrt(np.maximum(1 / k - (np.cumsum(w * w, axis) / k - m * m), 0)), (t <= w){_SUM} - 1, axis), 0))"
)
_GROUPS = "(c := (m := np.moveaxis(x, axis, -1)).reshape(*m.shape[:-1], -1, pieces))"
# the value, and the largest of the terms that cancel in it, if any
ROWS = {
    "softmax": {
        "forward": (f"(e := np.exp(x - x{_MAX})) / e{_SUM}", "0"),
        "backward": (f"s * (g - (g * s){_SUM})", f"s * np.maximum(abs(g), (abs(g) * s){_SUM})"),
    },
    "log_softmax": {
        "forward": (f"(c := x - x{_MAX}) - np.log(np.exp(c){_SUM})", f"abs(x - x{_MAX})"),
        "backward": (f"g - np.exp(s) * g{_SUM}", f"np.maximum(abs(g), np.exp(s) * abs(g){_SUM})"),
    },
    "logsumexp": {
        "forward": (f"(m := x{_MAX}).squeeze(axis) + np.log(np.exp(x - m).sum(axis=axis))", "abs(x.max(axis=axis))"),
        "backward": ("np.expand_dims(g, axis) * np.exp(x - np.expand_dims(s, axis))", "0"),
    },
    "standardize": {
        "forward": (
            f"(c := x - x{_MEAN}) / np.sqrt((c * c){_MEAN} + eps)",
            f"np.maximum(abs(x), abs(x){_MEAN}) / np.sqrt(((x - x{_MEAN}) ** 2){_MEAN} + eps)",
        ),
        "backward": (
            f"(g - g{_MEAN} - (c := x - x{_MEAN}) * (g * c){_MEAN} / (v := (c * c){_MEAN} + eps)) / np.sqrt(v)",
            f"(abs(g) + abs(g){_MEAN} + abs((c := x - x{_MEAN}) * abs(g * c){_MEAN} / (v := (c * c){_MEAN} + eps)))"
            " / np.sqrt(v)",
        ),
    },
    "softmin": {
        "forward": (f"(e := np.exp(x{_MIN} - x)) / e{_SUM}", "0"),
        "backward": (f"s * ((g * s){_SUM} - g)", f"s * np.maximum(abs(g), (abs(g) * s){_SUM})"),
    },
    "logmeanexp": {
        "forward": (f"(m := x{_MAX}).squeeze(axis) + np.log(np.exp(x - m).mean(axis=axis))", "abs(x.max(axis=axis))"),
        "backward": ("np.expand_dims(g, axis) * np.exp(x - np.expand_dims(s, axis)) / x.shape[axis]", "0"),
    },
    "hardmax": {
        "forward": (
            "np.moveaxis(np.moveaxis(x, axis, -1).argmax(-1, keepdims=True) == np.arange(x.shape[axis]), -1, axis)"
            ".astype(x.dtype)",
            "0",
        ),
        "backward": ("np.zeros_like(x)", "0"),
    },
    "sparsemax": {
        "forward": (_SPARSEMAX, "np.ones_like(x)"),
        "backward": (
            f"(b := s > 0) * (g - (g * b){_SUM} / b{_SUM}.astype(g.dtype))",
            f"(b := s > 0) * np.maximum(abs(g), (abs(g) * b){_SUM} / b{_SUM})",
        ),
    },
    "entmax15": {
        "forward": (_ENTMAX15, f"2 * np.sqrt({_ENTMAX15})"),
        "backward": (
            f"(r := np.sqrt(s)) * (g - (r * g){_SUM} / r{_SUM})",
            f"(r := np.sqrt(s)) * np.maximum(abs(g), (r * abs(g)){_SUM} / r{_SUM})",
        ),
    },
    "maxout": {
        "forward": (f"np.moveaxis({_GROUPS}.max(-1), -1, axis)", "0"),
        "backward": (
            f"np.moveaxis((({_GROUPS}.argmax(-1, keepdims=True) == np.arange(pieces)) "
            "* np.moveaxis(g, axis, -1)[..., None]).reshape(m.shape), -1, axis)",
            "0",
        ),
    },
    "crelu": {
        "forward": ("np.concatenate([np.maximum(x, 0), np.maximum(-x, 0)], axis)", "0"),
        "backward": ("(h := np.split(g, 2, axis))[0] * (x > 0) - h[1] * (x < 0)", "0"),
    },
}
# A function of hinges at two of them, each a number by name
HINGES = {
    "apl": SimpleNamespace(
        parameters={"a0": 0.2, "a1": -0.1, "b0": 0.0, "b1": 1.0},
        formula="max(0, x) + a0*max(0, b0 - x) + a1*max(0, b1 - x)",
        derivative="(1 if x > 0 else 0) - (a0 if x < b0 else 0) - (a1 if x < b1 else 0)",
        second_derivative="0",
        terms={
            "forward": "np.maximum(np.maximum(x, abs(a0)*np.maximum(0, b0 - x)), abs(a1)*np.maximum(0, b1 - x))",
            "derivative": "np.ones_like(x)",
            "backward": "abs(g)",
        },
    )
}
OPTIONS = {"maxout": {"pieces": 2}}  # what a row function wants beside its parameters

LAYOUTS = ("contiguous", "strided", "transposed")
VALUES = ("normal", "subnormal", "-100", "nan")


class NoSuchValues(Exception):
    """A function that has no values of the kind that was asked for."""


@dataclass(frozen=True)
class Case:
    """One cell of the table."""

    name: str
    which: str
    dtype: str
    shape: tuple[int, ...]
    axis: int = -1
    layout: str = "contiguous"
    values: str = "normal"

    @property
    def kind(self) -> np.dtype[Any]:
        return _bench.dtypes()[self.dtype]

    @property
    def family(self) -> str:
        families = {"row": ROWS, "gate": GATES, "hinges": HINGES}
        return next((family for family, names in families.items() if self.name in names), "elementwise")

    @property
    def function(self) -> Any:
        return getattr(actc, self.name) if self.family != "elementwise" else actc.elementwise[self.name]

    @property
    def options(self) -> dict[str, int]:
        """What actc's function takes by name."""
        return {"axis": self.axis, **OPTIONS.get(self.name, {})} if self.family == "row" else {}

    @property
    def parameters(self) -> dict[str, float]:
        own = HINGES[self.name] if self.family == "hinges" else self.function
        return {**own.parameters, **OPTIONS.get(self.name, {})}

    @property
    def results(self) -> float:
        """Elements of the forward result for each of x."""
        shape = self.function.info["shape"] if self.family == "row" else "map"
        reduced = 1 / OPTIONS[self.name]["pieces"] if self.name in OPTIONS else 0
        return {"map": 1, "doubled": 2, "reduce": reduced}[shape]

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def inputs(self) -> tuple[str, ...]:
        """What actc takes, in its order."""
        arrays = "ux" if self.family == "gate" else "x"
        if self.which != "backward":
            return tuple(arrays)
        if self.family == "row":
            arrays = self.function.info["backward_from"].replace("y", "s")
        return ("g", *arrays)

    @property
    def outputs(self) -> tuple[str, ...]:
        pair = self.which == "value_and_derivative" or (self.family, self.which) == ("gate", "backward")
        return ("y", "d") if pair else ("y",)

    def formulas(self) -> list[str]:
        """What each output is, as a formula of actc's tables over the names of the arrays."""
        if self.family == "gate":
            gate = GATES[self.name]
            backward = [f"g*({gate.value_gradient})", f"g*({gate.gate_gradient})"]
            return backward if self.which == "backward" else [gate.formula]
        row = HINGES[self.name] if self.family == "hinges" else _bench.ROWS[self.name]
        patterns = _cli_formula._PASSES["" if self.which == "forward" else self.which]
        return [p.format(f=row.formula, d=row.derivative, s=row.second_derivative) for p in patterns]

    def numpy_source(self) -> str:
        """Statements that compute it in NumPy, the last one an expression."""
        if self.family == "row":
            return ROWS[self.name][self.which][0]
        formulas = self.formulas()
        row = SimpleNamespace(formula=formulas[0], derivative=formulas[-1], second_derivative="")
        source = _cli_formula.numpy_source(row, "value_and_derivative" if len(formulas) > 1 else "")
        return str(source).replace("return ", "")


def passes(name: str) -> tuple[str, ...]:
    """The passes that a function can be measured in."""
    if name in HINGES:
        return tuple(HINGES[name].terms)
    return ("forward", "backward") if name in ROWS or name in GATES else _bench.PASSES


# ---- arrays ----------------------------------------------------------------------------------------------------------


def arrays(case: Case) -> Arrays:
    """The arrays of the timed calls."""
    rng = np.random.default_rng(1)
    given = {}
    for name in "xgu":  # the same numbers for all functions
        tile = (3 * rng.standard_normal(min(case.size, 2**16))).astype(case.kind)
        if name == "x" or name in case.inputs:
            given[name] = np.resize(tile, case.size).reshape(case.shape)
    if case.values != "normal":
        given = {name: np.ones_like(a) for name, a in given.items()} | {"x": special_values(case)}
    return _complete(case, given)


def special_values(case: Case) -> Array:
    """An x of nothing but -100 or NaN, or one at which every result is subnormal."""
    if case.values != "subnormal":
        return np.full(case.shape, float(case.values), case.kind)
    if case.family == "row":
        raise NoSuchValues("rows have no subnormal inputs of their own")
    name = GATES[case.name].activation if case.family == "gate" else case.name
    f = _bench.ufunc_of(name, "derivative" if case.which == "backward" and case.family != "gate" else "forward")
    tiny = float(_bench._finfo(case.kind).smallest_normal)
    steps = np.concatenate([np.geomspace(tiny * 2.0**-6, tiny, 100), np.linspace(0, 1000, 20_000)])
    x = np.concatenate([-steps, steps]).astype(case.kind)
    y = np.abs(np.asarray(f(x)).astype(np.float64))
    x = x[(y > 0) & (y < tiny)]
    if not x.size:
        raise NoSuchValues("no results are subnormal")
    return np.resize(x, case.size).reshape(case.shape)


def sample(case: Case) -> Arrays:
    """The arrays of the calls that are judged. Factors are powers of two: f(x) times them is as exact as f(x)."""
    if case.family == "row":
        # deviation 1: with 3, as it is timed, rounding x - max(x) alone costs 16 ULP, and nobody would count
        g, x = np.random.default_rng(2).standard_normal((2, 64, 258)).astype(case.kind)
        if case.axis == 0:
            g, x = g.T.copy(), x.T.copy()
    else:
        x = _bench.sample(case.kind)
        g = np.ldexp(1.0, np.arange(x.size) % 3).astype(case.kind)
    u = np.ldexp(1.0, np.arange(x.size) % 5 - 2).astype(case.kind).reshape(x.shape)
    return _complete(Case(case.name, case.which, case.dtype, x.shape, case.axis), {"x": x, "g": g, "u": u})


def _laid_out(case: Case, shape: tuple[int, ...]) -> Array:
    """Room in the case's layout."""
    if case.layout == "strided":
        return np.zeros((*shape[:-1], 2 * shape[-1]), case.kind)[..., ::2]
    return np.zeros(shape, case.kind)


def _complete(case: Case, given: Arrays) -> Arrays:
    """Inputs in their layout, and what else the calls of this case need."""
    given = {name: a for name, a in given.items() if name == "x" or name in case.inputs}
    shape = given["x"].shape
    result = list(shape)
    result[case.axis : case.axis + 1 or None] = [int(result[case.axis] * case.results)] if case.results else []
    if "g" in given:
        given["g"] = np.resize(given["g"], result)
    done: Arrays = {}
    for name, a in given.items():
        done[name] = _laid_out(case, a.shape)
        if case.layout == "transposed":  # inputs run down the columns, results along the rows
            done[name] = _laid_out(case, a.shape[::-1]).T
    if case.family == "gate" and case.layout == "contiguous":
        for pair in ("ux", "yd"):
            done[pair] = np.zeros((2 * shape[0], *shape[1:]), case.kind)
            done.update(zip(pair, np.split(done[pair], 2), strict=True))
    for name, a in given.items():
        done[name][...] = a
    forward = tuple(result) if case.which == "forward" else shape
    for name in "ydt":
        done.setdefault(name, _laid_out(case, forward))
    if case.which in ("derivative", "backward") and case.family not in ("gate", "hinges"):
        done["s"] = case.function(done["x"], **case.options)
    return done


# ---- error -----------------------------------------------------------------------------------------------------------


def error(case: Case, results: Any) -> float | None:
    """The largest error in ULP of what `results`, a function of the judged arrays, returns; None without a judge."""
    if case.family in ("row", "hinges"):
        return _judged_by_numpy(case, results)
    if case.family == "gate":
        return _gate_error(case, results)

    def f(*inputs: Array) -> Any:
        given = dict(zip(case.inputs, inputs, strict=True))
        found = results(_complete(Case(case.name, case.which, case.dtype, inputs[0].shape), given))
        if case.which != "forward":  # what a derivative is at a kink is a convention, and peers have their own
            at = (given["x"] == 0) & np.isfinite(found[-1])
            found[-1][at] = np.atleast_2d(getattr(case.function, case.which)(*(given[i][at] for i in case.inputs)))[-1]
        return found if len(found) > 1 else found[0]

    return _bench.max_ulp(f, case.name, case.which, case.kind)


def _gate_error(case: Case, results: Any) -> float | None:
    """y = u f(x), gu = g f(x), gx = g u f'(x): the judge is that of f and f'."""
    gate, a = GATES[case.name], sample(case)
    if len(gate.parameters) > len(_bench.ROWS[gate.activation].parameters):
        return None  # clamped
    factors = [a["g"], a["g"] * a["u"]] if case.which == "backward" else [a["u"]]
    worst, found = 0.0, results(a)
    for i, factor in enumerate(factors):
        reference = _bench._reference(gate.activation, i == 1, case.kind)
        if reference is None:
            return None
        high, low, scale = (part * factor.astype(np.float64) for part in reference)
        worst = max(worst, _bench.ulps(found[i], high, low, scale, case.kind))
    return worst


def _judged_by_numpy(case: Case, results: Any) -> float | None:
    """Judged by the NumPy expression in long double, in units of the largest term where terms cancel."""
    if np.finfo(np.longdouble).nmant < 60:
        return None
    a = sample(case)
    scope = {"np": np, "axis": case.axis, **case.parameters, **{n: np.asarray(v, np.longdouble) for n, v in a.items()}}
    if case.family == "hinges":
        *before, value_text = case.numpy_source().split("; ")
        exec("; ".join(before), scope)
        texts = value_text, HINGES[case.name].terms[case.which]
    else:
        texts = ROWS[case.name][case.which]
        if "s" not in case.inputs:  # who takes the saved result instead of x has one that is right
            scope["s"] = eval(ROWS[case.name]["forward"][0], scope)
    value, terms = (eval(text, scope) for text in texts)
    high = value.astype(np.float64)
    scale = np.maximum(abs(value), terms).astype(np.float64)
    return _bench.ulps(results(a)[0], high, (value - high).astype(np.float64), scale, case.kind)
