"""A function chosen by name, over a file of raw float32: first f, then f', correctly rounded. By cffi in ABI mode.

python apply_cffi.py NAME INPUT OUTPUT libactc.so
"""

import sys
from pathlib import Path

from cffi import FFI

VALUE_AND_DERIVATIVE, EXACT, F32 = 3, 256, 2

name, source, target, library = sys.argv[1:]
ffi = FFI()
ffi.cdef("""
    typedef struct actc_activation actc_activation;
    const actc_activation *actc_find(const char *name);
    int actc_apply(const actc_activation *row, int pass, int dtype, const void *const *in, void *const *out, size_t n,
                   const double *parameters);
""")
actc = ffi.dlopen(library)

row = actc.actc_find(name.encode())
if not row:
    sys.exit(f"{name}: no such function")

raw = Path(source).read_bytes()
n = len(raw) // 4
x = ffi.from_buffer(raw)
both = ffi.new("float[]", 2 * n)
pass_ = VALUE_AND_DERIVATIVE | EXACT
if actc.actc_apply(row, pass_, F32, ffi.new("void *[]", [x]), ffi.new("void *[]", [both, both + n]), n, ffi.NULL):
    sys.exit("no such pass")
Path(target).write_bytes(ffi.buffer(both)[:])
