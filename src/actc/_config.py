"""Where the C library lies, and what this build and machine can do."""

from __future__ import annotations

import os
import sys

import numpy as np

from actc import _core
from actc._version import __version__

_HERE = os.path.dirname(__file__)  # pathlib takes 5 ms to import
_LIBRARY = {"darwin": "libactc.dylib", "win32": "actc.dll"}.get(sys.platform, "libactc.so")


def get_include() -> str:
    """Directory of `actc.h`."""
    return os.path.join(_HERE, "include")


def get_library_dir() -> str:
    """Directory of the shared library that the ufuncs themselves use."""
    return os.path.join(_HERE, "lib")


def get_library() -> str:
    """Path of the shared library, for ctypes, cffi and other loaders."""
    return os.path.join(_HERE, "lib", _LIBRARY)


def get_cmake_dir() -> str:
    """Directory of `actcConfig.cmake`, for `find_package(actc CONFIG)`."""
    return os.path.join(_HERE, "lib", "cmake", "actc")


def cpu_features() -> dict[str, bool]:
    """Instruction sets that this build knows, and whether this processor has them."""
    have = _core.isas()
    return {name: name in have for name in ("avx512", "avx2", "sse2", "neon", "gnu", "scalar")}


def config() -> dict[str, object]:
    """What `show_config` prints, as a dictionary."""
    import platform

    return {
        "actc": __version__,
        "isa": _core.isa(),
        "available": _core.isas(),
        "threads": _core.get_num_threads(),
        "functions": len(_core.rows()),
        "bfloat16": _core.bfloat16_is_supported(),
        "fast_calls": _core.fast_calls_enabled(),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "library": get_library(),
    }


def show_config() -> None:
    """Print versions, the instruction set in use and where the library lies: what a bug report needs."""
    for key, value in config().items():
        print(f"{key:12} {', '.join(value) if isinstance(value, list) else value}")
