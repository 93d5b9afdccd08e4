"""What is right: the formulas of the table, evaluated three ways, and the distance of a result from them.

`Formula` evaluates a row's string in mpmath, with digits added until they no longer matter. `Reference` translates the
same string to C (reference.c: long double, then __float128, both with a bound of their own error) and is only believed
as far as that bound reaches; what it leaves undecided, mpmath decides. No function is named here.
"""

from __future__ import annotations

import ast
import ctypes
import itertools
import math
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
                # e^x - 1 + 1 is twice 0 if x is below both precisions
                known = abs(now - before) <= abs(now) * mpf(2) ** -bits and (now or mp.prec > 2400)
                if known or mp.prec > 1 << 17:
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
    """Where it rounds to 1 still less than 1, for x - tanh(x) may be a tie but for that."""
    y = mp.sign(u) if abs(u) > mpf("1e400") else mp.tanh(u)
    return y - y * mpf(2) ** -(mp.prec * 3 // 4) if abs(y) == 1 else y


ORDERS = (0, 1, 2)  # f, f' and f''


def formula_of(row: Any, order: int) -> Formula:
    return Formula((row.formula, row.derivative, row.second_derivative)[order], tuple(row.parameters))


def _scope(row: Any, parameters: tuple[float, ...]) -> dict[str, Any]:
    """Names that the fields of a row may use besides x."""
    scope: dict[str, Any] = {"inf": math.inf, "nan": math.nan, "log": math.log, "sqrt": math.sqrt, "pi": math.pi}
    scope |= {"abs": abs, "max": max, "min": min}
    return scope | dict(zip(row.parameters, map(float, parameters or tuple(row.parameters.values())), strict=True))


def field(row: Any, text: str, *parameters: float, **more: Any) -> Any:
    """What an expression in a field of a row says at the given parameters (none: the defaults)."""
    return eval(text.strip(), {"__builtins__": {}}, _scope(row, parameters) | more)


def domain_of(row: Any, *parameters: float) -> tuple[float, float] | None:
    """The open interval in which f is defined, None for parameters that the row does not allow."""
    text = row.domain
    return field(row, text if " if " not in text or " else " in text else text + " else None", *parameters)


def inside(row: Any, x: Array, *parameters: float) -> Array:
    """Which x lie in the domain."""
    low, high = domain_of(row, *parameters) or (math.inf, -math.inf)
    x = x.astype(np.float64) if isinstance(x, np.ndarray) else x
    return (low < x) & (x < high)


def kinks_of(row: Any, *parameters: float) -> list[float]:
    return sorted({float(field(row, text, *parameters)) for text in filter(str.strip, split(row.kinks))})


def split(text: str) -> list[str]:
    """At commas and semicolons outside of brackets."""
    parts, depth = [""], 0
    for c in text:
        depth += (c == "(") - (c == ")")
        if c in ",;" and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    return parts


def limits_of(row: Any, *parameters: float) -> list[float]:
    """f(-inf), f(inf), f'(-inf), f'(inf), f''(-inf), f''(inf) as doubles with the sign of zero; nan: no limit."""
    found = []
    for text in split(row.limits):
        value = float(field(row, text, *parameters))
        found.append(-0.0 if text.strip().startswith("-") and value == 0 else value)
    assert len(found) == 6, f"{row.name}: limits {row.limits!r} are not six values"
    return found


def zeros_of(row: Any, *parameters: float) -> list[float]:
    """Isolated zeros of f' other than 0; of those that go on for ever (an expression with k) the ones within 200."""
    found = []
    for text in filter(str.strip, split(row.zeros.removesuffix("..."))):
        many = any(isinstance(n, ast.Name) and n.id == "k" for n in ast.walk(ast.parse(text.strip())))
        try:
            all_of_it = [float(field(row, text, *parameters, k=k)) for k in (range(-300, 301) if many else (0,))]
        except ZeroDivisionError:  # a zero parameter sends them to infinity
            continue
        found += [r for r in all_of_it if abs(r) < 200 or (not many and r == r)]
    return found


def listed_near(row: Any, x: float, *parameters: float) -> list[Any]:
    """The listed zeros of f' within 1/4 of x, in mpmath: of those that go on for ever (evenly) whichever it is."""
    found = []
    with MP, mp.workprec(1200):
        for text in filter(str.strip, split(row.zeros.removesuffix("..."))):
            zero = Formula(text.strip(), (*row.parameters, "k"))
            try:
                first, second = (zero.at(0, *map(mpf, parameters), k) for k in (0, 1))
            except ZeroDivisionError:
                continue
            k = mp.nint((x - first) / (second - first)) if first != second else 0
            r = zero.at(0, *map(mpf, parameters), k)
            if abs(r - x) <= 0.25:
                found.append(r)
    return found


# ---- the formula in C ------------------------------------------------------------------------------------------------


class _C:
    """Translates one expression to C statements on balls, common subexpressions once."""

    BINARY: ClassVar[dict[type, str]] = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "divide"}
    COMPARE: ClassVar[dict[type, str]] = {ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<=", ast.Eq: "=="}

    def __init__(self, formula: Formula):
        self.formula, self.lines, self.seen = formula, [], {}
        self.doubts: list[str] = []
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
        self.doubts += [f"unsure({a}, {b})" for a, b in itertools.pairwise(values)]
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
            case ast.BinOp(left=left, op=ast.Sub(), right=ast.Call(func=ast.Name(id="tanh"), args=[inner])) if ast.dump(
                left
            ) == ast.dump(inner):
                return self.keep(f"b_x_minus_tanh({self.visit(inner)})")
            case ast.BinOp(op=ast.Sub()) if ast.unparse(node) == "x * cos(x) - sin(x)":
                return self.keep("b_x_cos_minus_sin(exactly(x))")
            case ast.BinOp(left=left, op=op, right=right):
                return self.keep(f"{self.BINARY[type(op)]}({self.visit(left)}, {self.visit(right)})")
            case ast.IfExp(test=test, body=body, orelse=orelse):
                before, self.doubts = self.doubts, []
                condition = self.condition(test)
                unsure, self.doubts = " || ".join(self.doubts), before
                return self.keep(f"{unsure} ? nothing : {condition} ? {self.visit(body)} : {self.visit(orelse)}")
            case ast.Call(func=ast.Name(id="log1p"), args=[ast.Call(func=ast.Name(id="exp"), args=[inner])]):
                return self.keep(f"b_log1p_exp({self.visit(inner)})")
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self.keep(f"b_{name}({', '.join(map(self.visit, arguments))})")
        raise NotImplementedError(f"{self.formula.text}: teach tests/oracle.py {ast.dump(node)}")


class Reference:
    """The formulas of all rows, compiled. Formula 3i is f of row i, 3i + 1 its derivative, 3i + 2 the second one."""

    def __init__(self, rows: list[Any], directory: pathlib.Path):
        self.rows = rows
        self.formulas = [formula_of(row, order) for row in rows for order in ORDERS]
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
        parts, bound, p = np.empty((len(x), 3)), np.empty(len(x)), np.array([*parameters, 0.0])
        self.tiers[quad].evaluate(which, _p(x), _p(p), _n(len(x)), _p(parts), _p(bound))
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
        uncertainty, value, p = np.empty(len(x)), np.empty(len(x)), np.array([*parameters, 0.0])
        pointers = ctypes.c_void_p * len(ys)
        self.tiers[quad].judge(
            which, _p(x), None if g is None else _p(g), _p(p), _n(len(x)), len(ys),
            pointers(*(y.ctypes.data for y in ys)), f.digits, f.least, f.most,
            pointers(*(e.ctypes.data for e in errors)), _p(uncertainty), _p(value),
        )  # fmt: skip
        return errors, uncertainty, value

    def errors(
        self, which: int, x: Array, ys: list[Array], f: Format, *parameters: float, g: Array | None = None,
        rounding: bool = False, cap: int | None = None,
    ) -> tuple[list[Array], Array, Array]:  # fmt: skip
        """ULP errors of each y as results of formula `which` (times g) at x, the exact values as doubles, and which x
        they belong to.

        With `rounding` the errors also say for certain on which side of 1/2 they lie (see `Format.error`). What the
        compiled formulas leave undecided, mpmath decides, which is slow: of more than `cap` such inputs a random choice
        of that many is judged and the others are left out."""
        x, ys = _doubles(x), [_doubles(y) for y in ys]
        g = None if g is None else _doubles(g)

        def undecided(errors: list[Array], doubt: Array) -> Array:
            open_ = ~(doubt <= 1e-4)
            if rounding:
                for e in errors:
                    open_ |= (doubt > 0) & (np.abs(e - 0.5) <= doubt * 1.01 + 1e-15)
            return np.flatnonzero(open_)

        kept = np.ones(len(x), bool)
        errors, doubt, value = self._judge(False, which, x, g, parameters, ys, f)
        at = undecided(errors, doubt)
        if len(at):
            some, doubt, value[at] = self._judge(True, which, x[at], _at(g, at), parameters, [y[at] for y in ys], f)
            for e, s in zip(errors, some, strict=True):
                e[at] = s
            left = at[undecided(some, doubt)]
            if cap is not None and len(left) > cap:
                kept[left] = False
                left = np.random.default_rng(len(x)).choice(left, cap, replace=False)
                kept[left] = True
            for i in left:
                exact = self.formulas[which].exact(x[i], *parameters, factor=1 if g is None else mpf(g[i]))
                value[i] = float(exact)
                for e, y in zip(errors, ys, strict=True):
                    e[i] = f.error(y[i], exact)
        return [e[kept] for e in errors], value[kept], kept

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def relative_to_neighbours(
        self, which: int, x: Array, error: Array, value: Array, f: Format, bound: float, *parameters: float,
        g: Array | None = None,
    ) -> Array:  # fmt: skip
        """The rule near an isolated zero r != 0 of the quantity h: |x - r| <= 1/4 counts in units of the larger of
        |h(r - 1)| and |h(r + 1)|. Zeros are looked for only around inputs whose error exceeds the bound."""
        x, error = _doubles(x), error.copy()
        open_ = ~(error <= bound)
        row = self.rows[which // 3]
        zeros, errors = 500, 20  # what there is to find at most: beyond that, inputs are reported as they are
        while open_.any() and zeros and errors:
            i = int(np.flatnonzero(open_)[0])
            found = listed_near(row, x[i], *parameters) if which % 3 == 1 else []
            found = found or self._zeros_near(which, x[i], *parameters)
            zeros, errors = (zeros - 1, errors) if found else (zeros, errors - 1)
            for r in found:
                near = open_ & (np.abs(x - float(r)) <= 0.25)
                near[i] = True
                with MP, mp.workprec(1200):
                    beside = [r + s for s in (-1, 1) if inside(row, r + s, *parameters)]
                    larger = float(max(abs(self.formulas[which].at(s, *map(mpf, parameters))) for s in beside))
                scale = f.ulp(larger * (1.0 if g is None else np.abs(_doubles(g))) * np.ones(len(x)))
                # never stricter than without it: a function of short period is small beside its zeros, too
                error[near] = np.minimum(error[near], error[near] * (f.ulp(value[near]) / scale[near]))
                open_ &= ~near
            open_[i] = False
        return error

    def _zeros_near(self, which: int, x: float, *parameters: float) -> list[Any]:
        """Zeros of formula `which` other than 0 within 1/4 of x: its values change their sign there, and vanish."""
        formula, values = self.formulas[which], list(map(mpf, parameters))
        row = self.rows[which // 3]
        low, high = domain_of(row, *parameters) or (-math.inf, math.inf)
        if not np.isfinite(x):
            return []
        with MP, mp.workprec(1200 if abs(x) > 2.0**40 else 160):
            grid = [mpf(x) + mpf(i) / 32 for i in range(-8, 9)]
            grid = [t for t in grid if low < t < high]
            signs = [mp.sign(formula.at(t, *values)) for t in grid]
            alone = zip(grid[1:], signs, signs[1:], signs[2:], strict=False)
            found = [t for t, left, s, right in alone if s == 0 and t != 0 and left and right]
            for a, b, s, t in zip(grid, grid[1:], signs, signs[1:], strict=False):
                if s * t < 0:
                    first = max(abs(formula.at(a, *values)), abs(formula.at(b, *values)))
                    for _ in range(100):
                        middle = (a + b) / 2
                        if mp.sign(formula.at(middle, *values)) == s:
                            a = middle
                        else:
                            b = middle
                    vanishes = max(abs(formula.at(a, *values)), abs(formula.at(b, *values))) < first * mpf(2) ** -40
                    if vanishes and abs(b) > mpf(2) ** -80:  # neither a jump nor the zero at 0
                        found.append(b)
            return found


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


def settings(row: Any, values: tuple[float, ...] = (-0.5, 0.3, 3.0), valid: bool = True) -> list[tuple[float, ...]]:
    """Parameter settings beyond the defaults: each parameter takes each value once, as far as the domain allows (or,
    not `valid`, whether or not it does)."""
    count = len(row.parameters)
    turned = [tuple(values[(i + k) % len(values)] for k in range(count)) for i in range(len(values))] if count else []
    return [p for p in turned if not valid or domain_of(row, *p)]


def chunks(x: Array, size: int = 1 << 17) -> Iterator[Array]:
    return (x[i : i + size] for i in range(0, len(x), size))


def in_parallel(function: Any, items: Any) -> list[Any]:
    with ThreadPoolExecutor(CORES) as pool:
        return list(pool.map(function, items))
