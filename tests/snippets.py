"""The code blocks of README.md and docs/: how they are found, and how each kind is run.

The blocks of a file share one namespace and one folder, a copy of the source tree in which a reader would type them,
and run in their order. `% needs: NAME ...` on the line before a block (`<!-- needs: NAME ... -->` where GitHub shows
the file) names modules and programs without which it is skipped. A C program whose first line is a comment that names
a file is kept under that name.
"""

from __future__ import annotations

import contextlib
import doctest
import importlib.util
import io
import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest

import actc

ROOT = pathlib.Path(__file__).resolve().parents[1]
CODE = ("python", "pycon", "c", "cpp", "console")
DOCTEST = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
# What a reader's shell finds, as arguments of the Python that runs the tests
PROGRAMS = {"python": "", "actc": "-m actc", "pip": "-m pip", "dask": "-m dask"}
# pip looks the command and the package over, builds its metadata, and leaves this Python as it is. (0: no isolation)
ENVIRONMENT = {f"PIP_{k}": v for k, v in dict(DRY_RUN="1", NO_DEPS="1", NO_BUILD_ISOLATION="0", NO_INPUT="1").items()}
# The same commands with less to do: what they make is held to everything else by test_c.py and test_install.py
LESS = "cmake -DFUNCTIONS='gelu;elu;prelu' -DOUTPUT=$PWD/less/c -P c/pick.cmake && cp program.c less && cd less && "
SMALLER = {
    "cc -O3 ": f"{LESS} cc -O0 -DACTC_WITHOUT_AVX512 -DACTC_WITHOUT_AVX2 -DACTC_WITHOUT_SSE2 ",
    "cmake -S c ": "cmake -S c -DACTC_FUNCTIONS=gelu -DACTC_ISAS=scalar -DCMAKE_BUILD_TYPE=Debug ",
    "-m actc bench ": "-m actc bench --seconds 0.01 ",
    "bench/against.py ": "bench/against.py --size 9 --shape 2x3 --pass forward --quick ",
}
PORTS = ("8786", "8787")  # of dask's scheduler: others may be using them here
BUILT = shutil.ignore_patterns("*.so", "lib", "__pycache__", "*.egg-info", "functions", "build")


class Snippet(NamedTuple):
    """One fenced block."""

    path: pathlib.Path
    language: str
    line: int
    needs: tuple[str, ...]
    text: str

    @property
    def where(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}"


def snippets(path: pathlib.Path) -> list[Snippet]:
    lines, found, start = path.read_text().splitlines(), [], -1
    for i, line in enumerate(lines):
        if line.startswith("```") and start < 0:
            start = i
        elif line.startswith("```"):
            needs = re.fullmatch(r"(?:%|<!--) needs: ([\w. ]+?)(?: -->)?", lines[start - 1])
            body = "\n".join(lines[start + 1 : i]) + "\n"
            language = lines[start][3:].strip()
            found.append(Snippet(path, language, start + 1, tuple(needs[1].split()) if needs else (), body))
            start = -1
        else:  # other kinds of blocks, which would not be found
            assert start >= 0 or not re.match(r"\s+```|\s*~~~|\s*:::| {4}", line), f"{path.name}:{i + 1}: {line}"
    assert start < 0, f"{path.name}: a block without an end"
    return found


class Page:
    """A file's snippets, each run once."""

    def __init__(self, path: pathlib.Path, folder: pathlib.Path) -> None:
        self.todo = snippets(path)
        self.names: dict[str, Any] = {"__name__": "__snippet__"}
        self.shell = Shell(folder)

    def run(self, wanted: Snippet) -> None:
        """What stands before it, if nothing has run that yet, and it."""
        while self.todo and self.todo[0].line <= wanted.line:
            s = self.todo.pop(0)
            missing = [n for n in s.needs if importlib.util.find_spec(n) is None and not shutil.which(n)]
            if not missing and s.language in CODE:
                with self.shell.inside():
                    self.run_one(s)
            elif s == wanted:
                pytest.skip(f"needs {', '.join(missing)}")

    def run_one(self, s: Snippet) -> None:
        if s.language == "python":
            exec(compile(s.text, s.where, "exec"), self.names)
        elif s.language == "pycon":
            run_session(s.text, self.names, s.where)
        elif s.language == "console":
            self.shell.run(s.text, s.where)
        else:
            run_compiled(s.text, s.language, self.shell.folder, s.where)


def run_session(text: str, names: dict[str, Any], where: str) -> None:
    """As doctest does; arrays may be wrapped elsewhere."""
    test = doctest.DocTestParser().get_doctest(text, {}, where, where, 0)
    assert test.examples, where
    test.globs = names
    report = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=DOCTEST, verbose=False)
    runner.run(test, out=report.write, clear_globs=False)
    assert not runner.failures, report.getvalue()


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
    named = re.match(r"/\* (\w+\.c) \*/\n", text)
    source, program = folder / (named[1] if named else f"snippet.{language}"), folder / "snippet"
    source.write_text(text)
    package = pathlib.Path(actc.__file__).parent
    flags = ["-Wall", "-Wextra", "-Wno-unused-variable", "-I", str(package / "include")]
    threads = ["-lactc_threads"] if "actc/threads.h" in text else []
    link = ["-L", str(package / "lib"), *threads, "-lactc", f"-Wl,-rpath,{package / 'lib'}"]
    built = subprocess.run([compiler, *flags, str(source), "-o", str(program), *link], capture_output=True, text=True)
    assert built.returncode == 0 and not built.stderr, f"{where}\n{built.stderr}"
    done = subprocess.run([str(program)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{where}\n{done.stderr}"


class Shell:
    """A reader's terminal in a copy of the source tree, with commands that take less time and touch nothing else."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self.background = folder, list[subprocess.Popen[str]]()
        for part in ROOT.iterdir():
            if part.name in ("c", "src", "bench", "docs", "examples"):
                shutil.copytree(part, folder / part.name, ignore=BUILT)
            elif part.is_file() and not part.name.startswith("."):
                shutil.copy(part, folder)
        programs = folder / "programs"
        programs.mkdir()
        for name, arguments in PROGRAMS.items():
            (programs / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {arguments} "$@"\n')
            (programs / name).chmod(0o755)
        self.environment = {
            **os.environ,
            **ENVIRONMENT,
            "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}",
            "PYTHONPATH": str(pathlib.Path(actc.__file__).parents[1]),
            "DESTDIR": str(folder / "root"),  # of what is installed
        }
        self.smaller: Mapping[str, str] = SMALLER

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        before = os.getcwd()
        os.chdir(self.folder)
        try:
            yield
        finally:
            os.chdir(before)

    def run(self, text: str, where: str) -> None:
        """Lines that begin with $, and what they print if the block shows it. A command that ends with & runs until
        the last test of the page."""
        if os.name == "nt":
            pytest.skip("for Unix shells")
        self.smaller = {**SMALLER, **{p: self.smaller.get(p) or free_port() for p in PORTS}}
        before, *commands = re.split(r"^\$ ", text, flags=re.M)
        assert commands and not before, f"{where}: commands begin with $"
        for command, _, shown in (c.partition("\n") for c in commands):
            for usual, small in self.smaller.items():
                command = command.replace(usual, small)
            if command.endswith(" &"):
                self.start(command.removesuffix(" &"), where)
                continue
            done = subprocess.run(
                command, shell=True, env=self.environment, cwd=self.folder, capture_output=True, text=True, timeout=300
            )
            assert done.returncode == 0, f"{where}: {command}\n{done.stderr}"
            if shown:
                same = doctest.OutputChecker().check_output(shown, done.stdout, DOCTEST)
                assert same, f"{where}: {command} prints\n{done.stdout}"

    def start(self, command: str, where: str) -> None:
        """In the background, until it has something to say."""
        said = self.folder / f"background{len(self.background)}"
        with open(said, "w") as out:
            process = subprocess.Popen(
                f"exec {command}", shell=True, env=self.environment, cwd=self.folder, stdout=out, stderr=out, text=True
            )
        self.background.append(process)
        limit = time.monotonic() + 60
        while not said.stat().st_size:
            assert process.poll() is None and time.monotonic() < limit, f"{where}: {command}"
            time.sleep(0.05)

    def close(self) -> None:
        for process in reversed(self.background):
            process.terminate()
            process.wait(timeout=60)


def free_port() -> str:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return str(s.getsockname()[1])
