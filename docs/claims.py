"""Prints docs/claims.md and docs/pictures/*.svg: every example at full size, two minutes.

    OPENBLAS_NUM_THREADS=1 python docs/claims.py [NAME ...]

tests/test_docs.py fails when the verdicts on the page are not those that tests/test_examples.py holds the examples to.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from pathlib import Path
from typing import Any

import matplotlib

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent / "examples"))
ORDER = (
    "vanishing_gradient", "dead_relu", "sparsity", "zero_centred", "self_normalising", "xavier_he", "convergence",
    "maxout",
)  # fmt: skip
HEAD = """# What is said of activation functions, tried

The articles and papers that this library starts from repeat a number of statements. Each of the scripts in `examples/`
states some, measures, says of each whether it holds *in what was measured*, and draws a picture. Numbers on this page
are those of full runs (`python docs/claims.py`, about two minutes); the test suite runs the scripts with `--quick` and
holds them to the same verdicts. Small networks and small data: read them as counter-examples and orders of magnitude,
not as laws.
"""


def section(name: str, claims: Any, doc: str) -> str:
    """One example: its question, what it says, the picture, the verdicts."""
    question, _, about = doc.strip().partition("\n\n")
    lines = [question, "", inspect.cleandoc(about), ""]
    lines += [f"```{{picture}} pictures/{name}.svg", "```", ""]
    lines += ["| | said | measured |", "|---|---|---|"]
    for c in claims:
        cells = ("holds" if c.holds else "**does not hold**", c.said, c.measured)
        lines += ["| " + " | ".join(t.replace("|", "\\|").replace("^", "\\^") for t in cells) + " |"]
    return "\n".join([*lines, "", f"`python examples/{name}.py`", ""])


def slim(svg: str) -> str:
    """Hundredths of a point, and a line an element."""
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<!DOCTYPE.*?>|<\?xml.*?>", "", svg, flags=re.S)
    svg = re.sub(r"-?\d+\.\d{3,}", lambda m: f"{float(m[0]):.2f}".rstrip("0").rstrip("."), svg)
    return re.sub(r"\s*\n\s*", " ", svg).replace("> <", ">\n<").strip() + "\n"


def main(names: list[str]) -> None:
    """Run what is asked for; the other sections stay as they are."""
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "actc"})
    pictures = DOCS / "pictures"
    pictures.mkdir(exist_ok=True)
    page = DOCS / "claims.md"
    sections = dict(zip(ORDER, page.read_text().split("\n## ")[1:], strict=True)) if names else {}
    for name in names or ORDER:
        print(name, flush=True)
        example = importlib.import_module(name)
        found = example.measure(False)
        sections[name] = section(name, example.claims(found), str(example.__doc__))
        figure = example.draw(found)
        picture = pictures / f"{name}.svg"
        figure.savefig(picture, transparent=True, metadata={"Date": None, "Creator": None})
        picture.write_text(slim(picture.read_text()))
    page.write_text("\n## ".join([HEAD, *(sections[n] for n in ORDER)]))


if __name__ == "__main__":
    main(sys.argv[1:])
