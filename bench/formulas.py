"""A formula of actc's tables in the words of those who compile formulas, and with room for the result."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from actc._cli_formula import _parse, _ToNumpy


class NotThere(Exception):
    """The peer does not have this function, pass, type or layout."""


_OPERATORS = {ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.Pow: "power"}


def into(source: str, outputs: tuple[str, ...]) -> str:
    """The statements again, their last operation writing to `outputs` where it is a ufunc's."""
    *before, last = source.split("; ")
    parsed: Any = ast.parse(last, mode="eval").body
    results = parsed.elts if isinstance(parsed, ast.Tuple) else [parsed]
    texts = []
    for node, out in zip(results, outputs, strict=True):
        text = ast.unparse(node)
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            text = f"np.{_OPERATORS[type(node.op)]}({ast.unparse(node.left)}, {ast.unparse(node.right)}, out={out})"
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            text = f"np.negative({ast.unparse(node.operand)}, out={out})"
        elif isinstance(node, ast.Call) and isinstance(getattr(np, ast.unparse(node.func)[3:], None), np.ufunc):
            text = f"{text[:-1]}, out={out})"
        texts.append(text)
    return "; ".join([*before, ", ".join(texts)])


_NUMEXPR = {"atan": "arctan", "max": "max", "min": "min"} | {
    n: n for n in ("abs", "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tanh", "cosh", "sinh")
}


class _ToNumexpr(_ToNumpy):
    """A formula in numexpr's words."""

    def visit_Call(self, node: ast.Call) -> Any:
        name = ast.unparse(node.func)
        if name not in _NUMEXPR:
            raise NotThere(name)
        arguments = [ast.unparse(self.visit(a)) for a in node.args]
        if name in ("max", "min"):
            a, b = arguments
            return _parse(f"where({a} {'>' if name == 'max' else '<'} {b}, {a}, {b})")
        return _parse(f"{_NUMEXPR[name]}({', '.join(arguments)})")

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        self.generic_visit(node)
        return _parse(f"where({', '.join(ast.unparse(n) for n in (node.test, node.body, node.orelse))})")


class _Scalars(_ToNumpy):
    """A formula on scalars: numbers folded, and nothing else."""

    visit_Call = visit_Compare = visit_BoolOp = visit_IfExp = ast.NodeTransformer.generic_visit  # type: ignore


class _Typed(ast.NodeTransformer):
    """Every number but exponents to a name, as a Python float would make float32 a double."""

    def __init__(self) -> None:
        self.numbers: dict[str, float] = {}

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        node.left = self.visit(node.left)
        if not isinstance(node.op, ast.Pow):
            node.right = self.visit(node.right)
        return node

    def visit_Constant(self, node: ast.Constant) -> Any:
        name = f"c{len(self.numbers)}"
        self.numbers[name] = float(node.value)
        return ast.Name(name)


def _typed(formula: str, words: ast.NodeTransformer) -> tuple[str, dict[str, float]]:
    typed = _Typed()
    return ast.unparse(typed.visit(words.visit(_parse(formula)))), typed.numbers


def to_numexpr(formula: str) -> tuple[str, dict[str, float]]:
    """The expression, and what its names for numbers mean."""
    return _typed(formula, _ToNumexpr())


def to_scalars(formula: str) -> tuple[str, dict[str, float]]:
    """The same in the words of `math`, for one element."""
    return _typed(formula, _Scalars())
