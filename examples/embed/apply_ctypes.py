"""A function chosen by name, over a file of raw float32: first f, then f', correctly rounded. Nothing but ctypes.

python apply_ctypes.py NAME INPUT OUTPUT libactc.so
"""

import ctypes
import sys
from array import array
from pathlib import Path

VALUE_AND_DERIVATIVE, EXACT, F32 = 3, 256, 2

name, source, target, library = sys.argv[1:]
actc = ctypes.CDLL(library)
actc.actc_find.restype = ctypes.c_void_p
actc.actc_find.argtypes = [ctypes.c_char_p]
pointers = ctypes.POINTER(ctypes.c_void_p)
actc.actc_apply.argtypes = [
    ctypes.c_void_p, ctypes.c_int, ctypes.c_int, pointers, pointers, ctypes.c_size_t, ctypes.c_void_p,
]  # fmt: skip

row = actc.actc_find(name.encode())
if not row:
    sys.exit(f"{name}: no such function")

x = array("f", Path(source).read_bytes())
y, d = array("f", x), array("f", x)


into = (ctypes.c_void_p * 1)(x.buffer_info()[0])
out = (ctypes.c_void_p * 2)(y.buffer_info()[0], d.buffer_info()[0])
if actc.actc_apply(row, VALUE_AND_DERIVATIVE | EXACT, F32, into, out, len(x), None):
    sys.exit("no such pass")
Path(target).write_bytes(y.tobytes() + d.tobytes())
