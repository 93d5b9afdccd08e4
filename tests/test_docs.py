"""What the documentation says is run: every snippet of README.md and docs/, and of the page of every function.

Each fenced block is a test (snippets.py says how it is run), or a directive of Sphinx, or one of KEPT.
"""

from __future__ import annotations

import ast
import importlib
import itertools
import pathlib
import re
import sys
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from commands import need, run
from snippets import CODE, ROOT, Page, Shell, Snippet, run_session, snippets

import actc

DOCS = ROOT / "docs"
pytestmark = pytest.mark.skipif(not (DOCS / "conf.py").exists(), reason="needs the source tree")
sys.path.insert(0, str(DOCS / "_ext"))

FILES = sorted([*ROOT.glob("*.md"), *(p for p in DOCS.rglob("*.md") if "functions" not in p.relative_to(DOCS).parts)])
EVERY = [s for p in FILES for s in snippets(p)]


def run_by_ci(s: Snippet) -> None:
    """These commands run the tests: in a clean clone, .ci/run is what runs them. (A source distribution has none.)"""
    commands = {line.partition("#")[0].strip() for line in s.text.splitlines()}
    script = ROOT / ".ci" / "run"
    assert commands and (not script.exists() or commands <= set(script.read_text().splitlines()))


def lists_files(s: Snippet) -> None:
    """A list of what is where: all of it is there."""
    folder, listed = ROOT, 0
    for line in s.text.splitlines():
        words = itertools.takewhile(re.compile(r"\w[./*]|[./*]\w").search, line.split())
        for i, name in enumerate(word.rstrip(",") for word in words):
            if i == 0 and not line.startswith(" "):
                folder = (ROOT / name).parent
            assert any(True for f in (ROOT, folder) for _ in f.glob(name)), f"{s.where}: {name}"
            listed += 1
    assert listed > 60


# Blocks that do not run, and what is asked of them instead
KEPT: dict[tuple[str, str], Callable[[Snippet], None]] = {
    ("README.md", "make demo"): run_by_ci,
    ("CONTRIBUTING.md", "c/include/actc.h"): lists_files,
}


def kept(s: Snippet) -> Callable[[Snippet], None] | None:
    found = (check for (name, start), check in KEPT.items() if s.path.name == name and s.text.startswith(start))
    return next(found, None)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: Any) -> Iterator[Callable[[pathlib.Path], Page]]:
    """The page of a file, one for all its tests."""
    pages: dict[pathlib.Path, Page] = {}

    def page(path: pathlib.Path) -> Page:
        if path not in pages:
            pages[path] = Page(path, tmp_path_factory.mktemp(path.stem))
        return pages[path]

    yield page
    for p in pages.values():
        p.shell.close()


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("s", [s for s in EVERY if s.language in CODE], ids=lambda s: s.where)
def test_snippet(s: Snippet, opened: Callable[[pathlib.Path], Page]) -> None:
    isa = actc.isa()
    try:
        opened(s.path).run(s)
    finally:
        actc.use_isa(isa)


def test_every_block_is_run() -> None:
    for s in EVERY:
        if check := kept(s):
            check(s)
        else:
            assert s.language in CODE or s.language.startswith("{"), f"{s.where}: {s.language!r} is not run"
    assert {kept(s) for s in EVERY} - {None} == set(KEPT.values()), "an entry of KEPT without its block"


def test_snippets_are_found() -> None:
    """The reader of snippets reads: each language occurs, and none of README.md's is lost."""
    assert set(CODE) <= {s.language for s in EVERY}
    assert [s.language for s in snippets(ROOT / "README.md")] == ["", "python", "c", "console"]
    needs = {n for s in EVERY for n in s.needs}
    assert {"matplotlib", "dask", "cmake"} <= needs


@pytest.mark.parametrize(
    ("block", "why"),
    [
        ("```pycon\n>>> 1 + 1\n3\n```", "Got"),
        ("```python\nimport actc\nassert actc.relu(1) == 0, 'wrong'\n```", "wrong"),
        ("```console\n$ actc list --csv\n```", "--csv"),
        ("```console\n$ actc --version\n0.0\n```", actc.__version__),
        ("```c\nactc_relo_f32(x, y, n);\n```", "actc_relo_f32"),
    ],
)
def test_wrong_snippets_fail(block: str, why: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snippets.ROOT", tmp_path)
    (tmp_path / "page.md").write_text(f"Text.\n\n{block}\n")
    (s,) = snippets(tmp_path / "page.md")
    (tmp_path / "folder").mkdir()
    with pytest.raises(AssertionError, match=re.escape(why)):
        Page(s.path, tmp_path / "folder").run(s)


def test_extras_exist() -> None:
    """pip takes an extra that is not there for a warning."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = {e for p in FILES for e in re.findall(r"(?:\.|actc)\[(\w+)\]'", p.read_text())}
    assert {"plot", "dask"} <= named <= set(extras)


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
    """Of every pass, type and shape that bench/rows.py measures, from docs/rows_speed.json."""
    line = r"^\| (\w+) \| (float\d\d) \| ([\w, ]+) \| ([\d.e+]+) \| ([\d.e+]+) \((\w+)\) \| ([\d.e+]+) \|"
    for name, f in {**actc.row_functions, **actc.gates, "apl": actc.apl}.items():
        text = "\n".join(pages.measured(f))
        rows = re.findall(line, text, re.M)
        wanted = {"f32", "f64"} if name in actc.row_functions else {"f16", "f32", "f64"}
        passes = ["forward", "backward", *(["derivative"] if name == "apl" else [])]
        assert {(which, dtype) for which, dtype, *_ in rows} == {
            (which, f"float{dtype[1:]}") for which in passes for dtype in wanted
        }, name
        assert len({shape for _, _, shape, *_ in rows}) == 3 and len(rows) == 3 * len(passes) * len(wanted), name
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


def blocks(name: str, f: Any) -> Iterator[tuple[str, str]]:
    """The fenced blocks of the page of one function, but for directives."""
    for language, body in re.findall(r"^```(.*)\n((?:(?!```).*\n)*)```$", pages.page(f), re.M):
        assert language in ("pycon", "console", "c", "text") or re.fullmatch(r"\{[\w-]+\}", language), (name, language)
        yield language, body


def test_commands_of_pages(tmp_path: pathlib.Path) -> None:
    """They differ in the name alone; one of each kind is run."""
    found: dict[str, str] = {}
    for name, f in pages.pages().items():
        (command,) = (body for language, body in blocks(name, f) if language == "console")
        found.setdefault(pages.kind(f) if name != "apl" else name, command)
        assert f" {name} " in command.replace("\n", " "), command
    assert len({re.sub(r"(bench|against.py) \w+", "", command) for command in found.values()}) == 2
    shell = Shell(tmp_path)
    for command in found.values():
        shell.run(command, "a page")


def test_declarations_of_pages(tmp_path: pathlib.Path) -> None:
    """They are those of the header, or the compiler would say so."""
    need("cc")
    found = {name: [body for language, body in blocks(name, f) if language == "c"] for name, f in pages.pages().items()}
    assert {n for n, declared in found.items() if declared} == {*actc.elementwise, *actc.gates}
    declared = "".join(itertools.chain(*found.values()))
    uses = "".join(f"(void){symbol};" for symbol in re.findall(r"^void (\w+)\(", declared, re.M))
    (tmp_path / "all.c").write_text(f"#include <actc.h>\nvoid use(void) {{{uses}}}\n{declared}")
    run("cc", "-std=c99", "-Wall", "-Wextra", "-Werror", f"-I{actc.get_include()}", "-fsyntax-only", tmp_path / "all.c")


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
