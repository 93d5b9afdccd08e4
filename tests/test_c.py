"""The C library as a C programmer meets it: compiled without any build system by each compiler, its programs in
tests/c run for every instruction set, then through CMake and pkg-config. No NumPy, and nothing of the Python package.

ACTC_TEST_CFLAGS replaces the optimisation flags below, for example by sanitizers; ACTC_TEST_SAMPLE=full runs every
program for both compilers, and optimises as releases do."""

import concurrent.futures
import ctypes
import itertools
import os
import pathlib
import re
import shutil
import sys

import pytest
from commands import run, shorten

ROOT = pathlib.Path(__file__).resolve().parents[1]
SOURCES = ROOT / "c" / "src"
INCLUDE = ROOT / "c" / "include"
PROGRAMS = ROOT / "tests" / "c"

FULL = os.environ.get("ACTC_TEST_SAMPLE") == "full"
# Two compilers and two levels: bits must not depend on either, and the lower level compiles faster.
COMPILERS = {"gcc": ("g++", "-O3" if FULL else "-O1"), "clang": ("clang++", "-O1")}
STRICT = ["-Wall", "-Wextra", "-Werror"]
JOBS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="drives Unix compilers"),
    pytest.mark.skipif(not SOURCES.is_dir(), reason="needs the source tree"),
]


def in_parallel(function, items):
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        return list(pool.map(function, items))


class Build:
    """Everything made with one compiler: the objects once, a shared library from them, and the test programs."""

    def __init__(self, compiler, directory):
        self.compiler = compiler
        self.directory = directory
        self.cxx, level = COMPILERS[compiler]
        self.flags = os.environ.get("ACTC_TEST_CFLAGS", level).split()
        library = [*self.flags, "-std=c99", "-fPIC", "-fvisibility=hidden", "-DACTC_WITH_GNU", *STRICT]
        # The largest first, so that no core waits for the last one.
        sources = sorted(SOURCES.rglob("*.c"), key=lambda s: ("pairs" in s.name) + ("f64" in s.name), reverse=True)
        self.objects = in_parallel(lambda source: self.compile(source, library), sources)
        suffix = "dylib" if sys.platform == "darwin" else "so"
        self.shared = directory / f"libactc.{suffix}"
        run(compiler, *self.flags, "-shared", *self.objects, "-o", self.shared)
        self.isas = isas_of(self.shared)

    def compile(self, source, flags):
        to = self.directory / f"{source.stem}.o"
        run(self.compiler, *flags, f"-I{INCLUDE}", "-c", source, "-o", to)
        return to

    def program(self, name):
        """A program of tests/c, compiled strictly (the header is part of it) and linked with the objects."""
        to = self.directory / name
        if not to.exists():
            flags = ["-O1", "-std=c99", "-pedantic", *STRICT, *[f for f in self.flags if f.startswith("-fsanitize")]]
            run(
                self.compiler,
                *flags,
                f"-I{INCLUDE}",
                PROGRAMS / f"{name}.c",
                *self.objects,
                "-lm",
                "-pthread",
                "-o",
                to,
            )
        return to

    def run_program(self, name, isas):
        """The program with ACTC_ISA for each instruction set, all of them at once."""
        program = self.program(name)
        # The portable ones emulate fma and take longest: they start first.
        order = sorted(isas, key=lambda isa: isa in ("avx512", "avx2", "neon"))
        results = in_parallel(lambda isa: run(program, check=False, env={"ACTC_ISA": isa}), order)
        wrong = [
            f"ACTC_ISA={isa}\n{shorten(r.stdout + r.stderr)}"
            for isa, r in zip(order, results, strict=False)
            if r.returncode
        ]
        assert not wrong, "\n".join(wrong)


def isas_of(shared):
    library = ctypes.CDLL(str(shared))
    library.actc_isa_at.restype = ctypes.c_char_p
    library.actc_isa_at.argtypes = [ctypes.c_size_t]
    names = []
    while name := library.actc_isa_at(len(names)):
        names.append(name.decode())
    return names


@pytest.fixture(scope="session")
def builds(tmp_path_factory):
    made = {}

    def get(compiler):
        if not shutil.which(compiler):
            pytest.skip(f"no {compiler}")
        if compiler not in made:
            made[compiler] = Build(compiler, tmp_path_factory.mktemp(compiler))
        return made[compiler]

    return get


@pytest.fixture(params=COMPILERS)
def build(request, builds):
    return builds(request.param)


def tried(build):
    """Programs of the second compiler prove its kernels; the digests below compare the slow units with the first's."""
    return build.isas if FULL or build.compiler == "gcc" else build.isas[:1]


def test_interface_and_bits(build):
    build.run_program("test_abi", tried(build))


def test_guard_pages(build):
    build.run_program("test_pages", tried(build))


def test_guard_pages_of_every_entry(build):
    build.run_program("test_guard", tried(build))


@pytest.mark.skipif("ACTC_TEST_CFLAGS" in os.environ, reason="sanitizers take more")
def test_stack(build):
    """What docs/embed.md says of it."""
    build.run_program("test_stack", build.isas)


@pytest.mark.skipif(sys.platform == "darwin", reason="has no barriers for threads")
def test_threads(build):
    build.run_program("test_threads", build.isas[:1])  # which it switches


@pytest.mark.parametrize("worth", [60, 0])  # microseconds; at 0 every call of some size is shared
def test_pool(build, worth):
    """c/threads: each index once, forks, signals, several callers; calls in pieces have the bits of calls alone."""
    to = build.directory / f"test_pool_{worth}"
    flags = ["-O1", "-std=c99", "-pedantic", *STRICT, *([] if worth else ["-DACTC_WORTH_WAKING=0"])]
    sources = [PROGRAMS / "test_pool.c", *sorted((PROGRAMS.parents[1] / "c" / "threads").glob("*.c"))]
    run(build.compiler, *flags, f"-I{INCLUDE}", *sources, *build.objects, "-lm", "-pthread", "-o", to)
    run(to)


def test_what_the_fuzzer_found(build):
    """The corpus of tests/fuzz, and calls at random: the bits of scalar on every instruction set, memory untouched."""
    program = build.directory / "fuzz"
    flags = ["-O1", "-std=c99", "-pedantic", *STRICT, *[f for f in build.flags if f.startswith("-fsanitize")]]
    source = PROGRAMS.parent / "fuzz" / "fuzz.c"
    run(build.compiler, *flags, "-DREPLAY", f"-I{INCLUDE}", source, *build.objects, "-lm", "-o", program)
    corpus = sorted((PROGRAMS.parent / "fuzz" / "corpus").iterdir())
    assert corpus
    run(program, *corpus)
    run(program, "random", 100000 if FULL else 10000)


def test_floating_point_environment(build):
    build.run_program("test_environment", tried(build))


@pytest.mark.parametrize("double", [0, 1])
@pytest.mark.parametrize("compiler", COMPILERS)
def test_fused_multiply_add(compiler, double, tmp_path):
    """What processors without one compute in its place. Of a thousand times as many none was wrong."""
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler}")
    program = tmp_path / "test_fma"
    flags = ["-O2", "-std=c99", "-pedantic", *STRICT, f"-DDOUBLE={double}"]
    run(compiler, *flags, PROGRAMS / "test_fma.c", "-lm", "-o", program)
    run(program)


def test_wished_isa_unknown(build):
    """An ACTC_ISA that this machine has not is as good as none."""
    program = build.directory / "isa"
    source = build.directory / "isa.c"
    source.write_text("#include <actc.h>\n#include <stdio.h>\nint main(void) { puts(actc_isa()); return 0; }\n")
    run(build.compiler, "-std=c99", f"-I{INCLUDE}", source, *build.objects, "-o", program)
    assert run(program).stdout.strip() == build.isas[0]
    assert run(program, env={"ACTC_ISA": "no such thing"}).stdout.strip() == build.isas[0]
    for isa in build.isas:
        assert run(program, env={"ACTC_ISA": isa}).stdout.strip() == isa


def test_same_bits_from_both_compilers(builds):
    def digest(arguments):
        compiler, isa = arguments
        return run(builds(compiler).program("test_abi"), "digest", env={"ACTC_ISA": isa}).stdout.splitlines()

    # one of the first compiler's, whose others test_abi compares with it, and all of the second's
    cases = [(compiler, isa) for compiler in COMPILERS for isa in builds(compiler).isas]
    cases = [c for c in cases if FULL or c[0] != "gcc" or c[1] == builds("gcc").isas[0]]
    digests = in_parallel(digest, cases)
    differing = {
        f"{compiler} {isa}: {line.rsplit(' ', 1)[0]}"
        for (compiler, isa), lines in zip(cases, digests, strict=False)
        for line, first in zip(lines, digests[0], strict=True)
        if line != first
    }
    assert not differing, f"not as {cases[0]}:\n" + shorten("\n".join(sorted(differing)))


def test_cxx(build):
    if not shutil.which(build.cxx):
        pytest.skip(f"no {build.cxx}")
    program = build.directory / "test_header"
    flags = ["-std=c++11", "-pedantic", *STRICT, f"-I{INCLUDE}"]
    run(build.cxx, *flags, PROGRAMS / "test_header.cpp", *build.objects, "-o", program)
    run(program)


@pytest.mark.parametrize("standard", ["c99", "c11", "c2x", "gnu89"])
def test_header_alone(build, standard, tmp_path):
    """The header needs no other before it and no feature macro."""
    source = tmp_path / "header.c"
    source.write_text('#include "actc.h"\n#include "actc.h"\nextern int unit_is_not_empty;\n')
    pedantic = [] if standard == "gnu89" else ["-pedantic"]  # C89 has no variadic macros
    flags = [*pedantic, "-Wstrict-prototypes", "-Wmissing-prototypes", "-Wundef"]
    run(build.compiler, f"-std={standard}", *STRICT, *flags, f"-I{INCLUDE}", "-fsyntax-only", source)


def symbols(library, *options):
    if not shutil.which("nm"):
        pytest.skip("no nm")
    lines = run("nm", *options, library).stdout.splitlines()
    found = [m.groups() for m in map(re.compile(r"^[0-9a-f]*\s+([A-Za-z])\s+(\S+)$").match, lines) if m]
    strip = sys.platform == "darwin"  # a leading underscore
    return [(linkage, name.split("@")[0][1 if strip else 0 :]) for linkage, name in found]


def expected_symbols(shared):
    """What the table in the library says that it exports."""

    class Activation(ctypes.Structure):
        _fields_ = [
            ("struct_size", ctypes.c_size_t),
            ("name", ctypes.c_char_p),
            ("unique_name", ctypes.c_char_p),
            ("index", ctypes.c_size_t),
            ("parameter_count", ctypes.c_size_t),
        ]

    library = ctypes.CDLL(str(shared))
    for table in ("actc", "actc_gate"):
        getattr(library, table + "_count").restype = ctypes.c_size_t
        getattr(library, table + "_at").restype = ctypes.POINTER(Activation)  # actc_gate begins likewise
        getattr(library, table + "_at").argtypes = [ctypes.c_size_t]
    passes = ["", "_derivative", "_second_derivative", "_backward", "_value_and_derivative"]
    for index in range(library.actc_count()):
        row = library.actc_at(index).contents
        of_row = passes + ["_parameter_backward"] * (row.parameter_count > 0)
        for tier in ("", "exact_"):
            for a_pass in of_row:
                for dtype in ("f16", "bf16", "f32", "f64"):
                    yield f"actc_{tier}{row.name.decode()}{a_pass}_{dtype}"
    gates = [library.actc_gate_at(i).contents.name.decode() for i in range(library.actc_gate_count())]
    passes_of = {gate: ["", "_backward"] for gate in gates} | {"rrelu": ["", "_derivative", "_backward"]}
    passes_of["apl"] = [*passes, "_parameter_backward"]
    for name, some in passes_of.items():
        for tier, a_pass, dtype in itertools.product(("", "exact_"), some, ("f16", "bf16", "f32", "f64")):
            yield f"actc_{tier}{name}{a_pass}_{dtype}"

    class Row(ctypes.Structure):
        _fields_ = [
            ("struct_size", ctypes.c_size_t),
            ("name", ctypes.c_char_p),
            ("index", ctypes.c_size_t),
            ("parameter_count", ctypes.c_size_t),
            ("parameters", ctypes.c_void_p),
            ("shape", ctypes.c_int),
        ]

    library.actc_row_count.restype = ctypes.c_size_t
    library.actc_row_at.restype = ctypes.POINTER(Row)
    library.actc_row_at.argtypes = [ctypes.c_size_t]
    for index in range(library.actc_row_count()):
        row = library.actc_row_at(index).contents
        for tier in ("", "exact_"):
            for a_pass in passes if row.shape == 2 else ["", "_backward"]:
                for dtype in ("f16", "bf16", "f32", "f64"):
                    yield f"actc_{tier}{row.name.decode()}{a_pass}_{dtype}"


def test_exported_symbols(build):
    options = ["-gU"] if sys.platform == "darwin" else ["-D", "--defined-only"]
    exported = {name for _, name in symbols(build.shared, *options)}
    assert not {name for name in exported if not name.startswith("actc_")}
    expected = set(expected_symbols(build.shared))
    assert expected <= exported
    declared = set(re.findall(r"\b(actc_\w+)\(", "".join(p.read_text() for p in INCLUDE.rglob("*.h"))))
    assert exported - expected <= declared, "exported, but not by the header"


# strcmp and memory moves, which compilers call by themselves, getenv for ACTC_ISA; and no more: no allocation, no
# threads, no errno, no stdio, and nothing of libm, whose bits differ from system to system.
ALLOWED = {"strcmp", "memcpy", "memset", "memmove", "getenv"}
# what the linker's start files and stack protection bring along
RUNTIME = {"__cxa_finalize", "__gmon_start__", "_ITM_deregisterTMCloneTable", "_ITM_registerTMCloneTable"}
RUNTIME |= {"__stack_chk_fail", "__stack_chk_guard", "dyld_stub_binder", "bzero", "_dyld_stub_binder"}


def test_undefined_symbols(build):
    if any(flag.startswith("-fsanitize") for flag in build.flags):
        pytest.skip("sanitizers bring their own")
    options = ["-u"] if sys.platform == "darwin" else ["-D", "--undefined-only"]
    assert {name for _, name in symbols(build.shared, *options)} <= ALLOWED | RUNTIME


def test_static_namespace(build):
    """In a static library every external symbol is the program's too."""
    for source in build.objects:
        kinds = {name for linkage, name in symbols(source, "-g") if linkage not in "Uw"}
        assert not {name for name in kinds if not name.startswith("actc_")}, source.name


def test_ctypes(build):
    library = ctypes.CDLL(str(build.shared))
    function = library.actc_leaky_relu_f64
    function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_double]
    function.restype = None
    x = (ctypes.c_double * 5)(-2.0, -0.5, 0.0, 0.5, float("inf"))
    y = (ctypes.c_double * 5)()
    function(x, y, 5, 0.25)
    assert list(y) == [-0.5, -0.125, 0.0, 0.5, float("inf")]


# ---- CMake and pkg-config ----

CONSUMER = """\
#include <actc.h>
#include <stdio.h>
int main(void)
{
    const float x[3] = {-1, 0, 2};
    float y[3];
    actc_relu_f32(x, y, 3);
    puts(actc_version());
    return y[0] == 0 && y[1] == 0 && y[2] == 2 ? 0 : 1;
}
"""


THREADED = """\
#include <actc/threads.h>
#include <stdio.h>
static float x[500000], y[500000];
int main(void)
{
    const void *in[] = {x};
    void *out[] = {y};
    x[499999] = 2;
    actc_set_num_threads(2);
    puts(actc_version());
    return actc_threads_apply(actc_find("relu"), ACTC_FORWARD, ACTC_F32, in, out, 500000, NULL) || y[499999] != 2;
}
"""


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """c/CMakeLists.txt built, installed and then moved: nothing may remember where it was."""
    if not shutil.which("cmake"):
        pytest.skip("no cmake")
    directory = tmp_path_factory.mktemp("cmake")
    # Hardly optimised: that compiles fast, and how fast it runs is no question here.
    options = ["-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_C_FLAGS_RELEASE=-O1", "-DCMAKE_C_FLAGS=-Werror"]
    prefix = directory / "first"
    run("cmake", "-S", ROOT / "c", "-B", directory / "build", f"-DCMAKE_INSTALL_PREFIX={prefix}", *options)
    run("cmake", "--build", directory / "build", "--parallel", JOBS)
    run("cmake", "--install", directory / "build")
    shutil.rmtree(directory / "build")
    return prefix.rename(directory / "moved here")


def version():
    return re.search(r'#define ACTC_VERSION "(.*)"', (INCLUDE / "actc.h").read_text())[1]


def test_installed_files(installed):
    assert (installed / "include" / "actc.h").is_file()
    assert (installed / "include" / "actc" / "activations.def").is_file()
    for path in installed.rglob("*"):
        if path.suffix in (".pc", ".cmake"):
            assert str(installed.parent) not in path.read_text(), f"{path} is not relocatable"


@pytest.mark.parametrize(
    ("request_", "target", "is_shared"),
    [
        ("CONFIG REQUIRED", "actc::actc", True),
        ("CONFIG REQUIRED COMPONENTS static", "actc::actc", False),
        ("CONFIG REQUIRED COMPONENTS shared", "actc::actc", True),
        ("{version} CONFIG REQUIRED", "actc::actc_static", False),
        ("CONFIG REQUIRED", "actc::actc_shared", True),
    ],
)
def test_find_package(installed, tmp_path, request_, target, is_shared):
    (tmp_path / "main.c").write_text(CONSUMER)
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.18)\nproject(consumer C)\n"
        f"find_package(actc {request_.format(version=version())})\n"
        f"add_executable(consumer main.c)\ntarget_link_libraries(consumer {target})\n"
    )
    run("cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={installed}")
    run("cmake", "--build", tmp_path / "build")
    consumer = tmp_path / "build" / "consumer"
    assert run(consumer).stdout.strip() == version()
    if sys.platform == "linux":
        assert ("actc_relu_f32" in {name for linkage, name in symbols(consumer, "-D") if linkage == "U"}) == is_shared


@pytest.mark.parametrize("static", [False, True])
def test_threads_of_a_package(installed, tmp_path, static):
    """actc::threads from an installation; as static libraries, from a subdirectory."""
    (tmp_path / "main.c").write_text(THREADED)
    found = (
        f"set(BUILD_SHARED_LIBS OFF)\nset(CMAKE_C_FLAGS -O1)\nadd_subdirectory({ROOT / 'c'} actc)\n"
        if static
        else "find_package(actc CONFIG REQUIRED COMPONENTS threads)\n"
    )
    (tmp_path / "CMakeLists.txt").write_text(
        f"cmake_minimum_required(VERSION 3.18)\nproject(consumer C)\n{found}"
        "add_executable(consumer main.c)\ntarget_link_libraries(consumer actc::threads)\n"
    )
    options = [f"-DCMAKE_PREFIX_PATH={installed}", "-DACTC_SHARED_LIBRARY=OFF", "-DACTC_ISAS=scalar"]
    run("cmake", "-S", tmp_path, "-B", tmp_path / "build", *options)
    run("cmake", "--build", tmp_path / "build", "--parallel", JOBS)
    assert run(tmp_path / "build" / "consumer").stdout.strip() == version()


def test_find_package_refuses(installed, tmp_path):
    for request in ("99 CONFIG REQUIRED", "CONFIG REQUIRED COMPONENTS nonsense"):
        text = f"cmake_minimum_required(VERSION 3.18)\nproject(consumer C)\nfind_package(actc {request})\n"
        (tmp_path / "CMakeLists.txt").write_text(text)
        command = ["cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={installed}"]
        assert run(*command, check=False).returncode != 0


def test_subdirectory(tmp_path):
    """add_subdirectory: the same target name, and no install of a guest."""
    if not shutil.which("cmake"):
        pytest.skip("no cmake")
    (tmp_path / "main.c").write_text(CONSUMER)
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.18)\nproject(consumer C)\n"
        f"add_subdirectory({ROOT / 'c'} actc)\n"
        "add_executable(consumer main.c)\ntarget_link_libraries(consumer actc::actc)\n"
    )
    run("cmake", "-S", tmp_path, "-B", tmp_path / "build")
    assert "libactc" not in "".join(p.read_text() for p in (tmp_path / "build" / "actc").glob("cmake_install.cmake"))


@pytest.mark.parametrize("linkage", ["shared", "static", "threads"])
def test_pkg_config(installed, tmp_path, linkage):
    if not shutil.which("pkg-config"):
        pytest.skip("no pkg-config")
    directory = next(installed.rglob("actc.pc")).parent
    # a path with a space comes back escaped, as for a shell
    link = tmp_path / "prefix"
    link.symlink_to(installed)
    environment = {"PKG_CONFIG_PATH": str(link / directory.relative_to(installed))}
    assert run("pkg-config", "--modversion", "actc", env=environment).stdout.strip() == version()
    package = "actc_threads" if linkage == "threads" else "actc"
    flags = run("pkg-config", "--cflags", "--libs", package, env=environment).stdout.split()
    (tmp_path / "main.c").write_text(THREADED if linkage == "threads" else CONSUMER)
    compiler = next(filter(shutil.which, COMPILERS), None) or pytest.skip("no compiler")
    library = next(installed.rglob("libactc.a")).parent
    if linkage == "static":
        flags = [flag for flag in flags if flag != "-lactc"] + [library / "libactc.a"]
    else:
        flags += [f"-Wl,-rpath,{library}"]
    run(compiler, tmp_path / "main.c", *flags, "-o", tmp_path / "consumer")
    assert run(tmp_path / "consumer").stdout.strip() == version()
