"""A page a function, the gallery of all of them and the page of the command, printed from the tables when the
documentation is built. What they say is what the library says of itself, so no page can be stale.

    actc.functions, .row_functions, .gates    formulas, limits, kinks, parameters, papers
    docs/proof.json                           the largest errors, and their inputs
    actc._presets                             names and defaults elsewhere
    docs/speed.json                           times, in those of a copy and of np.tanh
    docs/rows_speed.json                      times of rows, gates and apl beside NumPy and SciPy
    README.md                                 the speed of those functions that its table has
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

import mathml
import numpy as np
import plots

import actc
from actc import _preset_rows, _presets

DOCS = Path(__file__).resolve().parents[1]
FAMILIES = {
    "Piecewise linear": "Comparisons, products and sums; f″ is 0. Cheap, and exact or nearly so.",
    "Rectifiers with a bend": "Monotone, bounded on the left, growing on the right.",
    "Rectifiers with a dip": "x times a gate: 0 on the far left, below 0 in between, growing on the right.",
    "Sigmoids": "Monotone, and bounded on both sides.",
    "Unbounded on both sides": "Neither side has a bound.",
    "Waves and bumps": "They come back, or never settle.",
}
SIZES = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}


# ---- what the pages are about ----------------------------------------------------------------------------------------


def pages() -> Mapping[str, Any]:
    """Everything that has a page: name -> function."""
    return {**actc.functions, **{n: f for n, f in actc.row_functions.items() if n not in actc.functions}, **actc.gates}


def kind(f: Any) -> str:
    name = f.info["name"]
    return "gate" if name in actc.gates else "elementwise" if name in actc.functions else "row"


def family(f: Any) -> str:
    """By what the function does far out and by its slope; nobody keeps a list."""
    if f.info["second_derivative"] == "0":
        return "Piecewise linear"
    ends = np.array([-np.inf, np.inf])
    far, slopes = f(ends), f.derivative(ends)
    monotone = not f.info["monotonicity"].startswith("not")
    if np.isnan([far, slopes]).any() or (np.isfinite(far).all() and not monotone):
        return "Waves and bumps"
    if np.isfinite(far).all():
        return "Sigmoids"
    if np.isfinite(far[0]) and far[1] == np.inf:
        return "Rectifiers with a bend" if monotone else "Rectifiers with a dip"
    return "Unbounded on both sides"


def summary(f: Any) -> str:
    """One line about it."""
    if kind(f) == "gate":
        return f"A gate: the product of a and `{f.info['activation']}(b)`."
    if kind(f) == "row":
        return {"reduce": "A function of whole rows: a number each."}.get(
            f.info["shape"], "A function of whole rows: another row each."
        )
    return f"{family(f)}; {f.info['monotonicity']}; range {f.info['range']}."


# ---- parts of a page -------------------------------------------------------------------------------------------------


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """A Markdown table; nothing without rows."""
    head, rows = list(head), [[str(c).replace("|", "\\|") for c in r] for r in rows]
    lines = [head, ["---"] * len(head), *rows] if rows else []
    return ["", *(f"| {' | '.join(line)} |" for line in lines), ""]


def code(text: Any) -> str:
    return f"`{text}`"


def formulas(f: Any) -> list[str]:
    wanted = {
        "elementwise": {"f(x)": "formula", "f'(x)": "derivative", "f''(x)": "second_derivative"},
        "row": {"yᵢ" if f.info.get("shape") != "reduce" else "y": "formula", "gxᵢ": "backward"},
        "gate": {"y": "formula", "∂y/∂a": "value_gradient", "∂y/∂b": "gate_gradient"},
    }[kind(f)]
    lines = ["", *(mathml.formula(left, f.info[k]) for left, k in wanted.items()), ""]
    lines += ["As Python expressions, as in `f.info`:", "", "```text"]
    lines += [f"{left:7} = {f.info[k]}" for left, k in wanted.items()]
    return [*lines, "```", ""]


def parameters(f: Any) -> list[str]:
    given = dict(f.parameters)
    lines = ["## Parameters", ""]
    if f.info.get("required"):
        return [
            *lines,
            "`a` and `b`, slopes and places of the hinges, have no defaults. See [hinges](../reference/apl.md).",
            "",
        ]
    if not given:
        return [*lines, "None.", ""]
    lines += table(["name", "default"], [[code(n), f"{v:g}"] for n, v in given.items()])
    lines += [
        f"They follow {'b' if kind(f) == 'gate' else 'x'}, by position or by name, broadcast against it, are computed "
        "in float64 and never change the type of the result.",
        "",
    ]
    if f.info.get("special"):
        cases = [s.split(": ", 1) for s in f.info["special"].split("; ")]
        lines += ["At special values, the first case that holds:", ""]
        lines += table(["if", "f(x)"], [map(code, c) if len(c) > 1 else ["", c[0]] for c in cases])
    return lines


def properties(f: Any) -> list[str]:
    info = f.info
    rows = [["domain, range", f"{code(info['domain'])}, {code(info['range'])}"]]
    if info["limits"].count(";") == 2:
        for sign, pair in zip(("f", "f′", "f″"), info["limits"].split("; "), strict=True):
            rows += [[f"{sign}(−∞), {sign}(+∞)", ", ".join(map(code, pair.split(", ")))]]
    else:
        rows += [["limits", info["limits"]]]
    rows += [["monotonicity", info["monotonicity"]]]
    rows += [["kinks", f"at {code(info['kinks'])}; by convention {code(info['kink'])}" if info["kinks"] else "none"]]
    if info["zeros"]:
        rows += [["f′ is 0 at", code(info["zeros"])]]
    rows += [["Lipschitz constant", code(info["lipschitz"])]]
    if info["gain"] is not None:
        rows += [
            [
                "gain, of gradients",
                f"{info['gain']:.7g}, {info['derivative_gain']:.7g} ([initialisers](../reference/init.md))",
            ]
        ]
    return ["## Limits, kinks and slopes", *table(["", ""], rows), "NaN gives NaN.", ""]


@functools.cache
def proof() -> Mapping[str, Any]:
    return json.loads((DOCS / "proof.json").read_text())


def proven(f: Any) -> list[str]:
    """The largest errors at default parameters."""
    values = ",".join(f"{n}={v:g}" for n, v in f.parameters.items())
    rows = []
    for dtype in SIZES:
        for sign in ("f", "f'"):
            label = " ".join(filter(None, [f.info["name"], sign, values]))
            entries = [proof().get(f"{label} {dtype} {tier}") for tier in ("default", "exact")]
            if all(entries):
                default, exact = entries
                at = code(f"{float.fromhex(default['at']):.9g}") if default["worst"] else ""
                missed = [f"{e['misrounded']:,}" if "misrounded" in e else "" for e in entries]
                count = min(e["inputs"] for e in entries)
                tried = "all" if count == 2 ** (8 * SIZES[dtype]) else f"{count:,}"
                cells = [dtype, sign.replace("'", "′"), f"{default['worst']:.4g}", at, missed[0]]
                rows.append([*cells, f"{exact['worst']:.4g}", missed[1], tried])
    lines = ["## Largest errors", ""]
    if not rows:
        return [*lines, "Not among the proven ones; `help()` says what is promised, and the tests hold it to that.", ""]
    at = f" at {values.replace(',', ', ')}" if values else ""
    lines += [
        f"In units in the last place of the exact result{at}: 0.5 is correctly rounded. Where all inputs were tried "
        "(2³² of float32, 65,536 of the halves) this is a proof, elsewhere what a search found."
    ]
    head = ["type", "", "ULP", "at x =", "misrounded", "`exact`: ULP", "misrounded", "inputs"]
    return [
        *lines,
        *table(head, rows),
        "Other parameters, digests and instruction sets: [proof](../proof.md). What it means: "
        "[accuracy](../guides/accuracy.md).",
        "",
    ]


@functools.cache
def speed() -> tuple[list[str], Mapping[str, str]]:
    """The README's table of speed and error: its head, and the row of each function."""
    lines = (DOCS.parent / "README.md").read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("| float32 |"))
    rows = {}
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows[line.split("|")[1].strip()] = line
    return lines[start : start + 2], rows


@functools.cache
def ratios() -> Mapping[str, Mapping[str, float]]:
    """Of each machine, what bench/check.py compares with."""
    return json.loads((DOCS / "speed.json").read_text())


def relative(name: str) -> list[str]:
    """Times of every type and pass, in a unit that says something on other machines too."""
    lines = []
    for machine, found in ratios().items():
        rows = []
        for which, sign in (("forward", "f"), ("derivative", "f′"), ("backward", "backward")):
            cells = [found.get(f"{name} {which} {t} 65536") for t in ("f16", "bf16", "f32", "f64")]
            if any(cells):
                rows.append([sign, *(f"{c:.2g}" if c else "" for c in cells)])
        if rows:
            lines += [
                f"On {machine}, one thread, 65,536 elements. 1 is the geometric mean of the times that a copy of the "
                "same array and `np.tanh` of as many float32 took in that run, so compare down the columns:",
                *table(["", *SIZES], rows),
            ]
    return lines


@functools.cache
def beside_others() -> Mapping[str, Any]:
    """Of each machine, what bench/rows.py has measured."""
    return json.loads((DOCS / "rows_speed.json").read_text())


def of_rows(name: str) -> list[str]:
    """Times of a function of rows or a gate, and of the fastest that NumPy and SciPy have for it."""
    types = {"f16": "float16", "f32": "float32", "f64": "float64"}
    lie, names = "", "the hinges are two, a0 at b0 and a1 at b1"
    if name in actc.row_functions:
        lie, names = " Rows lie along the last axis unless the shape says otherwise.", "s is the saved result"
    elif name in actc.gates:
        names = "the gate is u f(x)"
    lines, calls = [], {}
    for machine, of in beside_others().items():
        rows = []
        for place, (ours, theirs, who, own_error, error) in of["cells"].items():
            found, which, dtype, shape = place.split(" ", 3)
            if found == name:
                errors = [f"{e:.2g}" if e is not None else "" for e in (own_error, error)]
                shape = f"{int(shape):,}" if shape.isdigit() else shape
                cells = [f"{ours:.3g}", f"{theirs:.3g} ({who})", f"{theirs / ours:.2g}"]
                rows.append([which, types[dtype], shape, *cells, *errors])
                calls[f"{which}, {who}"] = of["calls"][f"{name} {which} {who}"]
        if rows:
            versions = ", ".join(f"{k} {v}" for k, v in of["versions"].items() if k != "actc")
            head = ["", "type", "shape", "actc", "fastest other", "ratio", "ULP", "other's ULP"]
            lines += [
                f"On {machine}, one thread, {versions}: nanoseconds an element of x, and the largest errors in a "
                f"sample, in units in the last place of the largest term where terms cancel.{lie}",
                *table(head, rows),
            ]
    if calls:
        lines += [
            f"What was timed, of x and gradient g; y and d are where results go; {names}:",
            "",
        ]
        lines += ["```text", *(f"{who}: {call}" for who, call in sorted(calls.items())), "```", ""]
    return lines


def measured(f: Any) -> list[str]:
    head, rows = speed()
    name = f.info["name"]
    lines = ["## Speed", ""]
    if kind(f) != "elementwise" or name not in actc.elementwise:
        found = of_rows(name)
        again = ["```console", f"$ python bench/against.py {name} --peers numpy scipy", "```", ""]
        return [*lines, *found, "On your machine, in the source tree:", "", *again] if found else []
    if name in rows:
        lines += [
            "float32, one thread, against the plain NumPy expression; what it means and how it is taken: "
            "[benchmarks](../guides/benchmarks.md).",
            "",
            *head,
            rows[name],
            "",
        ]
    lines += relative(name)
    return [*lines, "On your machine:", "", "```console", f"$ python -m actc bench {name}", "```", ""]


def elsewhere(f: Any) -> list[str]:
    name = f.info["name"]
    rows = []
    for framework, entries in _presets._TABLES.items():
        every = [(n, r, _presets._expression(r)) for n, r in entries.items()]
        every += [(n, r, _preset_rows.expression(r)) for n, r in _preset_rows.TABLES[framework].items()]  # type: ignore[misc]
        for names, row, expression in every:
            if f"{name}(" in expression.replace("exact.", "").replace("_" + name, ""):
                given = ", ".join(
                    n if v is _presets.REQUIRED else f"{n}={_presets._shown(v)}" for n, v in row.parameters.items()
                )
                rows.append(
                    [
                        framework,
                        ", ".join(map(code, names.split())),
                        code(given) if given else "",
                        code(expression),
                        row.note,
                    ]
                )
    lines = ["## Elsewhere", ""]
    if f.info["elsewhere"]:
        told = f.info["elsewhere"]
        lines += [f"{'N' + told[1:] if told.startswith('no ') else told}.", ""]
    elif not rows:
        lines += ["No other library has it.", ""]
    if rows:
        lines += ["With that library's own name and defaults, from `actc.preset`:"]
        lines += table(["preset", "name", "parameters", "in actc's terms", "remark"], rows)
    return lines


def snippet(f: Any) -> list[str]:
    """What to type, line by line."""
    name = f.info["name"]
    lines = ["import numpy as np, actc"]
    if kind(f) == "gate":
        lines += ["a = np.array([0.5, -1, 2], np.float32)", "b = np.array([-1, 0.25, 3], np.float32)"]
        lines += [f"actc.{name}(a, b)", f"ga, gb = actc.{name}.backward(np.ones_like(a), a, b)", "ga, gb"]
        return [*lines, f"actc.{name}.packed(np.concatenate([a, b]))"]
    if kind(f) == "row":
        options = "pieces=3" if hasattr(f, "index") else "axis=-1"  # groups of neighbours want their size
        lines += ["x = np.array([[1, 2, 3], [-1, 0, 0.5]], np.float32)", f"y = actc.{name}(x, {options})", "y"]
        source = f.info["backward_from"]
        gradient = "np.ones_like(y)" if f.info["shape"] == "reduce" else "np.float32([[1, 0, 0], [0, 1, 0]])"
        return [*lines, f"actc.{name}.backward({gradient}, {source}, {options})"]
    lines += ["x = np.array([-3, -0.5, 0, 0.5, 3], np.float32)"]
    if f.info.get("required"):
        lines += ["a, b = [0.2, -0.1], [0.0, 1.0]"]
    more = "".join(f", {n}" for n in f.info.get("required", ()))
    lines += [f"actc.{name}(x{more})", f"actc.{name}.derivative(x{more})", f"actc.{name}.second_derivative(x{more})"]
    if f.info.get("shape") != "doubled":
        lines += [f"actc.{name}.backward(np.full_like(x, 2), x{more})"]
    if f.parameters:
        p, v = next(iter(f.parameters.items()))
        lines += [f"actc.{name}(x, {p}={v + 0.5:g})"]
    if hasattr(f, "parameter_backward"):
        lines += [f"actc.{name}.parameter_backward(np.ones_like(x), x{more})"]
    return lines


def session(lines: Iterable[str]) -> list[str]:
    """The lines as typed into Python, with what it answers."""
    shown, names = [], {"__name__": "__console__"}
    for line in lines:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(line, "<page>", "single"), names)
        shown += [f">>> {line}", *printed.getvalue().splitlines()]
    return shown


def in_c(f: Any) -> list[str]:
    name, given = f.info["name"], "".join(f", double {n}" for n in f.parameters)
    if kind(f) == "row" or f.info.get("shape") or f.info.get("required"):
        return []
    one, two = (
        ("const float *a, const float *b", "float *ga, float *gb")
        if kind(f) == "gate"
        else ("const float *x", "float *gx")
    )
    passes = {"": f"{one}, float *y", "_backward": f"const float *g, {one}, {two}"}
    if kind(f) == "elementwise":
        passes |= {"_derivative": f"{one}, float *d", "_second_derivative": f"{one}, float *d2"}
        passes |= {"_value_and_derivative": f"{one}, float *y, float *d"}
    lines = [f"void actc_{name}{p}_f32({operands}, size_t n{given});" for p, operands in passes.items()]
    if f.parameters and kind(f) == "elementwise":
        lines += [
            f"void actc_{name}_parameter_backward_f32(const float *g, {one}, size_t n{given}, double *gradients);"
        ]
    return [
        "## In C",
        "",
        "```c",
        *lines,
        "```",
        "",
        f"Likewise `_f64`, `_f16`, `_bf16`, and `actc_exact_{name}_f32`. See the [C API](../reference/c_api.md).",
        "",
    ]


def page(f: Any) -> str:
    """The whole page of one function."""
    name = f.info["name"]
    lines = [f"# {name}", "", summary(f), ""]
    aliases = [a for a, n in _aliases().items() if n == name]
    if aliases:
        lines += [f"Also {', '.join(code('actc.' + a) for a in aliases)}.", ""]
    if f.info.get("unique_name", name) != name:
        lines += [
            f"`actc.{f.info['unique_name']}` is the same: the name by which it pickles, since {name} means something "
            "else in NumPy, SciPy or CuPy.",
            "",
        ]
    if kind(f) == "elementwise":
        given = plots.settings(f)
        lines += [plots.figure(f, given), ""]
        if f.info.get("required"):
            lines += [f"With {', '.join(f'`{n} = {v}`' for n, v in given.items())}.", ""]
        if not f.info.get("required") and f.info.get("shape") is None:
            lines += [f'<p class="try"><a href="../explorer/index.html#{name}">Move it in the explorer</a></p>', ""]
    lines += formulas(f)
    lines += ["## Use", "", "```pycon", *session(snippet(f)), "```", ""]
    lines += parameters(f)
    if kind(f) == "elementwise":
        lines += properties(f)
    elif kind(f) == "row":
        lines += ["## Limits", "", f"{f.info['limits'][0].upper()}{f.info['limits'][1:]}. NaN in a row gives NaN.", ""]
    lines += proven(f) + measured(f) + elsewhere(f) + in_c(f)
    lines += ["## Reference", "", f"{f.info['reference']}.", "", "```{dropdown-help}", name, "```", ""]
    return "\n".join(lines)


def _aliases() -> Mapping[str, str]:
    from actc._surface import ALIASES

    return ALIASES


def card(f: Any) -> str:
    name = f.info["name"]
    picture = plots.thumbnail(f) if kind(f) == "elementwise" else f"<code>{escape(f.info['formula'][:60])}</code>"
    return f'<a class="card" href="{name}.html"><span>{name}</span>{picture}</a>'


def index() -> str:
    """The gallery."""
    every = pages()
    lines = ["# Functions", "", f"{len(every)} functions, each with a page: f, and f′ thinner, from −5 to 5.", ""]
    groups: dict[str, list[Any]] = {name: [] for name in FAMILIES}
    for f in actc.functions.values():
        groups[family(f)].append(f)
    told = dict(FAMILIES)
    for title, functions, text in (
        (
            "Rows",
            [f for f in actc.row_functions.values() if kind(f) == "row"],
            "Of whole rows, along an axis: [conventions](../reference/rows.md).",
        ),
        ("Gates", list(actc.gates.values()), "Products a f(b) in one pass: [conventions](../reference/gates.md)."),
    ):
        groups[title], told[title] = functions, text
    for title, functions in groups.items():
        lines += [f"## {title}", "", told[title], "", f'<div class="gallery">{"".join(map(card, functions))}</div>', ""]
        lines += ["```{toctree}", ":hidden:", "", *(f.info["name"] for f in functions), "```", ""]
    lines += [
        "Besides these there are [rrelu](../reference/rrelu.md), which draws its slopes, and "
        "[maxout_layer](../reference/maxout.md).",
        "",
    ]
    return "\n".join(lines)


def command() -> str:
    """What the command says of itself."""
    names = ["", "info", "list", "bench", "plot", "apply"]
    lines = ["# The command", "", "`actc`, or `python -m actc`; what `--help` prints.", ""]
    for name in names:
        text = subprocess.run(
            [sys.executable, "-m", "actc", *name.split(), "--help"], capture_output=True, text=True, check=True,
            env={**os.environ, "COLUMNS": "88"},
        ).stdout  # fmt: skip
        lines += [f"## actc {name}".rstrip(), "", "```text", text.rstrip(), "```", ""]
    return "\n".join(lines)


def write(folder: Path) -> None:
    """All pages; those that have not changed stay as they are, so that Sphinx need not read them again."""
    texts = {f"functions/{name}.md": page(f) for name, f in pages().items()}
    texts |= {"functions/index.md": index(), "functions/command.md": command()}
    for name, text in texts.items():
        target = folder / name
        target.parent.mkdir(exist_ok=True)
        if not target.exists() or target.read_text() != text:
            target.write_text(text)
    for old in (folder / "functions").glob("*.md"):
        if f"functions/{old.name}" not in texts:
            old.unlink()
