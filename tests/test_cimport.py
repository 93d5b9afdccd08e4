"""Another package's Cython code can `cimport actc` and call the C library without the GIL."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import actc

SOURCE = """
# cython: language_level=3
cimport actc

def through_views(name, const float[::1] x, float[::1] y):
    cdef const actc.actc_activation *f = actc.actc_find(name)
    if f == NULL:
        raise KeyError(name)
    cdef int status
    with nogil:
        status = actc.apply_f32(f, x, y)
    return status

cdef extern from "actc.h" nogil:
    void actc_gelu_f64(const double *x, double *y, size_t n)

def through_symbol(double x):
    cdef double y
    with nogil:
        actc_gelu_f64(&x, &y, 1)
    return y

def isa():
    return actc.actc_isa().decode()
"""
SETUP = """
from setuptools import Extension, setup
from Cython.Build import cythonize
import actc, os
lib = actc.get_library_dir()
setup(ext_modules=cythonize([Extension("theirs", ["theirs.pyx"], include_dirs=[actc.get_include()], library_dirs=[lib],
      libraries=["actc"], runtime_library_dirs=[lib])], include_path=[os.path.dirname(os.path.dirname(actc.__file__))]))
"""


def test_cimport_in_another_extension(tmp_path):
    pytest.importorskip("Cython")
    (tmp_path / "theirs.pyx").write_text(textwrap.dedent(SOURCE))
    (tmp_path / "setup.py").write_text(SETUP)
    environment = dict(os.environ, PYTHONPATH=os.path.dirname(os.path.dirname(actc.__file__)))
    build = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--inplace"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert build.returncode == 0, build.stderr
    program = textwrap.dedent("""
        import numpy as np, theirs
        x = np.linspace(-4, 4, 99, dtype=np.float32)
        for name in {names!r}:
            y = np.empty_like(x)
            assert theirs.through_views(name.encode(), x, y) == 0
            print(y.tobytes().hex())
        assert theirs.through_views(b"gelu", x, y[:5]) == -1
        print(theirs.through_symbol(-3.5).hex(), theirs.isa())
    """).format(names=list(actc.elementwise))
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    *hashes, last = run.stdout.split("\n")[:-1]
    x = np.linspace(-4, 4, 99, dtype=np.float32)
    assert hashes == [f(x).tobytes().hex() for f in actc.elementwise.values()]
    assert last == f"{float(actc.gelu(-3.5)).hex()} {actc.isa()}"
