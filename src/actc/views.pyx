# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=True
"""The C loops on typed memoryviews: any contiguous buffer (array.array, mmap, shared_memory, ctypes, ndarray), no NumPy.

    views.gelu(x, y)                              y = f(x)
    views.gelu_derivative(x, d)                   d = f'(x)
    views.gelu_second_derivative(x, d2)           d2 = f''(x)
    views.gelu_backward(g, x, gx)                 gx = g f'(x)
    views.gelu_value_and_derivative(x, y, d)
    views.elu(x, y, alpha=0.5)                    parameters by keyword
    views.exact_gelu(x, y)                        the exact tier

Buffers hold C floats or doubles, or halves: float16 as such, bfloat16 as 16-bit integers with dtype="bfloat16". An
output may be an input; the GIL is released while the loop runs.
"""

import sys

from cpython.buffer cimport Py_buffer, PyBUF_READ, PyBUF_WRITE
from libc.stdint cimport uint16_t, uintptr_t
from actc cimport *
from actc._core cimport follow_context

cdef extern from "Python.h":
    Py_buffer *PyMemoryView_GET_BUFFER(object view)
    object PyMemoryView_FromMemory(char *address, Py_ssize_t size, int flags)

ctypedef fused item:
    float
    double
    uint16_t

cdef dict formats = {"f": ACTC_F32, "d": ACTC_F64, "e": ACTC_F16}
cdef dict named = {"float16": (ACTC_F16, "H"), "bfloat16": (ACTC_BF16, "H"), "float32": (ACTC_F32, "f"),
                   "float64": (ACTC_F64, "d")}
cdef dict passes = {"": ACTC_FORWARD, "_derivative": ACTC_DERIVATIVE, "_second_derivative": ACTC_SECOND_DERIVATIVE,
                    "_backward": ACTC_BACKWARD, "_value_and_derivative": ACTC_VALUE_AND_DERIVATIVE}
cdef tuple suffixes = tuple(passes)


cdef void run(const actc_activation *row, int which, int dtype, int inputs, const item[::1] a, const item[::1] b,
              item[::1] y, item[::1] d, const double *values) noexcept nogil:
    cdef const void *sources[2]
    cdef void *targets[2]
    sources[0], sources[1] = &a[0], &b[0]
    targets[0], targets[1] = &y[0], &d[0]
    actc_threads_apply(row, <actc_pass>which, <actc_dtype>dtype, sources, targets, <size_t>a.shape[0], values)


native = "<" if sys.byteorder == "little" else ">"


def format_of(view):
    """The format character of a buffer in native byte order, however it is spelt."""
    return view.format.lstrip("@=" + native)


cdef object bytes_of(view):
    """The same memory as one run of bytes, which memoryview.cast refuses for ctypes' spelling of formats."""
    cdef Py_buffer *buffer = PyMemoryView_GET_BUFFER(view)
    return PyMemoryView_FromMemory(<char *>buffer.buf, buffer.len, PyBUF_READ if view.readonly else PyBUF_WRITE)


cdef class View:
    """One function and pass over buffers; see the module's documentation."""
    cdef const actc_activation *row
    cdef int which, inputs, outputs
    cdef readonly str __name__
    cdef readonly dict parameters

    def __call__(self, *buffers, dtype=None, **parameters):
        cdef double values[4]
        cdef int code, i
        roles = (["g", "x"] if self.inputs == 2 else ["x"]) + (["y", "d"] if self.outputs == 2 else ["y"])
        if len(buffers) != len(roles):
            raise TypeError(f"{self.__name__}() takes {len(roles)} buffers ({', '.join(roles)}), {len(buffers)} given")
        for i, (name, default) in enumerate(self.parameters.items()):
            values[i] = parameters.pop(name, default)
        if parameters:
            valid = ", ".join(self.parameters) or "none"
            raise TypeError(f"{self.__name__}() has no parameter {next(iter(parameters))!r}; its parameters: {valid}")

        views = [memoryview(b) for b in buffers]
        for role, v in zip(roles, views, strict=True):
            if not v.c_contiguous:
                raise ValueError(f"{self.__name__}(): {role} is not C-contiguous")
        if dtype is None:
            given = [format_of(v) for v in views]
            if given[0] not in formats or any(f != given[0] for f in given):
                raise TypeError(f"{self.__name__}(): buffers must all hold floats ('f'), doubles ('d') or halves ('e'), "
                                f"not {', '.join(map(repr, given))}; name 16-bit integers by dtype='bfloat16' or 'float16'")
            code, target = formats[given[0]], "H" if given[0] == "e" else given[0]
        else:
            if dtype not in named:
                raise TypeError(f"{self.__name__}(): unknown dtype {dtype!r}; valid: {', '.join(named)}")
            code, target = named[dtype]
            for role, v in zip(roles, views, strict=True):
                if format_of(v) not in ({"H", "h", "e", "B", "b", "c"} if target == "H" else {target, "B", "b", "c"}):
                    raise TypeError(f"{self.__name__}(): {role} holds {v.format!r}, which is not {dtype}")
        lengths = {role: v.nbytes for role, v in zip(roles, views, strict=True)}
        if len(set(lengths.values())) > 1:
            sizes = ", ".join(f"{role} {n}" for role, n in lengths.items())
            raise ValueError(f"{self.__name__}(): buffers differ in size (bytes): {sizes}")
        for role, v in zip(roles[self.inputs:], views[self.inputs:], strict=True):
            if v.readonly:
                raise ValueError(f"{self.__name__}(): {role} is read-only")
        if views[0].nbytes == 0:
            return
        self.check_overlap(roles, views)
        follow_context()
        flat = [bytes_of(v).cast(target) for v in views]
        a, b = flat[0], flat[self.inputs - 1]
        y, d = flat[self.inputs], flat[len(flat) - 1]
        if target == "f":
            self.run_float(code, a, b, y, d, values)
        elif target == "d":
            self.run_double(code, a, b, y, d, values)
        else:
            self.run_half(code, a, b, y, d, values)

    cdef check_overlap(self, list roles, list views):
        cdef uintptr_t p, q, size = views[0].nbytes
        for i in range(self.inputs, len(views)):
            p = <uintptr_t>PyMemoryView_GET_BUFFER(views[i]).buf
            for k in range(i):
                q = <uintptr_t>PyMemoryView_GET_BUFFER(views[k]).buf
                if (p != q or k >= self.inputs) and p < q + size and q < p + size:
                    raise ValueError(f"{self.__name__}(): {roles[i]} and {roles[k]} overlap, and are not the same buffer")

    cdef run_float(self, int code, const float[::1] a, const float[::1] b, float[::1] y, float[::1] d, double *values):
        with nogil:
            run[float](self.row, self.which, code, self.inputs, a, b, y, d, values)

    cdef run_double(self, int code, const double[::1] a, const double[::1] b, double[::1] y, double[::1] d,
                    double *values):
        with nogil:
            run[double](self.row, self.which, code, self.inputs, a, b, y, d, values)

    cdef run_half(self, int code, const uint16_t[::1] a, const uint16_t[::1] b, uint16_t[::1] y, uint16_t[::1] d,
                  double *values):
        with nogil:
            run[uint16_t](self.row, self.which, code, self.inputs, a, b, y, d, values)

    def __repr__(self):
        return f"<actc.views.{self.__name__}>"


cdef View make(size_t index, int which, str suffix, bint exact):
    cdef View view = View.__new__(View)
    view.row = actc_at(index)
    view.which = which | (<int>ACTC_EXACT if exact else 0)
    view.inputs = 2 if which == ACTC_BACKWARD else 1
    view.outputs = 2 if which == ACTC_VALUE_AND_DERIVATIVE else 1
    view.__name__ = ("exact_" if exact else "") + view.row.name.decode() + suffix
    view.parameters = {view.row.parameters[i].name.decode(): view.row.parameters[i].default_value
                       for i in range(view.row.parameter_count)}
    return view


functions = {}
for _index in range(actc_count()):
    for _suffix, _which in passes.items():
        for _exact in (False, True):
            _view = make(_index, _which, _suffix, _exact)
            functions[_view.__name__] = _view
globals().update(functions)


def __getattr__(name):
    valid = ", ".join(n for n in functions if not n.startswith("exact_") and not n.endswith(suffixes[1:]))
    raise AttributeError(f"actc.views has no function {name!r}; it has, with the suffixes {', '.join(suffixes[1:])} "
                         f"and the prefix exact_: {valid}")
