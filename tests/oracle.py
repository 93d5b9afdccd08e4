"""What is right: the formulas of the table, evaluated three ways, and the distance of a result from them.

`Formula` evaluates a row's string in mpmath, with digits added until they no longer matter. `Reference` translates the
same string to C (reference.c: long double, then __float128, both with a bound of their own error) and is only believed
as far as that bound reaches; what it leaves undecided, mpmath decides. No function is named here.
"""

from __future__ import annotations

import ast
import ctypes
import itertools
import os
import pathlib
import shutil
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, NamedTuple

import numpy as np
from mpmath import mp, mpf

Array = np.ndarray
MP = threading.RLock()  # mpmath's precision is one global number
HERE = pathlib.Path(__file__).parent
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# ---- formats ---------------------------------------------------------------------------------------------------------


class Format(NamedTuple):
    """A binary floating-point format: digits of the significand, exponents of its normal numbers."""

    dtype: np.dtype[Any]
    digits: int
    least: int
    most: int

    def ulp_exponent(self, exponent: int) -> int:
        return min(max(exponent, self.least), self.most) - (self.digits - 1)

    def ulp(self, value: Array) -> Array:
        """One unit in the last place in the binade of each (double) value."""
        exponent = np.where(value == 0, self.least, np.frexp(np.where(np.isfinite(value), value, 1))[1] - 1)
        exponent = np.where(np.isfinite(value), exponent, self.most)
        return np.ldexp(1.0, np.clip(exponent, self.least, self.most) - (self.digits - 1))

    def error(self, result: float, exact: Any) -> float:
        """|result - exact| in ULP of the exact value, infinity standing for 2^(most + 1).

        Exactly 0.5 only for a tie that was rounded to even; a tie rounded the other way, or the smallest step beyond
        the middle, is the next double."""
        end = mpf(2) ** (self.most + 1)
        with MP, mp.workprec(4096):
            wanted = max(min(mpf(exact), end), -end)
            given = mp.sign(result) * end if np.isinf(result) else mpf(float(result))
            if np.isnan(result):
                return float("inf")
            ulp = mpf(2) ** self.ulp_exponent(exponent_of(wanted) if wanted else self.least)
            error = abs(given - wanted) / ulp
            if error > mpf("0.5") or (error == mpf("0.5") and int(given / ulp) % 2):
                return max(float(error), float(np.nextafter(0.5, 1)))
            return min(float(error), 0.5)


def exponent_of(v: Any) -> int:
    """e with 2^e <= |v| < 2^(e + 1)."""
    return int(mp.frexp(v)[1]) - 1


def formats() -> dict[str, Format]:
    known = {
        "float16": Format(np.dtype(np.float16), 11, -14, 15),
        "float32": Format(np.dtype(np.float32), 24, -126, 127),
        "float64": Format(np.dtype(np.float64), 53, -1022, 1023),
    }
    try:
        import ml_dtypes
    except ImportError:
        return known
    return known | {"bfloat16": Format(np.dtype(ml_dtypes.bfloat16), 8, -126, 127)}


FORMATS = formats()


# ---- the formula in mpmath -------------------------------------------------------------------------------------------


class _Exact(ast.NodeTransformer):
    """Decimal literals become mpf from their text: 0.1 is one tenth, not the nearest double."""

    def __init__(self, text: str):
        self.text = text

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, int):
            return node
        literal = ast.get_source_segment(self.text, node)
        call = ast.Call(ast.Name("mpf", ast.Load()), [ast.Constant(literal)], [])
        return ast.copy_location(call, node)


class Formula:
    """A Python expression of x and parameters over mpmath's names."""

    def __init__(self, text: str, parameters: tuple[str, ...] = ()):
        self.text, self.names = text, ("x", *parameters)
        self.tree = ast.parse(text, mode="eval")
        code = ast.fix_missing_locations(_Exact(text).visit(ast.parse(text, mode="eval")))
        self.code = compile(code, text, "eval")

    def at(self, x: Any, *parameters: Any) -> Any:
        """Evaluated once, at the precision in force; x and the parameters are mpf or doubles."""
        scope = {"mpf": mpf, "abs": abs, "max": max, "min": min, **dict(zip(self.names, (x, *parameters), strict=True))}
        return mpf(eval(self.code, {}, _Names(scope)))

    def exact(self, x: float, *parameters: float, bits: int = 128, factor: Any = 1) -> Any:
        """factor f(x) to `bits` bits: the precision doubles until two evaluations agree to that."""
        values = [mpf(float(v)) for v in (x, *parameters)]
        # 1 + e^x - 1 wants room for x's own exponent
        room = max((abs(exponent_of(v)) for v in values if v and mp.isfinite(v)), default=0)
        with MP, mp.workprec(2 * bits + min(room, 1200)):
            before = self.at(*values)
            while True:
                mp.prec *= 2
                now = self.at(*values)
                if abs(now - before) <= abs(now) * mpf(2) ** -bits or mp.prec > 1 << 17:
                    return +(now * factor)
                before = now


class _Names(dict[str, Any]):
    """Names that an expression may use: its own, else mpmath's."""

    def __missing__(self, name: str) -> Any:
        return {"cosh": _cosh, "tanh": _tanh}.get(name) or getattr(mp, name)


def _cosh(u: Any) -> Any:
    """Of e^(1e300), for which mpmath would want 1e300 bits of log 2, any huge number will do."""
    return mp.ldexp(1, 10**400) if abs(u) > mpf("1e400") else mp.cosh(u)


def _tanh(u: Any) -> Any:
    return mp.sign(u) if abs(u) > mpf("1e400") else mp.tanh(u)


def formula_of(row: Any, derivative: bool) -> Formula:
    return Formula(row.derivative if derivative else row.formula, tuple(row.parameters))


def limits_of(row: Any, *parameters: float) -> list[float]:
    """f(-inf), f(inf), f'(-inf), f'(inf), as doubles with the sign of zero."""
    scope: dict[str, Any] = {"inf": float("inf"), "nan": float("nan"), "log": np.log, "sqrt": np.sqrt, "pi": np.pi}
    scope |= dict(zip(row.parameters, map(float, parameters or tuple(row.parameters.values())), strict=True))
    found = []
    for text in row.limits.replace(";", ",").split(","):
        negative_zero = text.strip().startswith("-") and eval(text, {}, dict(scope)) == 0
        found.append(-0.0 if negative_zero else float(eval(text, {}, dict(scope))))
    assert len(found) == 4, f"{row.name}: limits {row.limits!r} are not four values"
    return found


def zeros_of(row: Any, *parameters: float) -> list[float]:
    """Isolated zeros of f' other than 0; of those that go on for ever (an expression with k) the ones within 200."""
    scope: dict[str, Any] = {"nan": float("nan"), "log": np.log, "pi": np.pi}
    scope |= dict(zip(row.parameters, parameters or row.parameters.values(), strict=True))
    found = []
    for text in filter(str.strip, row.zeros.split(",")):
        many = any(isinstance(n, ast.Name) and n.id == "k" for n in ast.walk(ast.parse(text.strip())))
        all_of_it = [float(eval(text.strip(), {}, {**scope, "k": k})) for k in (range(-300, 301) if many else (0,))]
        found += [r for r in all_of_it if abs(r) < 200 or (not many and r == r)]
    return found


# ---- the formula in C ------------------------------------------------------------------------------------------------


class _C:
    """Translates one expression to C statements on balls, common subexpressions once."""

    BINARY: ClassVar[dict[type, str]] = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "divide"}
    COMPARE: ClassVar[dict[type, str]] = {ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<=", ast.Eq: "=="}

    def __init__(self, formula: Formula):
        self.formula, self.lines, self.seen = formula, [], {}
        self.result = self.visit(formula.tree.body)

    def keep(self, code: str) -> str:
        if code not in self.seen:
            self.seen[code] = f"t{len(self.seen)}"
            self.lines.append(f"    ball {self.seen[code]} = {code};")
        return self.seen[code]

    def condition(self, node: ast.expr) -> str:
        if isinstance(node, ast.BoolOp):
            glue = " && " if isinstance(node.op, ast.And) else " || "
            return "(" + glue.join(map(self.condition, node.values)) + ")"
        assert isinstance(node, ast.Compare), ast.dump(node)
        values = [self.visit(v) for v in (node.left, *node.comparators)]
        parts = [
            f"{a}.v {self.COMPARE[type(op)]} {b}.v"
            for (a, b), op in zip(itertools.pairwise(values), node.ops, strict=True)
        ]
        return "(" + " && ".join(parts) + ")"

    def visit(self, node: ast.expr) -> str:
        match node:
            case ast.Constant(value=int(value)):
                return self.keep(f"exactly({value})")
            case ast.Constant():
                return self.keep(f"literal(LITERAL({ast.get_source_segment(self.formula.text, node)}))")
            case ast.Name(id="pi"):
                return self.keep("b_pi()")
            case ast.Name(id="x"):
                return self.keep("exactly(x)")
            case ast.Name(id=name):
                return self.keep(f"exactly(p[{self.formula.names.index(name) - 1}])")
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.keep(f"neg({self.visit(operand)})")
            case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int(exponent))) if exponent > 0:
                return self.keep(f"power({self.visit(left)}, {exponent})")
            case ast.BinOp(left=left, op=ast.Sub(), right=ast.Call(func=ast.Name(id="tanh"), args=[inner])) if (
                ast.dump(left) == ast.dump(inner)
            ):
                return self.keep(f"b_x_minus_tanh({self.visit(inner)})")
            case ast.BinOp(op=ast.Sub()) if ast.unparse(node) == "x * cos(x) - sin(x)":
                return self.keep("b_x_cos_minus_sin(exactly(x))")
            case ast.BinOp(left=left, op=op, right=right):
                return self.keep(f"{self.BINARY[type(op)]}({self.visit(left)}, {self.visit(right)})")
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self.keep(f"{self.condition(test)} ? {self.visit(body)} : {self.visit(orelse)}")
            case ast.Call(func=ast.Name(id="log1p"), args=[ast.Call(func=ast.Name(id="exp"), args=[inner])]):
                return self.keep(f"b_log1p_exp({self.visit(inner)})")
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self.keep(f"b_{name}({', '.join(map(self.visit, arguments))})")
        raise NotImplementedError(f"{self.formula.text}: teach tests/oracle.py {ast.dump(node)}")


class Reference:
    """The formulas of all rows, compiled. Formula 2i is f of row i, 2i + 1 its derivative."""

    def __init__(self, rows: list[Any], directory: pathlib.Path):
        self.rows = rows
        self.formulas = [formula_of(row, derivative) for row in rows for derivative in (False, True)]
        functions = []
        for i, formula in enumerate(self.formulas):
            c = _C(formula)
            lines = "\n".join(c.lines)
            functions.append(
                f"/* {formula.text} */\nstatic ball f{i}(double x, const double *p)\n"
                f"{{\n    (void)p;\n{lines}\n    return {c.result};\n}}\n"
            )
        table = ", ".join(f"f{i}" for i in range(len(functions)))
        tail = "\n".join(functions) + f"static formula *const formulas[] = {{{table}}};\n"
        text = (HERE / "reference.c").read_text().replace("static formula *const formulas[];\n", tail)
        source = directory / "formulas.c"
        source.write_text(text)
        self.tiers = []
        for quad in (0, 1):
            library = directory / f"formulas{quad}.so"
            command = [compiler(), "-O2", "-fPIC", "-shared", "-w", "-fno-math-errno", f"-DQUAD={quad}", str(source)]
            subprocess.run([*command, "-o", str(library), *(["-lquadmath"] * quad), "-lm"], check=True)
            self.tiers.append(ctypes.CDLL(str(library)))

    def evaluate(self, quad: bool, which: int, x: Array, *parameters: float) -> tuple[Array, Array]:
        """Values as sums of three doubles, and the bounds that the C code claims."""
        parts, bound = np.empty((len(x), 3)), np.empty(len(x))
        self.tiers[quad].evaluate(which, _p(x), _p(np.array([*parameters, 0.0])), _n(len(x)), _p(parts), _p(bound))
        return parts, bound

    def _judge(
        self,
        quad: bool,
        which: int,
        x: Array,
        g: Array | None,
        parameters: tuple[float, ...],
        ys: list[Array],
        f: Format,
    ) -> tuple[list[Array], Array, Array]:
        errors = [np.empty(len(x)) for _ in ys]
        uncertainty, value = np.empty(len(x)), np.empty(len(x))
        pointers = ctypes.c_void_p * len(ys)
        self.tiers[quad].judge(
            which, _p(x), None if g is None else _p(g), _p(np.array([*parameters, 0.0])), _n(len(x)), len(ys),
            pointers(*(y.ctypes.data for y in ys)), f.digits, f.least, f.most,
            pointers(*(e.ctypes.data for e in errors)), _p(uncertainty), _p(value),
        )  # fmt: skip
        return errors, uncertainty, value

    def errors(
        self, which: int, x: Array, ys: list[Array], f: Format, *parameters: float, g: Array | None = None,
        rounding: bool = False,
    ) -> tuple[list[Array], Array]:  # fmt: skip
        """ULP errors of each y as results of formula `which` (times g) at x, and the exact values as doubles.

        With `rounding` the errors also say for certain on which side of 1/2 they lie (see `Format.error`)."""
        x, ys = _doubles(x), [_doubles(y) for y in ys]
        g = None if g is None else _doubles(g)

        def undecided(errors: list[Array], doubt: Array) -> Array:
            open_ = ~(doubt <= 1e-4)
            if rounding:
                for e in errors:
                    open_ |= (doubt > 0) & (np.abs(e - 0.5) <= doubt * 1.01 + 1e-15)
            return np.flatnonzero(open_)

        errors, doubt, value = self._judge(False, which, x, g, parameters, ys, f)
        at = undecided(errors, doubt)
        if len(at):
            some, doubt, value[at] = self._judge(True, which, x[at], _at(g, at), parameters, [y[at] for y in ys], f)
            for e, s in zip(errors, some, strict=True):
                e[at] = s
            for i in at[undecided(some, doubt)]:
                exact = self.formulas[which].exact(x[i], *parameters, factor=1 if g is None else mpf(g[i]))
                value[i] = float(exact)
                for e, y in zip(errors, ys, strict=True):
                    e[i] = f.error(y[i], exact)
        return errors, value

    def relative_to_neighbours(
        self, which: int, x: Array, error: Array, value: Array, f: Format, *parameters: float, g: Array | None = None
    ) -> Array:
        """The rule near an isolated zero r of the derivative: |x - r| <= 1/4 counts in units of the larger of
        |h(r - 1)| and |h(r + 1)|."""
        if which % 2 == 0:
            return error
        x = _doubles(x)
        for r in zeros_of(self.rows[which // 2], *parameters):
            larger = float(max(abs(self.formulas[which].exact(s, *parameters)) for s in (r - 1, r + 1)))
            near = np.abs(x - r) <= 0.25
            unit = f.ulp(larger * (1.0 if g is None else np.abs(_doubles(g))) * np.ones_like(x))
            error = np.where(near, error * (f.ulp(value) / unit), error)
        return error


def compiler() -> str:
    found = os.environ.get("CC") or shutil.which("gcc") or shutil.which("cc")
    if not found:
        raise FileNotFoundError("a C compiler")
    return found


def _doubles(a: Array) -> Array:
    return np.ascontiguousarray(a, np.float64)


def _at(a: Array | None, index: Array) -> Array | None:
    return None if a is None else a[index]


def _p(a: Array) -> ctypes.c_void_p:
    return ctypes.c_void_p(a.ctypes.data)


_n = ctypes.c_size_t


# ---- inputs and settings ---------------------------------------------------------------------------------------------


def settings(row: Any, values: tuple[float, ...] = (-0.5, 0.3, 3.0)) -> list[tuple[float, ...]]:
    """Parameter settings beyond the defaults: each parameter takes each value once."""
    count = len(row.parameters)
    return [tuple(values[(i + k) % len(values)] for k in range(count)) for i in range(len(values))] if count else []


def chunks(x: Array, size: int = 1 << 17) -> Iterator[Array]:
    return (x[i : i + size] for i in range(0, len(x), size))


def in_parallel(function: Any, items: Any) -> list[Any]:
    with ThreadPoolExecutor(CORES) as pool:
        return list(pool.map(function, items))
