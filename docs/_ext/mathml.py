"""Formulas of the table, which are Python expressions, as MathML: what browsers draw by themselves, with no script and
no network, in the colour of the text around."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Mapping
from html import escape

GREEK = dict(
    alpha="α", beta="β", gamma="γ", eps="ε", theta="θ", lambd="λ", mu="μ", pi="π", sigma="σ", tau="τ", temperature="T"
)  # fmt: skip
COMPARE = {ast.Lt: "&lt;", ast.LtE: "≤", ast.Gt: "&gt;", ast.GtE: "≥", ast.Eq: "=", ast.NotEq: "≠"}
SUM, PRODUCT, POWER, ATOM = range(4)  # how tightly it binds


def formula(left: str, expression: str) -> str:
    """`left = expression` as a block; what is no expression, or beyond this file, as code."""
    try:
        body = Printer({}).show(ast.parse(expression, mode="eval").body)
    except (SyntaxError, NotImplementedError):
        return f'<p class="formula"><span>{escape(left)} = <code>{escape(expression)}</code></span></p>'
    head = "".join(f"<mi>{c}</mi>" if c.isalpha() else f'<mo stretchy="false">{c}</mo>' for c in escape(_primes(left)))
    return f'<p class="formula"><math display="block"><mrow>{head}<mo>=</mo>{body}</mrow></math></p>'


def _primes(left: str) -> str:
    return left.replace("''", "″").replace("'", "′")


def _name(text: str) -> str:
    stem, _, index = text.partition("_")
    if len(index) == 1:
        return f"<msub>{_name(stem)}<mi>{index}</mi></msub>"
    return f"<mi>{GREEK.get(text, escape(text))}</mi>"


def _fenced(text: str, left: str = "(", right: str = ")") -> str:
    return f"<mrow><mo>{left}</mo>{text}<mo>{right}</mo></mrow>"


class Printer:
    """One expression; `bound` has what the names of a sum stand for."""

    def __init__(self, bound: Mapping[str, str]) -> None:
        self.bound = dict(bound)

    def show(self, node: ast.expr, at_least: int = SUM) -> str:
        """The expression, in parentheses if it binds less than what stands around it."""
        text, binds = self.of(node)
        return text if binds >= at_least else _fenced(text)

    def of(self, node: ast.expr) -> tuple[str, int]:
        match node:
            case ast.Constant(value):
                return f"<mn>{value}</mn>", ATOM
            case ast.Name(name):
                return self.bound.get(name) or _name(name), ATOM
            case ast.UnaryOp(ast.USub(), operand):
                return f"<mo>−</mo>{self.show(operand, PRODUCT)}", SUM
            case ast.BinOp(left, op, right):
                return self.binary(left, op, right)
            case ast.IfExp():
                return self.cases(node), ATOM
            case ast.Compare():
                return _fenced(self.condition(node), "[", "]"), ATOM  # Iverson's bracket
            case ast.Subscript(value, ast.Name() | ast.BinOp() as index):
                return f"<msub>{self.show(value)}<mrow>{self.show(index)}</mrow></msub>", ATOM
            case ast.Call(ast.Name(name), arguments):
                return self.call(name, arguments)
            case ast.Call(ast.Attribute(ast.Name(row), "index"), _):
                return f"<mrow><mi>argmax</mi><mo>&#8289;</mo>{_name(row)}</mrow>", PRODUCT
        raise NotImplementedError(ast.dump(node))

    def binary(self, left: ast.expr, op: ast.operator, right: ast.expr) -> tuple[str, int]:
        match op:
            case ast.Add():
                return f"{self.show(left)}<mo>+</mo>{self.show(right)}", SUM
            case ast.Sub():
                return f"{self.show(left)}<mo>−</mo>{self.show(right, PRODUCT)}", SUM
            case ast.Div():
                sign, left = self.signed(left)
                fraction = f"<mfrac><mrow>{self.show(left)}</mrow><mrow>{self.show(right)}</mrow></mfrac>"
                return sign + fraction, SUM if sign else PRODUCT
            case ast.Mult():
                return self.product(left, right)
            case ast.Pow():
                match left, right:
                    case ast.Call(ast.Name("sin" | "cos" | "tanh" | "cosh" as name), [argument]), ast.Constant(power):
                        head = f"<msup><mi>{name}</mi><mn>{power}</mn></msup>"
                        return f"{head}<mo>&#8289;</mo>{_fenced(self.show(argument))}", PRODUCT
                return f"<msup><mrow>{self.show(left, ATOM)}</mrow><mrow>{self.show(right)}</mrow></msup>", POWER
        raise NotImplementedError(ast.dump(op))

    def signed(self, node: ast.expr) -> tuple[str, ast.expr]:
        """A minus that stands in front of all, and what it stands in front of."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return "<mo>−</mo>", node.operand
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
            sign, left = self.signed(node.left)
            return sign, ast.BinOp(left, node.op, node.right)
        return "", node

    def product(self, left: ast.expr, right: ast.expr) -> tuple[str, int]:
        """Factors side by side; the same ones are a power."""
        sign, left = self.signed(left)
        factors = [right]
        while isinstance(left, ast.BinOp) and isinstance(left.op, ast.Mult):
            factors, left = [left.right, *factors], left.left
        text = ""
        for _, same in itertools.groupby([left, *factors], key=ast.dump):
            some = list(same)
            one = self.show(some[0], PRODUCT)
            if len(some) > 1:
                one = f"<msup><mrow>{self.show(some[0], ATOM)}</mrow><mn>{len(some)}</mn></msup>"
            digit = one.startswith(("<mn>", "<mfrac><mrow><mn>"))
            named = re.match("<mi>..", one) and "<mspace width='0.17em'/>"  # x erfc(y), not xerfc(y)
            text += f"<mo>{'·' if digit else '&#8290;'}</mo>{named or ''}{one}" if text else one
        return sign + text, SUM if sign else PRODUCT

    def cases(self, node: ast.expr) -> str:
        rows = []
        while isinstance(node, ast.IfExp):
            rows.append((self.show(node.body), f"<mtext>if&#160;</mtext>{self.condition(node.test)}"))
            node = node.orelse
        rows.append((self.show(node), "<mtext>otherwise</mtext>"))
        cell = '<mtd class="left"><mrow>{}</mrow></mtd>'.format
        table = "".join(f"<mtr>{cell(v)}{cell(c)}</mtr>" for v, c in rows)
        return f'<mrow><mo stretchy="true">{{</mo><mtable>{table}</mtable></mrow>'

    def condition(self, node: ast.expr) -> str:
        match node:
            case ast.Compare(left, ops, others):
                rest = (f"<mo>{COMPARE[type(op)]}</mo>{self.show(e)}" for op, e in zip(ops, others, strict=True))
                return self.show(left) + "".join(rest)
            case ast.BoolOp(op, values):
                word = "<mtext>&#160;and&#160;</mtext>" if isinstance(op, ast.And) else "<mtext>&#160;or&#160;</mtext>"
                return word.join(map(self.condition, values))
        return f"{self.show(node)}<mo>≠</mo><mn>0</mn>"

    def call(self, name: str, arguments: list[ast.expr]) -> tuple[str, int]:
        first = arguments[0]
        match name:
            case "exp":
                return f"<msup><mi>e</mi><mrow>{self.show(first)}</mrow></msup>", POWER
            case "expm1":
                return f"<msup><mi>e</mi><mrow>{self.show(first)}</mrow></msup><mo>−</mo><mn>1</mn>", SUM
            case "log1p":
                return f"<mi>ln</mi>{_fenced(f'<mn>1</mn><mo>+</mo>{self.show(first)}')}", PRODUCT
            case "sqrt":
                return f"<msqrt><mrow>{self.show(first)}</mrow></msqrt>", ATOM
            case "abs":
                return _fenced(self.show(first), "|", "|"), ATOM
            case "len":
                return "<mi>n</mi>", ATOM
            case "sum":
                return self.total(first), PRODUCT
            case "max" | "min" if isinstance(first, ast.Name) and len(arguments) == 1:
                return f"<munder><mi>{name}</mi><mi>j</mi></munder><mo>&#8289;</mo>{self.element(first.id)}", PRODUCT
        if any(isinstance(a, ast.GeneratorExp) for a in arguments):
            raise NotImplementedError(name)
        inner = "<mo>,</mo>".join(map(self.show, arguments))
        return f"<mi>{ {'log': 'ln', 'atan': 'arctan'}.get(name, name) }</mi><mo>&#8289;</mo>{_fenced(inner)}", PRODUCT

    def element(self, row: str) -> str:
        return f"<msub>{_name(row)}<mi>j</mi></msub>"

    def total(self, what: ast.expr) -> str:
        """A sum over the elements of a row: `sum(x)`, `sum(... for v in x)`, `sum(... for a, b in zip(g, y))`."""
        match what:
            case ast.Name(row):
                term, under = self.element(row), "<mi>j</mi>"
            case ast.GeneratorExp(element, [ast.comprehension(target, source, tests, _)]):
                match target, source:
                    case ast.Name(v), ast.Name(row):
                        bound = {v: self.element(row)}
                    case ast.Tuple(names), ast.Call(ast.Name("zip"), rows):
                        bound = {v.id: self.element(r.id) for v, r in zip(names, rows, strict=True)}  # type: ignore[attr-defined]
                    case _:
                        raise NotImplementedError(ast.dump(source))
                inside = Printer(self.bound | bound)
                term = inside.show(element, PRODUCT)
                under = "<mi>j</mi>" + "".join(f"<mo>:</mo>{inside.condition(t)}" for t in tests)
            case ast.BinOp():  # of the hinges a and b, arrays
                bound = {n: f"<msub><mi>{n}</mi><mi>s</mi></msub>" for n in "ab"}
                term, under = Printer(self.bound | bound).show(what, PRODUCT), "<mi>s</mi>"
            case _:
                raise NotImplementedError(ast.dump(what))
        return f"<munder><mo>∑</mo><mrow>{under}</mrow></munder>{term}"
