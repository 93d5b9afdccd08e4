"""Memory: allocations that fail, leaks to the block, and arrays of more than 2**31 elements."""

from __future__ import annotations

import ctypes
import os
import pathlib
import platform
import subprocess
import sys
from typing import Any

import numpy as np
import oracle
import pytest
from conftest import run_python

HERE = pathlib.Path(__file__).parent
FULL = os.environ.get("ACTC_TEST_SAMPLE") == "full"


@pytest.fixture(scope="module")
def allocator(tmp_path_factory: Any) -> str:
    """A library for LD_PRELOAD whose malloc fails when told to and counts what is in use."""
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc" or "asan" in os.environ.get("LD_PRELOAD", ""):
        pytest.skip("replaces malloc of glibc")
    library = tmp_path_factory.mktemp("allocator") / "failing_malloc.so"
    source = HERE / "c" / "failing_malloc.c"
    try:
        subprocess.run([oracle.compiler(), "-O1", "-shared", "-fPIC", source, "-o", library], check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("needs a C compiler")
    return str(library)


# What both tests below run in a process of its own: every way into the extensions, small and large, right and wrong.
PATHS = """
import contextlib, ctypes, gc, os, sys
import numpy as np
import actc, test_state
from conftest import ROWS, arity
allocator = ctypes.CDLL(None)
allocator.blocks_in_use.restype = allocator.fail_at.restype = ctypes.c_long
gc.freeze()
F32 = np.float32
def paths():
    parametrised = [next(r.name for r in ROWS if len(r.parameters) == k) for k in (0, 1, 2)]
    x, long, doubles, out = np.ones(5, F32), np.ones((40, 50), F32), np.full(5, 0.5), np.ones(5, F32)
    for name in parametrised:
        for kind in ("", "backward", "value_and_derivative"):
            f = getattr(actc.elementwise[name], kind) if kind else actc.elementwise[name]
            p, k = arity(f), 1 + (kind == "backward")
            for label, args, kwargs in (
                ("plain", [x] * k, {}), ("long", [long] * k, {}), ("strided", [long[::2, ::3]] * k, {}),
                ("out", [x] * k, dict(out=(out,) * f.nout if f.nout == 1 else (out, out.copy()))),
                ("parameters", [x] * k, dict.fromkeys(p, 0.3)), ("arrays", [x] * k, dict.fromkeys(p, doubles)),
                ("scalars", [1.5] * k, {}), ("lists", [[1, 2, 3]] * k, {}), ("cast", [x] * k, dict(dtype=np.float64)),
                ("where", [x] * k, dict(where=True)), ("unknown", [x] * k, dict(unknown=1)),
                ("shapes", [x] * k, dict(out=(out[:2],) * f.nout)), ("strings", ["abc"] * k, {}),
                ("broadcast", [long, long[0]][2 - k:], {}), ("halves", [x.astype(np.float16)] * k, {}),
            ):
                yield f"{name} {kind} {label}", lambda f=f, args=args, kwargs=kwargs: f(*args, **kwargs)
    few = {"swiglu", "softmax", "logsumexp", "maxout", "crelu", "sparsemax", "apl", "rrelu", "prelu.parameter_backward",
           "srelu.parameter_backward", "prelu.parameter_backward arrays", "swiglu.backward", "apl.parameter_backward"}
    for name, call in test_state.calls(x.dtype, x):
        words = name.split()
        if words[0] == "default" and (words[1] in few or " ".join(words[1:]) in few):
            yield name, call
    yield "axis", lambda: actc.softmax(long, axis=0)
    yield "masked", lambda: actc.softmax(long, where=long > 2, empty="zero")
    yield "pieces", lambda: actc.maxout(long, 5, axis=1)
    yield "wrong axis", lambda: actc.softmax(long, axis=3)
    yield "wrong pieces", lambda: actc.maxout(long, 7)
    yield "wrong option", lambda: actc.softmax(long, empty="nothing")
    yield "wrong hinges", lambda: actc.apl(x, doubles, doubles[:2])
    yield "packed", lambda: actc.swiglu.packed(long)
    yield "layer", lambda: actc.maxout_layer(long, np.ones((3, 50, 2), F32), None)
    yield "views", lambda: actc.views.relu(x, out)
    yield "wrong views", lambda: actc.views.relu(x, out[:2])
    yield "use_isa", lambda: actc.use_isa(actc.isa())
    yield "wrong isa", lambda: actc.use_isa("nothing")
"""


def run_with(allocator: str, code: str) -> str:
    done = run_python(PATHS + code, check=False, LD_PRELOAD=allocator, PYTHONMALLOC="malloc")
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    assert not done.stderr, done.stderr[-4000:]
    return done.stdout


def test_no_block_leaks(allocator: str) -> None:
    """Every path, errors too, has as many blocks of memory in use after a call as before it."""
    tried = run_with(
        allocator,
        """
tried = 0
for label, call in paths():
    grown = []
    for _ in range(12):  # the first ones fill caches
        gc.collect()
        before = allocator.blocks_in_use()
        for _ in range(3):
            with contextlib.suppress(TypeError, ValueError):
                call()
        gc.collect()
        grown.append(allocator.blocks_in_use() - before)
    assert min(grown) < 3, (label, grown)
    tried += 1
kept = []
before = allocator.blocks_in_use()
kept.append(bytearray(1000))
assert allocator.blocks_in_use() > before  # the counter counts
print(tried)
""",
    )
    assert int(tried) > 100


def test_allocations_that_fail(allocator: str) -> None:
    """Whichever allocation of a call fails, alone or with all after it, the call ends in MemoryError or not at all
    wrong, and calls after it are as before. NumPy's own errors for want of memory are other ones now and then."""
    tried = run_with(
        allocator,
        """
# Not what NumPy's iterator does with buffers, nor its gufuncs: without memory they crash, np.vecdot(x, x, axis=0) too;
# nor list comprehensions of Cython 3.3, which free an item twice when the list cannot grow.
OURS = ("plain", "long", "out", "parameters", "arrays", "scalars", "unknown", "shapes", "strings", "halves", "softmax ",
        "logsumexp ", "sparsemax ", "swiglu", "rrelu ", "evaluation", "isa")
tried = failed = 0
def outcome(call):
    try:
        result = call()
    except (TypeError, ValueError) as error:
        return type(error)
    return [np.asarray(y).tobytes() for y in test_state.flat(result)] if result is not None else None
fail_at = allocator.fail_at
def attempt(call, at, count):  # a function, for a dictionary of names may want memory
    error = result = None
    try:
        fail_at(at, count)
        result = call()
    except BaseException as e:
        error = e
    while True:
        try:
            return error, result, fail_at(0, 0)
        except MemoryError:
            pass  # the last failure of several
for label, call in paths():
    if not label.endswith(OURS) or "parameter_backward" in label:
        continue
    wanted = outcome(call)
    for count in (1, 4):
        for at in range(1, 400):
            error, result, left = attempt(call, at, count)
            tried += 1
            if isinstance(error, MemoryError):
                failed += 1
            elif error is not None and not isinstance(wanted, type) and not isinstance(error, SystemError):
                raise AssertionError((label, at)) from error
            elif error is None:
                assert outcome(lambda: result) == wanted, (label, at)
            error = None
            assert outcome(call) == wanted, (label, at)
            if left > 0:
                break  # the call took fewer allocations than that
print(tried, failed)
""",
    )
    tried_, failed = map(int, tried.split())
    assert tried_ > 500 and failed > 200


# ---- large arrays ----

LARGE = 2**31 + 1003


def windows(count: int, itemsize: int, tail: int) -> np.ndarray:
    """An array of `count` elements on a sparse file in memory that is mapped over and over: it takes 32 MiB. Its last
    `tail` bytes are on pages of their own."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    read_write, shared, private, fixed, anonymous, no_reserve = 3, 1, 2, 0x10, 0x20, 0x4000
    window, page = 1 << 25, 4096
    size = -(-count * itemsize // page) * page
    file = os.memfd_create("windows")
    os.ftruncate(file, window + tail)
    base = libc.mmap(None, size, 0, private | anonymous | no_reserve, -1, 0)
    assert base not in (None, ctypes.c_void_p(-1).value), "no address space"
    for at in range(0, size - tail, window):
        length = min(window, size - tail - at)
        assert libc.mmap(base + at, length, read_write, shared | fixed, file, 0) == base + at
    assert libc.mmap(base + size - tail, tail, read_write, shared | fixed, file, window) == base + size - tail
    os.close(file)
    memory = (ctypes.c_char * (count * itemsize)).from_address(base)
    return np.frombuffer(memory, f"f{itemsize}")  # the mapping stays until the process ends


@pytest.mark.skipif(not hasattr(os, "memfd_create") or sys.maxsize < 2**40, reason="needs Linux with 64 bits")
def test_more_than_2_to_the_31_elements() -> None:
    """Lengths and positions are 64 bits wide: a ufunc on contiguous halves, rows, sums, and with everything wanted
    strided and staged ones; what comes last has its own value."""
    run_python(f"""
import numpy as np
import actc
from test_memory import windows
n, tail = {LARGE}, 1 << 16
x, y = windows(n, 2, tail), windows(n, 2, tail)
x[0], x[-3:] = 0.5, (-1, 3, 0.25)
actc.relu(x, out=y)
assert y[0] == 0.5 and y[-3:].tolist() == [0, 3, 0.25] and y[n - 2000] == 0
assert actc.maxout_index(x, n).tolist() == [n - 2]
if {FULL}:
    y[...] = 0
    actc.views.relu(x, y)
    assert y[-3:].tolist() == [0, 3, 0.25]
    actc.exact.gelu(x, out=y)
    assert y[-3:].tolist() == actc.exact.gelu(x[-3:]).tolist()
    actc.gelu.backward(x[::-1], x, out=y)
    assert y[-3:].tolist() == actc.gelu.backward(x[2::-1], x[-3:]).tolist()
    total = actc.logsumexp(x.reshape(1, -1))
    assert abs(float(total[0]) - np.log(n + np.exp(3.0))) < 0.02
    sums = actc.prelu.parameter_backward(np.broadcast_to(np.float16(1), n), x, 0.25)
    assert sums["alpha"] == -1
""")
