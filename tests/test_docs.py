"""What the documentation says is run: every snippet of README.md and docs/, and of the page of every function.

A file's snippets share one namespace, in their order. `% needs: NAME ...` on the line before a snippet skips it where
one of these packages is missing. Blocks of `text` are not code, and those in other languages are run by other tests.
"""

from __future__ import annotations

import ast
import contextlib
import doctest
import importlib
import importlib.util
import io
import os
import pathlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

import actc

ROOT = pathlib.Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
pytestmark = pytest.mark.skipif(not (DOCS / "conf.py").exists(), reason="needs the source tree")
sys.path.insert(0, str(DOCS / "_ext"))

FILES = [ROOT / "README.md", *sorted(p for p in DOCS.rglob("*.md") if "functions" not in p.relative_to(DOCS).parts)]
CODE = ("python", "pycon", "c", "cpp", "console")
ELSEWHERE = (
    "",
    "text",
    "sh",
    "cmake",
    "rust",
    "go",
    "js",
    "java",
    "fortran",
    "lua",
    "ruby",
    "octave",
    "r",
    "toml",
    "yaml",
)
PRELUDE = "import numpy as np\nimport actc\nx = np.linspace(-3, 3, 7, dtype=np.float32)\ng = np.ones_like(x)\n"


class Snippet(NamedTuple):
    """One fenced block."""

    language: str
    line: int
    needs: str
    text: str


def snippets(path: pathlib.Path) -> list[Snippet]:
    lines, found, start = path.read_text().splitlines(), [], -1
    for i, line in enumerate(lines):
        if line.startswith("```") and start < 0:
            start = i
        elif line.startswith("```"):
            needs = re.fullmatch(r"% needs: ([\w. ]+)", lines[start - 1])
            body = "\n".join(lines[start + 1 : i]) + "\n"
            found.append(Snippet(lines[start][3:].strip(), start + 1, needs[1] if needs else "", body))
            start = -1
    assert start < 0, f"{path.name}: a block without an end"
    return found


@contextlib.contextmanager
def in_folder(folder: pathlib.Path) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def run_session(text: str, names: dict[str, Any], where: str) -> None:
    """As doctest does; arrays may be wrapped elsewhere."""
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    test = doctest.DocTestParser().get_doctest(text, {}, where, where, 0)
    assert test.examples, where
    test.globs = names
    report = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=flags, verbose=False)
    runner.run(test, out=report.write, clear_globs=False)
    assert not runner.failures, report.getvalue()


def run_commands(text: str, where: str) -> None:
    """Lines that begin with $."""
    commands = [line[2:] for line in text.splitlines() if line.startswith("$ ")]
    assert commands, where
    environment = {**os.environ, "PYTHONPATH": str(pathlib.Path(actc.__file__).parents[1])}
    for command in commands:
        command = re.sub(r"^python\b", f"'{sys.executable}'", command)
        done = subprocess.run(command, shell=True, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{where}: {command}\n{done.stderr}"


def run_compiled(text: str, language: str, folder: pathlib.Path, where: str) -> None:
    """A program, or a piece of one: that stands in a main with x, y, g, gx and n."""
    compiler = shutil.which("cc" if language == "c" else "c++")
    if not compiler:
        pytest.skip("needs a C compiler")
    if "main(" not in text:
        includes = [line for line in text.splitlines() if line.startswith("#")]
        rest = [line for line in text.splitlines() if not line.startswith("#")]
        arrays = "enum { n = 5 }; float x[n] = {-2, -1, 0, 1, 2}, g[n] = {1, 1, 1, 1, 1}, y[n], gx[n];"
        text = "\n".join([*includes, "int main(void) {", arrays, *rest, "(void)g; (void)gx; return 0; }", ""])
    source, program = folder / f"snippet.{language}", folder / "snippet"
    source.write_text(text)
    package = pathlib.Path(actc.__file__).parent
    flags = ["-Wall", "-Wextra", "-Wno-unused-variable", "-I", str(package / "include")]
    threads = ["-lactc_threads"] if "actc/threads.h" in text else []
    link = ["-L", str(package / "lib"), *threads, "-lactc", f"-Wl,-rpath,{package / 'lib'}"]
    built = subprocess.run([compiler, *flags, str(source), "-o", str(program), *link], capture_output=True, text=True)
    assert built.returncode == 0 and not built.stderr, f"{where}\n{built.stderr}"
    done = subprocess.run([str(program)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{where}\n{done.stderr}"


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_snippets(path: pathlib.Path, tmp_path: pathlib.Path, capsys: Any) -> None:
    names: dict[str, Any] = {"__name__": "__snippet__"}
    exec(PRELUDE, names)
    (tmp_path / "docs").symlink_to(DOCS)
    isa = actc.isa()
    with in_folder(tmp_path):
        try:
            for s in snippets(path):
                where = f"{path.name}, line {s.line}"
                if any(importlib.util.find_spec(n) is None for n in s.needs.split()):
                    continue
                if s.language == "python":
                    exec(compile(s.text, where, "exec"), names)
                elif s.language == "pycon":
                    run_session(s.text, names, where)
                elif s.language in ("c", "cpp"):
                    run_compiled(s.text, s.language, tmp_path, where)
                elif s.language == "console":
                    run_commands(s.text, where)
                else:
                    assert s.language.lower() in ELSEWHERE or s.language.startswith("{"), (
                        f"{where}: {s.language} is not run"
                    )
        finally:
            actc.use_isa(isa)


def test_snippets_are_found() -> None:
    """The reader of snippets reads: each language occurs, and none of README.md's is lost."""
    every = [s for p in FILES for s in snippets(p)]
    assert set(CODE) <= {s.language for s in every}
    assert [s.language for s in snippets(ROOT / "README.md")].count("python") == 1


def test_readme_lists_every_function() -> None:
    section = (ROOT / "README.md").read_text().partition("\n## Functions\n")[2].partition("\n## ")[0]
    count, _, rest = section.strip().partition(": ")
    words = re.findall(r"\w+", rest.partition("\n\n")[0])
    assert int(count) == len(actc.functions)
    assert set(actc.functions) <= set(words), set(actc.functions) - set(words)


# ---- a page a function ----------------------------------------------------------------------------------------------

pages = importlib.import_module("pages") if (DOCS / "_ext").exists() else None


def test_every_function_has_a_page() -> None:
    assert set(pages.pages()) == {*actc.functions, *actc.row_functions, *actc.gates}
    families = {pages.family(f) for f in actc.functions.values()}
    assert families == set(pages.FAMILIES)
    listed = re.findall(r'<a class="card" href="(\w+)\.html"', pages.index())
    assert sorted(listed) == sorted(pages.pages())


def test_every_elementwise_page_has_its_speed() -> None:
    """Of every pass and type, from docs/speed.json."""
    for f in actc.elementwise.values():
        text = "\n".join(pages.measured(f))
        rows = re.findall(r"^\| (f|f′|backward) \|((?: [\d.e+]+ \|){4})$", text, re.M)
        assert [which for which, _ in rows] == ["f", "f′", "backward"], f.info["name"]


def test_every_page_of_rows_and_gates_has_its_speed() -> None:
    """Of both passes, every type and shape that bench/rows.py measures, from docs/rows_speed.json."""
    line = r"^\| (forward|backward) \| (float\d\d) \| ([\w, ]+) \| ([\d.e+]+) \| ([\d.e+]+) \((\w+)\) \| ([\d.e+]+) \|"
    for name, f in {**actc.row_functions, **actc.gates}.items():
        text = "\n".join(pages.measured(f))
        rows = re.findall(line, text, re.M)
        wanted = {"f32", "f64"} if name in actc.row_functions else {"f16", "f32", "f64"}
        assert {(which, dtype) for which, dtype, *_ in rows} == {
            (which, f"float{dtype[1:]}") for which in ("forward", "backward") for dtype in wanted
        }, name
        assert len({shape for _, _, shape, *_ in rows}) == 3 and len(rows) == 6 * len(wanted), name
        for _, _, _, ours, theirs, who, ratio in rows:
            assert float(ratio) == pytest.approx(float(theirs) / float(ours), rel=0.06), (name, who)
        assert {who for *_, who, _ in rows} <= {"numpy", "scipy"}
        assert text in pages.page(f)


def test_snippets_of_pages() -> None:
    """What the page says that Python answers is what it answers elsewhere too: on the plainest instruction set. And the
    picture, the formulas are well-formed."""
    for name, f in pages.pages().items():
        text = pages.page(f)
        (session,) = re.findall(r"```pycon\n(.*?)```", text, re.S)
        before = actc.use_isa(actc.isas()[-1])
        try:
            run_session(session, {}, name)
        finally:
            actc.use_isa(before)
        for html in re.findall(r"^<.*>$", text, re.M):
            ET.fromstring(re.sub(r"&#(8289|8290|160);", " ", html))
        for key in ("formula", "reference"):
            assert f.info[key] in text, (name, key)


def test_formulas_say_what_the_table_says() -> None:
    """MathML, read back and evaluated as plain text, is the formula: for what has no cases and no sums."""
    import mathml

    shown = mathml.formula("f(x)", "x/(1 + exp(-x))")
    assert "<mfrac>" in shown and "<msup><mi>e</mi>" in shown
    fell_back = [
        n for n, f in actc.elementwise.items() for k in ("formula", "derivative", "second_derivative")
        if "<code>" in mathml.formula("f(x)", f.info[k])
    ]  # fmt: skip
    assert not fell_back
    for expression, expected in {
        "a - (b - c)": "a−(b−c)",
        "(a + b)*c": "(a+b)⁢c",
        "a/b/c": "a/b/c",
        "-(a + b)": "−(a+b)",
        "(-a)**2": "(−a)^2",
        "2*3": "2·3",
        "-a*a/2": "−a^2/2",
        "a - (-b)*c": "a−(−b⁢c)",
        "a*(-b)": "a⁢(−b)",
        "a*b*a": "a⁢b⁢a",
        "(a + b)*(a + b)": "(a+b)^2",
        "a**(b + 1)": "a^b+1",
        "expm1(a)*b": "(e^a−1)⁢b",
        "exp(a)**2": "(e^a)^2",
    }.items():  # fmt: skip
        body = mathml.Printer({}).show(ast.parse(expression, mode="eval").body)
        assert plain(body) == expected, expression


def plain(body: str) -> str:
    """MathML in one line."""

    def text(e: ET.Element) -> str:
        parts = [text(c) for c in e]
        return {"mfrac": "/", "msup": "^"}.get(e.tag, "").join(parts) if parts else (e.text or "")

    return text(ET.fromstring("<mrow>" + body.replace("&#8290;", "\u2062") + "</mrow>"))


def test_plots_show_jumps_where_they_are() -> None:
    import plots

    for name, f in actc.elementwise.items():
        for at in plots.kinks(f, dict(f.parameters)):
            values = [g(np.nextafter(at, side)) for g in (f, f.derivative, f.second_derivative) for side in (-9, 9)]
            jumps = [abs(a - b) > 1e-9 for a, b in zip(values[::2], values[1::2], strict=True)]
            at_all = [g(np.float64(at)) for g in (f, f.derivative, f.second_derivative)]
            aside = [abs(v - a) > 1e-9 for v, a in zip(at_all, values[::2], strict=True)]
            assert any(jumps) or any(aside), f"{name} has no kink at {at}"
    hardshrink = plots.figure(actc.hardshrink, {"lambd": 0.5})
    assert hardshrink.count('class="dot"') == 4 and hardshrink.count('class="ring"') == 4
    assert "circle" not in plots.figure(actc.gelu, {})


def test_picture_of_all_functions_is_not_stale() -> None:
    import plots

    text = plots.overview(actc.functions.values())
    assert (DOCS / "pictures" / "functions.svg").read_text() == text, "run docs/overview.py"
    names = [e.text for e in ET.fromstring(text).findall("{*}text")]
    assert names == list(actc.functions)


# ---- the claims -----------------------------------------------------------------------------------------------------


def test_claims_page_is_not_stale() -> None:
    """The page's verdicts are those that the examples are held to."""
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    from test_examples import VERDICTS

    sections = re.split(r"^## ", (DOCS / "claims.md").read_text(), flags=re.M)[1:]
    found = {}
    for section in sections:
        (name,) = re.findall(r"^`python examples/(\w+)\.py`$", section, re.M)
        found[name] = [m == "holds" for m in re.findall(r"^\| (holds|\*\*does not hold\*\*) \|", section, re.M)]
        doc = ast.get_docstring(ast.parse((ROOT / "examples" / f"{name}.py").read_text()))
        assert doc and doc.splitlines()[0] == section.splitlines()[0], f"{name}: run docs/claims.py"
        ET.parse(DOCS / "pictures" / f"{name}.svg")
    assert set(found) == set(VERDICTS)
    for name, verdicts in VERDICTS.items():
        assert len(verdicts) == len(found[name]), f"{name}: run docs/claims.py"
        assert all(known in (None, said) for known, said in zip(verdicts, found[name], strict=True)), name
