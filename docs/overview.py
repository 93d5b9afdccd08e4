"""Prints docs/pictures/functions.svg, the README's picture of all functions; tests/test_docs.py compares."""

import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS / "_ext"))

import plots  # noqa: E402

import actc  # noqa: E402

if __name__ == "__main__":
    (DOCS / "pictures" / "functions.svg").write_text(plots.overview(actc.functions.values()))
