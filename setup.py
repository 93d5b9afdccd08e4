"""Build libactc (the C library, as C users get it), libactc_threads and the Cython extensions that link to them.

The code ships once: the shared libraries lie in actc/lib and the extensions find them by a relative run path.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent
C_SOURCES = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "c" / "src").rglob("*.c"))
THREADS_SOURCES = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "c" / "threads").glob("*.c"))
C_DEPENDS = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "c").rglob("*.[hd]*") if p.is_file())
# Without these gcc passes a wheel has 55 KB less, and float32 and float64 take 0.9 % longer.
LEAN = ["-fno-schedule-insns2", "-fno-split-loops", "-fno-peel-loops"]
# A user's -ffast-math would make other numbers of the results, and an extension linked with it 0 of all subnormal ones.
NO_FAST_MATH = "-fno-fast-math"
COMMON = ["-g0", "-fno-asynchronous-unwind-tables", NO_FAST_MATH, "-ffp-contract=off"]
# Units whose speed is no target are compiled for size: a wheel has to stay below 2 MB. They call the emulated fma at
# every step, around which nothing is worth keeping in registers: 12 KB of a wheel, and a tenth of the time.
SMALL = ("scalar_", "sse2_")
FOR_SIZE = ["-Os", "-fno-caller-saves"]
# One build for 3.12 and every later Python, but for those without a GIL. It costs calls of ufuncs nothing that can be
# measured, and calls of views a sixth. What the limited API has as functions, the sources name by their macros.
LIMITED = sys.version_info >= (3, 12) and not sysconfig.get_config_var("Py_GIL_DISABLED")
LIMITED_API: list = [
    ("Py_LIMITED_API", "0x030C0000"),
    ("PyTuple_GET_ITEM", "PyTuple_GetItem"),
    ("PyTuple_GET_SIZE", "PyTuple_Size"),
    ("PyTuple_SET_ITEM", "PyTuple_SetItem"),
    ("PyFloat_AS_DOUBLE", "PyFloat_AsDouble"),
]
RPATH = "@loader_path/lib" if sys.platform == "darwin" else "$ORIGIN/lib"


def library_name(name="actc"):
    return {"darwin": f"lib{name}.dylib", "win32": f"{name}.dll"}.get(sys.platform, f"lib{name}.so")


# For C users of an installed wheel; a C installation of its own (c/CMakeLists.txt) has fuller ones.
PKG_CONFIG = """prefix=${{pcfiledir}}/../..
Name: actc
Description: Neural-network activation functions and their derivatives
Version: {version}
Cflags: -I${{prefix}}/include
Libs: -L${{prefix}}/lib -lactc -Wl,-rpath,${{prefix}}/lib
"""
PKG_CONFIG_THREADS = """prefix=${{pcfiledir}}/../..
Name: actc_threads
Description: One call of actc shared by several threads
Version: {version}
Requires: actc
Libs: -L${{prefix}}/lib -lactc_threads -pthread
"""
CMAKE = """# find_package(actc CONFIG) gives actc::actc (actc::actc_shared) and actc::threads; it has no static library
get_filename_component(_actc "${{CMAKE_CURRENT_LIST_DIR}}/../../.." ABSOLUTE)
if(NOT TARGET actc::actc)
  foreach(_actc_target actc actc_shared)
    add_library(actc::${{_actc_target}} SHARED IMPORTED)
    set_target_properties(actc::${{_actc_target}} PROPERTIES IMPORTED_LOCATION "${{_actc}}/lib/{library}"
      INTERFACE_INCLUDE_DIRECTORIES "${{_actc}}/include" INTERFACE_COMPILE_DEFINITIONS ACTC_SHARED)
  endforeach()
endif()
if(NOT TARGET actc::threads)
  add_library(actc::threads SHARED IMPORTED)
  set_target_properties(actc::threads PROPERTIES IMPORTED_LOCATION "${{_actc}}/lib/{threads}"
    INTERFACE_LINK_LIBRARIES actc::actc)
endif()
set(actc_VERSION {version})
set(actc_shared_FOUND TRUE)
set(actc_threads_FOUND TRUE)
foreach(_actc_component IN LISTS actc_FIND_COMPONENTS)
  if(actc_FIND_REQUIRED_${{_actc_component}} AND NOT actc_${{_actc_component}}_FOUND)
    set(actc_FOUND FALSE)
    set(actc_NOT_FOUND_MESSAGE "no component ${{_actc_component}} in a wheel")
  endif()
endforeach()
"""
CMAKE_VERSION = """set(PACKAGE_VERSION {version})
string(REGEX MATCH "^[0-9]+" _actc_major "${{PACKAGE_VERSION}}")
if(PACKAGE_VERSION VERSION_LESS PACKAGE_FIND_VERSION OR
   (PACKAGE_FIND_VERSION AND NOT PACKAGE_FIND_VERSION_MAJOR EQUAL _actc_major))
  set(PACKAGE_VERSION_COMPATIBLE FALSE)
else()
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
endif()
if(PACKAGE_VERSION VERSION_EQUAL PACKAGE_FIND_VERSION)
  set(PACKAGE_VERSION_EXACT TRUE)
endif()
"""


def known(compiler, flags):
    """Those that the compiler takes without a word: clang refuses some of gcc's and ignores others."""
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory) / "empty.c"
        source.write_text("extern int nothing;\n")
        command = [*compiler, "-Werror", "-c", str(source), "-o", f"{source}.o"]
        return [f for f in flags if not subprocess.run([*command, f], capture_output=True, check=False).returncode]


class BuildWithLibrary(build_ext):
    """Compile c/src into actc/lib first, and put the headers beside it."""

    def build_extensions(self):
        if sys.platform == "win32":  # cl knows neither vector types nor a target for a function
            self.compiler.initialize()
            self.compiler.cc = shutil.which("clang-cl") or self.compiler.cc
        package = Path(self.build_lib) / "actc"
        lib = package / "lib"
        lib.mkdir(parents=True, exist_ok=True)
        shutil.copytree(ROOT / "c" / "include", package / "include", dirs_exist_ok=True)
        for name, sources, macro, needs in (
            ("actc", C_SOURCES, "ACTC_BUILD_SHARED", []),
            ("actc_threads", THREADS_SOURCES, "ACTC_BUILD_THREADS", ["actc"]),
        ):
            self.build_library(lib / library_name(name), sources, macro, needs)
        version = self.distribution.get_version()
        for path, text in (
            ("pkgconfig/actc.pc", PKG_CONFIG),
            ("pkgconfig/actc_threads.pc", PKG_CONFIG_THREADS),
            ("cmake/actc/actcConfig.cmake", CMAKE),
            ("cmake/actc/actcConfigVersion.cmake", CMAKE_VERSION),
        ):
            (lib / path).parent.mkdir(parents=True, exist_ok=True)
            names = {"version": version, "library": library_name(), "threads": library_name("actc_threads")}
            (lib / path).write_text(text.format(**names))
        for extension in self.extensions:
            extension.library_dirs.append(str(lib))
        super().build_extensions()

    def build_library(self, target, sources, macro, libraries):
        macros: list = [(macro, None), *([("ACTC_SHARED", None)] if libraries else [])]
        if os.environ.get("ACTC_WITH_GNU"):
            macros.append(("ACTC_WITH_GNU", None))
        flags = [] if sys.platform == "win32" else ["-O3", "-fvisibility=hidden", *COMMON]
        link = []
        if sys.platform.startswith("linux"):
            link = [f"-Wl,-soname,{target.name}", "-Wl,--strip-all"]
        elif sys.platform == "darwin":
            link = [f"-Wl,-install_name,@rpath/{target.name}"]
        if libraries and sys.platform != "win32":
            link += ["-pthread", f"-Wl,-rpath,{RPATH.removesuffix('/lib')}"]  # beside what it needs
        if flags:
            link.append(NO_FAST_MATH)

        how = Path(self.build_temp) / f"{target.name}.how"
        made = repr((self.compiler.compiler_so, self.compiler.linker_so, macros, flags, link))
        newest = max(os.path.getmtime(ROOT / f) for f in C_SOURCES + THREADS_SOURCES + C_DEPENDS)
        same = target.exists() and target.stat().st_mtime >= newest and how.exists() and how.read_text() == made
        if same and not self.force:
            return
        lean, for_size = (known(self.compiler.compiler_so, f) if flags else [] for f in (LEAN, FOR_SIZE))

        def compile_one(source):
            own = flags
            if Path(source).name.startswith(SMALL):  # a later -O wins
                own = [*flags, *for_size]
            elif Path(source).parent.name == "isa":
                own = [*flags, *lean]
            return self.compiler.compile([source], self.build_temp, macros, ["c/include"], extra_postargs=own)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            objects = [o for group in pool.map(compile_one, sources) for o in group]
        how.unlink(missing_ok=True)  # until the file is whole
        self.compiler.link_shared_object(
            objects, str(target), libraries=libraries, library_dirs=[str(target.parent)], extra_postargs=link
        )
        how.write_text(made)

    def copy_extensions_to_source(self):
        """An editable install: the library and the headers go where the extensions go."""
        super().copy_extensions_to_source()
        for folder in ("lib", "include"):
            shutil.copytree(Path(self.build_lib) / "actc" / folder, ROOT / "src" / "actc" / folder, dirs_exist_ok=True)

    def run(self):
        """Build, then let the new extension print the type stub of its own table: it cannot be stale."""
        super().run()
        package = (ROOT / "src" if self.editable_mode or self.inplace else Path(self.build_lib)) / "actc"
        paths = [str(package.parent), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, paths)))
        printed = subprocess.run(
            [sys.executable, "-m", "actc._stubs"], env=environment, capture_output=True, text=True, check=False
        )
        if printed.returncode:
            print(f"no type stub: the extension does not run here\n{printed.stderr}", file=sys.stderr)
        else:
            (package / "__init__.pyi").write_text(printed.stdout)


def extension(name, numpy_target="NPY_2_0_API_VERSION"):
    return Extension(
        f"actc.{name}",
        [f"src/actc/{name}.pyx"],
        include_dirs=["c/include", np.get_include()],
        libraries=["actc_threads", "actc"],
        define_macros=[
            ("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"),
            ("NPY_TARGET_VERSION", numpy_target),
            ("ACTC_SHARED", None),
            *(LIMITED_API if LIMITED else []),
        ],
        py_limited_api=LIMITED,
        # small, for four extensions are a quarter of the wheel; calls on one element go through _core and _rows
        extra_compile_args=[] if sys.platform == "win32" else ["-O2" if name in ("_core", "_rows") else "-Os", *COMMON],
        extra_link_args=[]
        if sys.platform == "win32"
        else [f"-Wl,-rpath,{RPATH}", NO_FAST_MATH, *([] if sys.platform == "darwin" else ["-Wl,--strip-all"])],
    )


setup(
    ext_modules=cythonize(
        [*map(extension, ("_core", "_others", "views")), extension("_rows", "NPY_2_1_API_VERSION")],
        include_path=["src"],
    ),
    cmdclass={"build_ext": BuildWithLibrary},
    options={"bdist_wheel": {"py_limited_api": "cp312"}} if LIMITED else {},
)
