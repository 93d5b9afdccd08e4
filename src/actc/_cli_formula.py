"""A row's formula as the NumPy function that a user would write by hand, and as mpmath's reference.

The table holds each formula once, as a Python expression; what is compared with actc is derived from it, so that no
function is named here and a new row brings its own opponent.
"""

from __future__ import annotations

import ast
import copy
import math
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

# mpmath's spelling -> NumPy's, for the elementary functions whose names differ
_NUMPY_NAMES = {
    "abs": "abs",
    "max": "maximum",
    "min": "minimum",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "atan2": "arctan2",
    "ln": "log",
}
_CONSTANTS = {"pi": math.pi, "e": math.e}

# How each pass follows from f and f'. A pass that is not here has no NumPy expression to be compared with.
_PASSES: dict[str, tuple[str, ...]] = {
    "": ("{f}",),
    "derivative": ("{d}",),
    "second_derivative": ("{s}",),
    "backward": ("g*({d})",),
    "value_and_derivative": ("{f}", "{d}"),
}


class _Special:
    """Functions that NumPy lacks: SciPy's where it is installed, else what `math` offers, element by element."""

    def __getattr__(self, name: str) -> Any:
        try:
            function = getattr(import_module("scipy.special"), name)
        except (ImportError, AttributeError):
            scalar = np.vectorize(getattr(math, name), otypes=[float])

            def function(x: Any) -> Any:
                return scalar(x).astype(np.asarray(x).dtype)

        setattr(self, name, function)  # the next look-up is an ordinary attribute's
        return function


def _is_array(node: ast.AST) -> bool:
    return any(isinstance(n, ast.Name) and n.id in ("x", "g") for n in ast.walk(node))


def _is_number(node: ast.AST) -> bool:
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    functions = {n.func.id for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    return names <= {*_CONSTANTS, *functions}


def _parse(source: str) -> Any:
    return ast.parse(source, mode="eval").body


class _ToNumpy(ast.NodeTransformer):
    """Conditions to `where`, functions to NumPy's, and numbers folded, as np.sqrt(2) would make float32 float64."""

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.BinOp | ast.UnaryOp | ast.Call) and _is_number(node):
            scope = {**vars(math), "abs": abs, "min": min, "max": max}
            return ast.Constant(eval(ast.unparse(node), {"__builtins__": {}}, scope))
        return super().visit(node)

    def visit_Name(self, node: ast.Name) -> Any:
        return ast.Constant(_CONSTANTS[node.id]) if node.id in _CONSTANTS else node

    def visit_Call(self, node: ast.Call) -> Any:
        name = ast.unparse(node.func)
        node.args = [self.visit(a) for a in node.args]
        name = _NUMPY_NAMES.get(name, name)
        node.func = _parse(f"np.{name}" if hasattr(np, name) else f"special.{name}")
        return node

    def visit_Compare(self, node: ast.Compare) -> Any:
        """`a < x < b`, which arrays refuse, to `(a < x) & (x < b)`."""
        self.generic_visit(node)
        sides = [node.left, *node.comparators]
        parts: list[Any] = [ast.Compare(sides[i], [op], [sides[i + 1]]) for i, op in enumerate(node.ops)]
        whole = parts[0]
        for part in parts[1:]:
            whole = ast.BinOp(whole, ast.BitAnd(), part)
        return whole

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        self.generic_visit(node)
        operator = ast.BitAnd() if isinstance(node.op, ast.And) else ast.BitOr()
        whole = node.values[0]
        for part in node.values[1:]:
            whole = ast.BinOp(whole, operator, part)
        return whole

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        self.generic_visit(node)
        test, yes, no = (ast.unparse(n) for n in (node.test, node.body, node.orelse))
        if test in (f"{yes} > {no}", f"{yes} >= {no}"):
            return _parse(f"np.maximum({yes}, {no})")
        if test in (f"{yes} < {no}", f"{yes} <= {no}"):
            return _parse(f"np.minimum({yes}, {no})")
        if (yes, no) == ("1", "0"):
            return _parse(f"({test}).astype(x.dtype)")
        if not _is_array(node.body) and not _is_array(node.orelse):  # two bare numbers would give float64
            yes, no = f"x.dtype.type({yes})", f"x.dtype.type({no})"
        return _parse(f"np.where({test}, {yes}, {no})")


class _Share(ast.NodeTransformer):
    """Give what occurs more than once a name, as anybody would: `t = np.exp(-x)`."""

    def __init__(self, results: list[Any]) -> None:
        nodes = [n for r in results for n in ast.walk(r) if isinstance(n, ast.BinOp | ast.Call) and _is_array(n)]
        self.counts = Counter(ast.dump(n) for n in nodes)
        self.names: dict[str, str] = {}
        self.lines: list[str] = []

    def visit(self, node: ast.AST) -> Any:
        key = ast.dump(node)
        if key not in self.names:
            node = self.generic_visit(node)
            if self.counts[key] < 2:
                return node
            self.names[key] = f"t{len(self.names)}"
            self.lines.append(f"{self.names[key]} = {ast.unparse(node)}")
        return ast.Name(self.names[key])


def numpy_source(row: Any, kind: str) -> str | None:
    """The statements that compute one pass of a row in plain NumPy, on one line."""
    if kind not in _PASSES:
        return None
    formulas = [p.format(f=row.formula, d=row.derivative, s=row.second_derivative) for p in _PASSES[kind]]
    results = [_ToNumpy().visit(_parse(f)) for f in formulas]
    for i, result in enumerate(results):
        if not _is_array(result):
            results[i] = _parse(f"np.where(np.isnan(x), x, {ast.unparse(result)})")  # full_like would lose NaN
        elif isinstance(result, ast.Name):
            results[i] = _parse("x.copy()")
    share = _Share(copy.deepcopy(results))
    results = [share.visit(r) for r in results]
    return "; ".join([*share.lines, f"return {', '.join(ast.unparse(r) for r in results)}"])


def numpy_function(row: Any, kind: str) -> Callable[..., Any] | None:
    """That, as a function of (g,) x and the parameters."""
    source = numpy_source(row, kind)
    if source is None:
        return None
    arguments = [*(["g"] if kind == "backward" else []), "x", *(f"{n}={v!r}" for n, v in row.parameters.items())]
    scope: dict[str, Any] = {"np": np, "special": _Special()}
    exec(f"def expression({', '.join(arguments)}):\n    {source}", scope)
    function: Callable[..., Any] = scope["expression"]
    return function


class _ToMpmath(ast.NodeTransformer):
    """Every number to the mpf of its own digits: a float literal would have lost them."""

    def __init__(self, source: str) -> None:
        self.source = source

    def visit_Constant(self, node: ast.Constant) -> Any:
        return _parse(f"mpf({ast.get_source_segment(self.source, node)!r})")


def mpmath_function(formula: str, parameters: dict[str, float]) -> Callable[[float], tuple[float, float]] | None:
    """x -> the formula's value as an unevaluated sum of two doubles, or None without mpmath."""
    try:
        mpmath = import_module("mpmath")
    except ImportError:
        return None
    tree = ast.parse(formula, mode="eval")
    code = compile(ast.fix_missing_locations(_ToMpmath(formula).visit(tree)), "<formula>", "eval")
    scope = {**vars(mpmath), "abs": abs, "min": min, "max": max}
    scope.update({n: mpmath.mpf(v) for n, v in parameters.items()})

    def evaluate(x: float) -> tuple[float, float]:
        with mpmath.workdps(60):
            value = eval(code, scope, {"x": mpmath.mpf(x)})
            high = float(value)
            return high, float(value - high)

    return evaluate


def zeros(row: Any, reach: float) -> list[float]:
    """The isolated zeros of f' within `reach`, at the default parameters; an expression with k stands for many."""
    scope = {"log": math.log, "sqrt": math.sqrt, "pi": math.pi, "nan": math.nan, **row.parameters}
    found = []
    for text in filter(str.strip, row.zeros.removesuffix("...").split(",")):
        names = {n.id for n in ast.walk(_parse(text.strip())) if isinstance(n, ast.Name)}
        for k in range(-20, 21) if "k" in names else (0,):
            found.append(float(eval(text.strip(), {"__builtins__": {}}, {**scope, "k": k})))
    return [z for z in found if abs(z) <= reach]
