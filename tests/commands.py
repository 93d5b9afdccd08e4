"""Compilers and programs, for the tests that drive them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest


def run(
    *command: str | Path, check: bool = True, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The command, done; on this machine's best instruction set unless `env` says otherwise."""
    environment = {k: v for k, v in os.environ.items() if k != "ACTC_ISA"} | dict(env or {})
    done = subprocess.run(
        [str(c) for c in command], cwd=cwd, env=environment, capture_output=True, text=True, errors="replace"
    )
    if check:
        assert done.returncode == 0, f"{' '.join(map(str, command))}\n{shorten(done.stdout)}\n{shorten(done.stderr)}"
    return done


def shorten(text: str, lines: int = 40) -> str:
    """The beginning and the end: a broken kernel fails in many places, and the summary comes last."""
    all_lines = text.splitlines()
    if len(all_lines) <= lines:
        return text
    return "\n".join([*all_lines[: lines - 3], f"... {len(all_lines) - lines} lines", *all_lines[-3:]])


def need(*tools: str) -> str:
    """The first of them, where all are there; else a skipped test."""
    for tool in tools:
        if not shutil.which(tool):
            pytest.skip(f"no {tool}")
    return tools[0]
