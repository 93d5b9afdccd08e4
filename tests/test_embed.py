"""The programs of examples/embed, each built by its own toolchain against the library and headers that a wheel ships.

All do the same: read float32 from a file, find a function by name in the C table, write f and f' of the exact tier.
What comes out must be expected/*.f32 bit for bit, which owes nothing to libactc (tools/embed_expected.py). A toolchain
that is not there is skipped by name; `make embed` installs what it can.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import commands
import pytest
from commands import need

from actc import _config

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "examples" / "embed"
EXPECTED = sorted((FOLDER / "expected").glob("*.f32"))
LIBRARY = _config.get_library()
LIBDIR = _config.get_library_dir()

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="drives Unix toolchains"),
    pytest.mark.skipif(not FOLDER.is_dir(), reason="needs the source tree"),
]

run = functools.partial(
    commands.run,
    env={"PKG_CONFIG_PATH": str(Path(LIBDIR, "pkgconfig")), "LD_LIBRARY_PATH": LIBDIR, "DYLD_LIBRARY_PATH": LIBDIR},
)


def flags(*which: str) -> list[str]:
    need("pkg-config")
    return run("pkg-config", *which, "actc").stdout.split()


# ---- what makes a program of each: called in a directory of its own, gives the command before NAME INPUT OUTPUT, and
# ---- what comes after them


class Program(NamedTuple):
    command: list[str | Path]
    after: list[str | Path] = []  # noqa: RUF012


def compiled(compiler: str, source: str, *options: str) -> Callable[[Path], Program]:
    def build(to: Path) -> Program:
        run(need(compiler), *options, FOLDER / source, *flags("--cflags", "--libs"), "-o", to / "apply")
        return Program([to / "apply"])

    return build


def rust(to: Path) -> Program:
    run(
        need("rustc"),
        "--edition",
        "2021",
        "-O",
        "-D",
        "warnings",
        FOLDER / "apply.rs",
        "-L",
        LIBDIR,
        "-o",
        to / "apply",
    )
    return Program([to / "apply"])


def go(to: Path) -> Program:
    need("pkg-config")
    run(need("go"), "build", "-o", to / "apply", FOLDER / "apply.go", cwd=to)
    return Program([to / "apply"])


def node(to: Path) -> Program:
    need("node", "cc")
    prefix = Path(str(shutil.which("node"))).resolve().parents[1]
    headers = [
        d for d in (prefix / "include" / "node", prefix / "include" / "nodejs" / "src") if (d / "node_api.h").exists()
    ]
    if not headers:
        pytest.skip("no node_api.h (Debian: libnode-dev)")
    link = ["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else []
    options = ["-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", *link, "-I", *headers[:1]]
    run("cc", *options, FOLDER / "apply_node.c", *flags("--cflags", "--libs"), "-o", to / "actc.node")
    return Program(["node", FOLDER / "apply.js"], [to / "actc.node"])


def luajit(to: Path) -> Program:
    return Program([need("luajit"), FOLDER / "apply.lua"], [LIBRARY])


def java(to: Path) -> Program:
    """The first JDK with java.lang.foreign (22 or later)."""
    homes = [os.environ.get("JAVA_HOME", ""), *map(str, sorted(Path("/usr/lib/jvm").glob("*"), reverse=True))]
    for home in filter(None, homes):
        release = Path(home, "release")
        text = release.read_text() if release.exists() else ""
        version = [line.split('"')[1].split(".")[0] for line in text.splitlines() if line.startswith("JAVA_VERSION=")]
        if version and int(version[0]) >= 22 and Path(home, "bin", "javac").exists():
            run(Path(home, "bin", "javac"), "-Werror", "-Xlint:all,-restricted", "-d", to, FOLDER / "Apply.java")
            command = [Path(home, "bin", "java"), "--enable-native-access=ALL-UNNAMED", "-cp", to, "Apply"]
            return Program(command, [LIBRARY])
    pytest.skip("no JDK 22 or later")


def ruby(to: Path) -> Program:
    if run(need("ruby"), "-e", "require 'fiddle/import'", check=False).returncode:
        pytest.skip("no fiddle in this ruby")
    return Program(["ruby", "-w", FOLDER / "apply.rb"], [LIBRARY])


def r(to: Path) -> Program:
    need("Rscript", "R", "make", "cc")
    shutil.copy(FOLDER / "apply_r.c", to)
    makevars = f"PKG_CPPFLAGS={' '.join(flags('--cflags'))}\nPKG_LIBS={' '.join(flags('--libs'))}\n"
    (to / "Makevars").write_text(makevars)
    run("R", "CMD", "SHLIB", "apply_r.c", cwd=to)
    return Program(["Rscript", FOLDER / "apply.R"], [next(to.glob("apply_r.s*"))])


def python(source: str, module: str) -> Callable[[Path], Program]:
    def build(to: Path) -> Program:
        if not importlib.util.find_spec(module):
            pytest.skip(f"no {module}")
        return Program([sys.executable, FOLDER / source], [LIBRARY])

    return build


def wasm(to: Path) -> Program:
    need("node", "clang", "wasm-ld", "cmake")
    run("sh", ROOT / "tools" / "wasm.sh", to / "actc.wasm", *(f.stem for f in EXPECTED))
    return Program(["node", FOLDER / "apply.mjs"], [to / "actc.wasm"])


STRICT = ("-Wall", "-Wextra", "-Werror", "-pedantic")
LANGUAGES: dict[str, Callable[[Path], Program]] = {
    "C": compiled("cc", "apply.c", *STRICT, "-std=c99"),
    "C++": compiled("c++", "apply.cpp", *STRICT, "-std=c++11"),
    "Rust": rust,
    "Go": go,
    "Node": node,
    "Fortran": compiled("gfortran", "apply.f90", *STRICT, "-std=f2008"),
    "LuaJIT": luajit,
    "Java": java,
    "Ruby": ruby,
    "R": r,
    "Python ctypes": python("apply_ctypes.py", "ctypes"),
    "Python cffi": python("apply_cffi.py", "cffi"),
    "Python numba": python("apply_numba.py", "numba"),
    "WebAssembly": wasm,
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_language(language: str, tmp_path: Path) -> None:
    program = LANGUAGES[language](tmp_path)
    output = tmp_path / "output.f32"
    assert EXPECTED
    for expected in EXPECTED:
        run(*program.command, expected.stem, FOLDER / "input.f32", output, *program.after)
        assert output.read_bytes() == expected.read_bytes(), f"{language}, {expected.stem}: other bits"
        output.unlink()
    unknown = run(*program.command, "no_such_function", FOLDER / "input.f32", output, *program.after, check=False)
    assert unknown.returncode != 0
    assert "such" in unknown.stdout + unknown.stderr or "no function" in unknown.stdout + unknown.stderr
    assert not output.exists()
