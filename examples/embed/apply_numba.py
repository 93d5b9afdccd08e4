"""A function chosen by name, over a file of raw float32: first f, then f', correctly rounded. From compiled code.

python apply_numba.py NAME INPUT OUTPUT libactc.so
"""

import ctypes
import sys

import numpy as np
from numba import njit

VALUE_AND_DERIVATIVE, EXACT, F32 = 3, 256, 2

name, source, target, library = sys.argv[1:]
actc = ctypes.CDLL(library)
actc.actc_find.restype = ctypes.c_void_p
actc.actc_find.argtypes = [ctypes.c_char_p]
actc_apply = actc.actc_apply
actc_apply.argtypes = [
    ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_size_t,
]  # fmt: skip  # to numba, addresses are integers

row = actc.actc_find(name.encode())
if not row:
    sys.exit(f"{name}: no such function")


@njit
def value_and_derivative(row, x, y, d):
    inputs = np.array([x.ctypes.data])
    outputs = np.array([y.ctypes.data, d.ctypes.data])
    pass_ = VALUE_AND_DERIVATIVE | EXACT
    return actc_apply(row, pass_, F32, inputs.ctypes.data, outputs.ctypes.data, x.size, 0)


x = np.fromfile(source, np.float32)
y, d = np.empty_like(x), np.empty_like(x)
if value_and_derivative(row, x, y, d):
    sys.exit("no such pass")
np.concatenate([y, d]).tofile(target)
