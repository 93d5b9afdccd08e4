"""The C library as a product of its own: nothing surprising in it, in little memory, in one file, and from a wheel."""

from __future__ import annotations

import ast
import concurrent.futures
import importlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
from commands import need, run

from actc import _config

ROOT = Path(__file__).resolve().parents[1]
C = ROOT / "c"
PROGRAMS = ROOT / "tests" / "c"
EMBED = ROOT / "examples" / "embed"
EXPECTED = sorted((EMBED / "expected").glob("*.f32"))
FULL = os.environ.get("ACTC_TEST_SAMPLE") == "full"
STRICT = ["-Wall", "-Wextra", "-Werror"]
X86 = os.uname().machine in ("x86_64", "amd64") if hasattr(os, "uname") else False

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="drives Unix compilers"),
    pytest.mark.skipif(not C.is_dir(), reason="needs the source tree"),
]


def undefined(*objects: Path) -> set[str]:
    """What the objects want of others, together."""
    found: dict[str, set[str]] = {"U": set(), "defined": set()}
    for o in objects:
        for line in run("nm", "-g", o).stdout.splitlines():
            kind, name = line.split()[-2:]
            found["U" if kind in "Uw" else "defined"].add(name)
    return found["U"] - found["defined"]


def reproduces(program: Path, to: Path, **environment: str) -> None:
    """A build of examples/embed/apply.c gives the expected bits."""
    for expected in EXPECTED:
        run(program, expected.stem, EMBED / "input.f32", to / "output.f32", env=environment)
        assert (to / "output.f32").read_bytes() == expected.read_bytes(), expected.stem


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_flags_that_the_compiler_knows(compiler: str) -> None:
    """gcc's flags for a small wheel are no reason for clang to stop, or to warn."""
    need(compiler)
    wanted = {"known", "LEAN", "FOR_SIZE"}  # the rest of setup.py imports what a build has, and a test may have not
    tree = ast.parse((ROOT / "setup.py").read_text())
    tree.body = [n for n in tree.body if wanted & {getattr(t, "id", "") for t in getattr(n, "targets", [])}
                 or getattr(n, "name", "") in wanted]  # fmt: skip
    names: dict[str, Any] = {"Path": Path, "subprocess": subprocess, "tempfile": tempfile}
    exec(compile(tree, "setup.py", "exec"), names)
    known = names["known"]([compiler], [*names["LEAN"], *names["FOR_SIZE"], "-fno-such-pass"])
    assert {"-Os"} <= set(known) < {*names["LEAN"], *names["FOR_SIZE"], "-fno-such-pass"}
    if compiler == "gcc" and sys.platform == "linux":
        assert set(known) == {*names["LEAN"], *names["FOR_SIZE"]}
    run(compiler, "-Werror", *known, "-x", "c", "-c", "/dev/null", "-o", "/dev/null")


# ---- no surprises ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_freestanding(compiler: str, tmp_path: Path) -> None:
    """The scalar unit for a machine without a C library: memory moves, which compilers call by themselves, are all it
    takes. No allocation, thread, errno, signal or stdio, and not one function of libm."""
    need(compiler, "nm")
    flags = ["-std=gnu99", "-O0", "-ffreestanding", "-fno-stack-protector", *STRICT, f"-I{C / 'include'}"]
    flags += [f"-DACTC_WITHOUT_{isa}" for isa in ("AVX512", "AVX2", "SSE2", "NEON", "GNU")]
    sources = [*(C / "src").glob("*.c"), *(C / "src" / "isa").glob("scalar_*.c")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda s: run(compiler, *flags, "-c", s, "-o", tmp_path / f"{s.stem}.o"), sources))
    objects = list(tmp_path.glob("*.o"))
    assert undefined(*objects) <= {"memcpy", "memmove", "memset"}
    # nothing runs before main, or at exit
    for o in objects:
        sections = run("readelf", "-SW", o).stdout if shutil.which("readelf") else ""
        assert not re.search(r"\.(init|fini|preinit)_array|\.[cd]tors|\.tdata|\.tbss", sections), o.name
    run(compiler, "-std=c99", f"-I{C / 'include'}", EMBED / "apply.c", *objects, "-o", tmp_path / "apply")
    reproduces(tmp_path / "apply", tmp_path, ACTC_ISA="avx2")  # which is not even asked for


def test_shipped_library_is_quiet() -> None:
    """The shared library that a wheel ships starts nothing when it is loaded and knows no thread-local data."""
    need("readelf")
    library = _config.get_library()
    assert not re.search(r"\.tdata|\.tbss", run("readelf", "-SW", library).stdout)
    needed = re.findall(r"NEEDED.*\[(.*)\]", run("readelf", "-d", library).stdout)
    assert all(name.startswith(("libc.", "ld-linux")) for name in needed), needed


def linked() -> list[str]:
    """What links a program with the library that a wheel ships."""
    lib = _config.get_library_dir()
    return [f"-L{lib}", "-lactc", f"-Wl,-rpath,{lib}"]


def test_signal_handler(tmp_path: Path) -> None:
    """A handler may compute whatever it interrupts: nothing is locked, allocated or kept."""
    need("cc")
    flags = ["-std=c99", "-pedantic", *STRICT, f"-I{_config.get_include()}"]
    run("cc", *flags, PROGRAMS / "test_signal.c", *linked(), "-lm", "-o", tmp_path / "signal")
    print(run(tmp_path / "signal").stdout)


# ---- less of it ------------------------------------------------------------------------------------------------------


def build(to: Path, *options: str) -> Path:
    need("cmake")
    prefix = f"-DCMAKE_INSTALL_PREFIX={to / 'installed'}"
    run("cmake", "-S", C, "-B", to / "build", prefix, "-DCMAKE_C_FLAGS=-Werror", *options)
    run("cmake", "--build", to / "build", "--parallel")
    run("cmake", "--install", to / "build", "--strip")
    return to / "installed"


@pytest.mark.skipif(not X86, reason="the size is that of avx2")
def test_two_functions_for_one_instruction_set(tmp_path: Path) -> None:
    prefix = build(tmp_path, "-DACTC_FUNCTIONS=gelu;silu", "-DACTC_ISAS=avx2", "-DCMAKE_BUILD_TYPE=MinSizeRel")
    library = next(prefix.rglob("libactc.so.*.*"))
    assert library.stat().st_size < 64 * 1024
    include, flags = f"-I{prefix / 'include'}", [f"-L{library.parent}", "-lactc", f"-Wl,-rpath,{library.parent}"]
    run("cc", "-std=c99", include, EMBED / "apply.c", *flags, "-o", tmp_path / "apply")
    if "avx2" in _config.config()["available"]:  # type: ignore[operator]
        run(tmp_path / "apply", "gelu", EMBED / "input.f32", tmp_path / "output.f32")
        assert (tmp_path / "output.f32").read_bytes() == (EMBED / "expected" / "gelu.f32").read_bytes()
    assert run(tmp_path / "apply", "elu", EMBED / "input.f32", tmp_path / "none", check=False).returncode == 2
    # the installed headers know no more than the library
    (tmp_path / "other.c").write_text(
        "#include <actc.h>\nint main(void) { float x = 1; actc_elu_f32(&x, &x, 1, 1); }\n"
    )
    refused = run("cc", "-Werror=implicit-function-declaration", include, tmp_path / "other.c", *flags, check=False)
    assert "actc_elu_f32" in refused.stderr


def test_rows_and_gates_alone(tmp_path: Path) -> None:
    """What has no row of the first table (rrelu brings leaky_relu) builds too; a wrong name says so."""
    options = ["-DACTC_FUNCTIONS=softmax;swiglu;apl;rrelu", "-DACTC_ISAS=scalar", "-DCMAKE_C_FLAGS_RELEASE=-O1"]
    prefix = build(tmp_path, *options)
    code = """#include <actc.h>
int main(void)
{
    const float x[2] = {1, 1};
    float y[2], z[2];
    actc_softmax_f32(x, y, 1, 2, 1);
    actc_swiglu_f32(x, x, z, 2, 1);
    if (!(z[1] > 0.73f && z[1] < 0.74f)) return 3;
    actc_rrelu_f32(x, z, 2, 0.1, 0.3, 1, 0);
    if (z[1] != 1) return 2;
    return !(y[0] == 0.5f && actc_count() == 1 && actc_gate_count() == 1 && actc_row_count() == 1);
}
"""
    (tmp_path / "main.c").write_text(code)
    library = next(prefix.rglob("libactc.a"))
    run("cc", f"-I{prefix / 'include'}", tmp_path / "main.c", library, "-o", tmp_path / "main")
    run(tmp_path / "main")
    for wrong in ("-DACTC_FUNCTIONS=gelu;gelo", "-DACTC_ISAS=avx3"):
        refused = run("cmake", "-S", C, "-B", tmp_path / "wrong", wrong, check=False)
        assert refused.returncode != 0
        assert "gelo" in refused.stderr or "avx3" in refused.stderr


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_fast_math(compiler: str, tmp_path: Path) -> None:
    """A user's flags reach neither the results nor, when the library is loaded, the processor's mode; where nobody
    takes them back, compilation stops."""
    need(compiler)
    names = ";".join(f.stem for f in EXPECTED)
    options = [f"-DACTC_FUNCTIONS={names}", "-DACTC_ISAS=scalar", "-DCMAKE_BUILD_TYPE=None"]
    prefix = build(tmp_path, *options, f"-DCMAKE_C_COMPILER={compiler}", "-DCMAKE_C_FLAGS=-O1 -ffast-math")
    lib = next(prefix.rglob("libactc.so")).parent
    flags = [f"-I{prefix / 'include'}", f"-L{lib}", "-lactc", f"-Wl,-rpath,{lib}"]
    run(compiler, "-std=c99", EMBED / "apply.c", *flags, "-o", tmp_path / "apply")
    reproduces(tmp_path / "apply", tmp_path)
    (tmp_path / "mode.c").write_text("""#include <actc.h>
int main(void)
{
    volatile double subnormal = 1e-310;
    return !(actc_count() > 0 && subnormal * 1.0 > 0);
}
""")
    run(compiler, tmp_path / "mode.c", *flags, "-o", tmp_path / "mode")
    run(tmp_path / "mode")
    for flag in ("-ffast-math", "-Ofast", "-ffinite-math-only"):
        refused = run(compiler, flag, "-c", C / "src" / "run.c", "-o", tmp_path / "run.o", check=False)
        assert refused.returncode != 0 and "-fno-fast-math" in refused.stderr, flag


# ---- one file --------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not X86, reason="tools/amalgamate.py needs a compiler that has every unit")
@pytest.mark.parametrize("compiler", ["gcc", "clang"] if FULL else ["gcc"])
def test_amalgamation(compiler: str, tmp_path: Path) -> None:
    """Three functions of it, for the time it takes; `make amalgamation` makes and compiles the whole."""
    need(compiler, "cc", "cmake")
    run(sys.executable, ROOT / "tools" / "amalgamate.py", tmp_path, *(f.stem for f in EXPECTED))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["actc.c", "actc.h"]
    # unoptimised: that compiles fastest, and bits must not depend on it
    flags = ["-O0", *STRICT, "-Wno-misleading-indentation", "-DACTC_WITHOUT_AVX512", "-DACTC_WITHOUT_SSE2"]
    run(compiler, *flags, "-c", tmp_path / "actc.c", "-o", tmp_path / "actc.o")
    assert undefined(tmp_path / "actc.o") <= {"getenv", "strcmp", "memcpy", "memmove", "memset", "__stack_chk_fail"}
    run(compiler, "-std=c99", f"-I{tmp_path}", EMBED / "apply.c", tmp_path / "actc.o", "-o", tmp_path / "apply")
    for isa in ("avx2", "scalar"):
        reproduces(tmp_path / "apply", tmp_path, ACTC_ISA=isa)


# ---- what was promised -----------------------------------------------------------------------------------------------


def test_abi() -> None:
    need("cc")
    run(sys.executable, ROOT / "tools" / "abi.py", "--check")


def test_abi_check_can_fail(tmp_path: Path) -> None:
    need("cc")
    for part in ("tools", "c"):
        shutil.copytree(ROOT / part, tmp_path / part)
    header = tmp_path / "c" / "include" / "actc.h"
    text = header.read_text()
    changes = {
        "enumerator ACTC_BF16": text.replace("ACTC_F16 = 0, ACTC_BF16 = 1", "ACTC_F16 = 1, ACTC_BF16 = 0"),
        "field actc_activation.formula": text.replace(
            "    const char *formula; /*", "    int more;\n    const char *formula; /*"
        ),
        "actc_find(const char *)": text.replace("actc_find(const char *name)", "actc_find(const char *name, int how)"),
    }
    for what, changed in changes.items():
        assert changed != text
        header.write_text(changed)
        refused = run(sys.executable, tmp_path / "tools" / "abi.py", "--check", check=False)
        assert refused.returncode == 1
        assert what in refused.stderr


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_older_client(compiler: str, tmp_path: Path) -> None:
    need(compiler)
    flags = ["-std=c99", "-pedantic", *STRICT, f"-I{PROGRAMS / 'older'}"]
    run(compiler, *flags, PROGRAMS / "test_older.c", *linked(), "-o", tmp_path / "older")
    assert " 0 failures" in run(tmp_path / "older").stdout


CXX = """
#include "actc.hpp"
#include "actc.hpp"
#include <array>
#include <vector>
template <class Call> bool refuses(Call call)
{
    try {
        call();
    } catch (const std::invalid_argument &) {
        return true;
    }
    return false;
}
int main()
{
    std::vector<float> x{-1, 0, 1, 2}, y(4), d(4), three(3);
    actc::relu(x, y);
    if (y[0] != 0 || y[3] != 2) return 1;
    actc::elu_value_and_derivative(x, y, d, 0.5);
    if (d[0] != float(0.5 + y[0]) && d[0] > 0.2f) return 2;
    actc::leaky_relu(x, y); // at the default
    if (y[0] != -0.01f) return 3;
    actc::exact::relu_backward(d, x, y);
    if (y[3] != 1) return 4;
    const std::vector<double> from{1, 2};
    std::array<double, 2> to;
    actc::identity(from, to);
    if (to[1] != 2) return 5;
    std::vector<actc::f16> half{actc::f16(0x3C00), actc::f16(0xBC00)};
    std::vector<actc::bf16> brain{actc::bf16(0x3F80), actc::bf16(0xBF80)};
    actc::relu(half, half);
    actc::relu(brain, brain);
    if (half[0] != actc::f16(0x3C00) || half[1] != actc::f16(0) || brain[1] != actc::bf16(0)) return 6;
    float a[3] = {1, -2, 3};
    actc::relu(a, {a, 3});
    if (a[1] != 0) return 7;
    if (!refuses([&] { actc::relu(x, three); }) || !refuses([&] { actc::apply("relo", ACTC_FORWARD, x, y); })) return 8;
    return 0;
}
"""


@pytest.mark.parametrize(("compiler", "standard"), [("g++", "c++11"), ("g++", "c++20"), ("clang++", "c++11")])
def test_cxx_header(compiler: str, standard: str, tmp_path: Path) -> None:
    need(compiler)
    (tmp_path / "main.cpp").write_text(CXX)
    flags = [f"-std={standard}", "-pedantic", *STRICT, f"-I{C / 'include'}", "-D_GLIBCXX_ASSERTIONS"]
    run(compiler, *flags, tmp_path / "main.cpp", *linked(), "-o", tmp_path / "main")
    run(tmp_path / "main")


# ---- from a wheel ----------------------------------------------------------------------------------------------------


def test_flags_compile(tmp_path: Path) -> None:
    """`cc program.c $(python -m actc --cflags --libs)`."""
    need("cc")
    environment = {"PYTHONPATH": str(Path(_config.__file__).parents[1])}
    flags = run(sys.executable, "-m", "actc", "--cflags", "--libs", env=environment).stdout.split()
    run("cc", EMBED / "apply.c", *flags, "-o", tmp_path / "apply")
    reproduces(tmp_path / "apply", tmp_path)


def test_find_package_in_wheel(tmp_path: Path) -> None:
    """The package's directory is a prefix: with a version, with components, and refusing what it has not."""
    need("cmake", "cc")
    prefix = Path(_config.__file__).parent

    def configure(request: str, target: str = "actc::actc") -> subprocess.CompletedProcess[str]:
        shutil.rmtree(tmp_path / "build", ignore_errors=True)
        (tmp_path / "CMakeLists.txt").write_text(
            f"cmake_minimum_required(VERSION 3.18)\nproject(consumer C)\nfind_package(actc {request})\n"
            f"add_executable(apply {EMBED / 'apply.c'})\ntarget_link_libraries(apply {target})\n"
        )
        return run("cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}", check=False)

    version = _config.config()["actc"]
    for request, target in (
        (f"{version} CONFIG REQUIRED COMPONENTS shared", "actc::actc_shared"),
        ("CONFIG REQUIRED", "actc::actc"),
    ):
        done = configure(request, target)
        assert done.returncode == 0, done.stderr
        run("cmake", "--build", tmp_path / "build")
        reproduces(tmp_path / "build" / "apply", tmp_path)
    for request in ("99 CONFIG REQUIRED", "CONFIG REQUIRED COMPONENTS static"):
        assert configure(request).returncode != 0, request
    assert configure("CONFIG REQUIRED COMPONENTS threads", "actc::threads").returncode == 0
    run("cmake", "--build", tmp_path / "build")
    reproduces(tmp_path / "build" / "apply", tmp_path)


def entry_points() -> dict[str, str]:
    """As declared, and as installed where actc is a distribution here."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    found = {group: declared[group]["actc"] for group in ("pkg_config", "cmake.prefix")}
    for group in found:
        for entry in importlib.metadata.entry_points(group=group, name="actc"):
            assert entry.value == found[group]
    return found


def test_entry_points() -> None:
    """Where pkgconf's and scikit-build-core's users look: a package whose directory has actc.pc, and one that is a
    prefix for find_package."""
    found = entry_points()

    def folder(name: str) -> Path:
        spec = importlib.util.find_spec(name)
        assert spec
        assert spec.submodule_search_locations
        return Path(next(iter(spec.submodule_search_locations)))

    assert (folder(found["pkg_config"]) / "actc.pc").is_file()
    assert (folder(found["cmake.prefix"]) / "lib" / "cmake" / "actc" / "actcConfig.cmake").is_file()
