"""actc.views: the loops on buffers of any kind, bit for bit those of the ufuncs."""

from __future__ import annotations

import array
import ctypes
import mmap
import threading
from multiprocessing import shared_memory

import numpy as np
import pytest

import actc
from actc import views

X = np.concatenate([np.linspace(-9, 9, 301), [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-42, 1e38]])
DTYPES = {"float16": np.float16, "float32": np.float32, "float64": np.float64}


def same_bits(a, b):
    return a.tobytes() == np.asarray(b).tobytes()


@pytest.mark.parametrize("width", DTYPES)
@pytest.mark.parametrize("name", sorted(views.functions))
def test_same_bits_as_the_ufunc(name, width):
    ufunc = getattr(actc, name)
    with np.errstate(over="ignore"):
        x = X.astype(DTYPES[width])
    inputs = [x[::-1].copy(), x] if ufunc.__name__.endswith("_backward") else [x]
    outputs = [np.full_like(x, 7) for _ in range(ufunc.nout)]
    views.functions[name](*inputs, *outputs)
    want = ufunc(*inputs)
    for got, expected in zip(outputs, want if ufunc.nout == 2 else [want], strict=True):
        assert same_bits(got, expected)


def test_bfloat16_is_named_by_dtype():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    with np.errstate(over="ignore"):
        x = X.astype(ml_dtypes.bfloat16)
    for name in actc.elementwise:
        y = np.zeros(x.shape, np.uint16)
        getattr(views, name)(x.view(np.uint16), y, dtype="bfloat16")
        assert same_bits(y, actc.elementwise[name](x))


def test_every_kind_of_buffer():
    x = np.linspace(-3, 3, 16, dtype=np.float32)
    want = actc.silu(x)
    flat = array.array("f", x)
    ctype = (ctypes.c_float * 16)(*x)
    block = shared_memory.SharedMemory(create=True, size=64)
    page = mmap.mmap(-1, 64)
    try:
        page[:64] = x.tobytes()
        block.buf[:64] = x.tobytes()
        for source in (flat, ctype, memoryview(block.buf)[:64].cast("f"), memoryview(page).cast("f"), x.reshape(4, 4)):
            target = np.zeros(np.shape(source), np.float32)
            views.silu(source, target)
            assert same_bits(target.ravel(), want)
            del source
    finally:
        block.close()
        block.unlink()


def test_in_place_parameters_and_empty():
    x = array.array("d", [-1.0, 0.5])
    views.elu(x, x, alpha=2.0)
    assert x.tolist() == actc.elu(np.array([-1.0, 0.5]), 2.0).tolist()
    assert views.elu.parameters == {"alpha": 1.0}
    views.gelu(array.array("f"), array.array("f"))


def test_runs_without_the_gil():
    x = np.zeros(1 << 22, np.float64)
    y = np.empty_like(x)
    counted = 0
    thread = threading.Thread(target=lambda: [views.exact_gelu(x, y) for _ in range(3)])
    thread.start()
    while thread.is_alive():
        counted += 1
    thread.join()
    assert counted > 1000  # a loop that held the GIL would leave time for a handful of switches


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x, y: views.gelu(x, y[:2]), ValueError, "x 12, y 8"),
        (lambda x, y: views.gelu(x, bytes(y)), TypeError, "'B'"),
        (lambda x, y: views.gelu(x, memoryview(bytes(y)).cast("f")), ValueError, "y is read-only"),
        (lambda x, y: views.gelu(x, array.array("d", y)), TypeError, "'f', 'd'"),
        (lambda x, y: views.gelu(x), TypeError, r"takes 2 buffers \(x, y\), 1 given"),
        (lambda x, y: views.gelu(x, y, alpha=1.0), TypeError, "no parameter 'alpha'"),
        (lambda x, y: views.elu(x, y, alpha="a"), TypeError, "real number|float"),
        (lambda x, y: views.gelu(x, y, dtype="float8"), TypeError, "valid: float16, bfloat16"),
        (lambda x, y: views.gelu(memoryview(x)[::2], y), ValueError, "x is not C-contiguous"),
        (lambda x, y: views.gelu(memoryview(x)[:2], memoryview(x)[1:]), ValueError, "overlap"),
        (lambda x, y: views.gelu_value_and_derivative(x, y, y), ValueError, "overlap"),
        (lambda x, y: views.gleu(x, y), AttributeError, "sigmoid"),
        (lambda x, y: views.gelu(1.5, y), TypeError, "bytes-like"),
        (lambda x, y: views.gelu(x, 1.5), TypeError, "bytes-like"),
        (lambda x, y: views.gelu(bytes(6), bytearray(6), dtype="float32"), ValueError, "6 bytes do not hold whole"),
        (lambda x, y: views.gelu(x, y, dtype="float16"), TypeError, "x holds 'f', which is not float16"),
        (lambda x, y: views.gelu(np.array(x, ">f4"), y), TypeError, "'>f'"),
    ],
)
def test_bad_input_names_what_is_wrong_and_writes_nothing(call, error, words):
    x, y = array.array("f", [1, 2, 3]), array.array("f", [7, 7, 7])
    with pytest.raises(error, match=words):
        call(x, y)
    assert x.tolist() == [1, 2, 3] and y.tolist() == [7, 7, 7]
    x.append(4)  # refused to an array whose memory somebody holds
    y.append(4)
