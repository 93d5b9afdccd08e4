"""Sphinx extension: writes the pages of `pages` before they are read, and knows what they and the guides ask for."""

from __future__ import annotations

import re
import shutil
from html import escape
from pathlib import Path
from typing import Any

import pages


def setup(app: Any) -> dict[str, Any]:
    from docutils import nodes
    from docutils.parsers.rst import Directive

    class Help(Directive):
        """The docstring, folded."""

        has_content = True

        def run(self) -> list[Any]:
            name = self.content[0].strip()
            text = escape(pages.pages()[name].__doc__)
            html = f"<details class='help'><summary>help(actc.{name})</summary><pre>{text}</pre></details>"
            return [nodes.raw("", html, format="html")]

    class Picture(Directive):
        """An SVG of an example, its colours those of the page."""

        required_arguments = 1

        def run(self) -> list[Any]:
            path = Path(self.state.document["source"]).parent / self.arguments[0]
            text = path.read_text()
            text = text[text.index("<svg") :]
            for color, own in COLORS.items():
                text = text.replace(color, f"var({own})")
            stem = path.stem
            for mark in ('id="', "url(#", 'href="#'):
                text = text.replace(mark, f"{mark}{stem}-")
            return [nodes.raw("", f'<div class="picture">{text}</div>', format="html")]

    app.add_directive("dropdown-help", Help)
    app.add_directive("picture", Picture)
    app.connect("builder-inited", lambda app: pages.write(Path(app.srcdir)))
    app.connect("source-read", list_others)
    app.connect("build-finished", copy_explorer)
    app.connect("autodoc-process-docstring", plain_text, priority=100)  # before napoleon
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def list_others(app: Any, docname: str, source: list[str]) -> None:
    """Pages beside index.md that it does not name: a new one needs no line there."""
    if docname == "index":
        named = set(re.findall(r"^(?:.*<)?([\w/]+)>?$", source[0], re.M))
        others = sorted(d for d in app.env.found_docs if "/" not in d and d not in named | {"index"})
        source[0] = source[0].replace("@others@", "\n".join(others))


def plain_text(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """The project's docstrings are written to be read in a terminal: |x|, *kernel and [1] mean what they look like."""
    for i, line in enumerate(lines):
        line = re.sub(r"^(\s*)\.\. \[\d+\] ", r"\1-  ", line)
        pieces = re.split(r"(`[^`]*`)", line)
        lines[i] = "".join(t if t.startswith("`") else re.sub(r"([*|])", r"\\\1", t) for t in pieces)


COLORS = {
    "#57606a": "--color-foreground-muted",
    "#d0d7de": "--color-background-border",
    "#000000": "--color-foreground-primary",
}


def copy_explorer(app: Any, error: Exception | None) -> None:
    """The page as it is, with the core if there is one."""
    if error is None and app.builder.format == "html":
        wanted = shutil.ignore_patterns("build.sh", "part.*")
        shutil.copytree(pages.DOCS / "explorer", Path(app.outdir) / "explorer", ignore=wanted, dirs_exist_ok=True)
