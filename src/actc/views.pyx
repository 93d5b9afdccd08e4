# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=True
"""The C loops on any contiguous buffer (array.array, mmap, shared_memory, ctypes, memoryview, ndarray), without NumPy.

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

from cpython.buffer cimport (
    Py_buffer, PyBUF_FULL_RO, PyBuffer_IsContiguous, PyBuffer_Release, PyObject_GetBuffer,
)
from libc.stdint cimport uintptr_t
from actc.library cimport *
from actc._core cimport follow_context

cdef dict formats = {"f": ACTC_F32, "d": ACTC_F64, "e": ACTC_F16}
cdef frozenset bytes_ = frozenset("Bbc"), halves = frozenset("HheBbc")
cdef dict named = {"float16": (ACTC_F16, halves), "bfloat16": (ACTC_BF16, halves), "float32": (ACTC_F32, bytes_ | {"f"}),
                   "float64": (ACTC_F64, bytes_ | {"d"})}
cdef dict passes = {"": ACTC_FORWARD, "_derivative": ACTC_DERIVATIVE, "_second_derivative": ACTC_SECOND_DERIVATIVE,
                    "_backward": ACTC_BACKWARD, "_value_and_derivative": ACTC_VALUE_AND_DERIVATIVE}
cdef tuple suffixes = tuple(passes)


# Buffers are taken as they are: through typed memoryviews a call took eight times as long (4.1 us, now 0.5), and a quarter
# more than that in the limited API. Cython code that has typed memoryviews calls actc/__init__.pxd.
cdef str native = "<" if sys.byteorder == "little" else ">"


cdef str format_of(const Py_buffer *buffer):
    """The format of a buffer, without what says that its byte order is the native one."""
    return "B" if buffer.format == NULL else buffer.format.decode().lstrip("@=" + native)


cdef class View:
    """One function and pass over buffers; see the module's documentation."""
    cdef const actc_activation *row
    cdef int which, inputs
    cdef tuple roles
    cdef readonly str __name__
    cdef readonly dict parameters

    def __call__(self, *buffers, dtype=None, **parameters):
        cdef double values[4]
        cdef Py_buffer held[4]
        cdef int i, count = len(self.roles), taken = 0
        if len(buffers) != count:
            raise TypeError(f"{self.__name__}() takes {count} buffers ({', '.join(self.roles)}), {len(buffers)} given")
        for i, (name, default) in enumerate(self.parameters.items()):
            values[i] = parameters.pop(name, default)
        if parameters:
            valid = ", ".join(self.parameters) or "none"
            raise TypeError(f"{self.__name__}() has no parameter {next(iter(parameters))!r}; its parameters: {valid}")
        try:
            while taken < count:
                PyObject_GetBuffer(buffers[taken], &held[taken], PyBUF_FULL_RO)
                taken += 1
            self.run(held, count, dtype, values)
        finally:
            for i in range(taken):
                PyBuffer_Release(&held[i])

    cdef run(self, const Py_buffer *held, int count, dtype, const double *values):
        """The buffers are what they should be, or nothing is written."""
        cdef int i, code = self.type_of(held, count, dtype)
        cdef const void *sources[2]
        cdef void *targets[2]
        cdef size_t length = held[0].len, size = 8 if code == ACTC_F64 else 4 if code == ACTC_F32 else 2
        for i in range(count):
            if <size_t>held[i].len != length:
                sizes = ", ".join([f"{role} {held[k].len}" for k, role in enumerate(self.roles)])
                raise ValueError(f"{self.__name__}(): buffers differ in size (bytes): {sizes}")
            if i >= self.inputs and held[i].readonly:
                raise ValueError(f"{self.__name__}(): {self.roles[i]} is read-only")
        if length % size:
            raise ValueError(f"{self.__name__}(): buffers of {length} bytes do not hold whole elements of {size}")
        if length == 0:
            return
        self.check_overlap(held, count)
        follow_context()
        sources[0], sources[1] = held[0].buf, held[self.inputs - 1].buf
        targets[0], targets[1] = held[self.inputs].buf, held[count - 1].buf
        with nogil:
            actc_threads_apply(self.row, <actc_pass>self.which, <actc_dtype>code, sources, targets, length // size, values)

    cdef int type_of(self, const Py_buffer *held, int count, dtype) except -1:
        """The type that the buffers hold, or are said to hold."""
        cdef int i
        cdef list given = []
        for i in range(count):
            if not PyBuffer_IsContiguous(&held[i], b"C"):
                raise ValueError(f"{self.__name__}(): {self.roles[i]} is not C-contiguous")
            given.append(format_of(&held[i]))
        if dtype is None:
            if given[0] not in formats or given.count(given[0]) != count:
                raise TypeError(f"{self.__name__}(): buffers must all hold floats ('f'), doubles ('d') or halves ('e'), "
                                f"not {', '.join(map(repr, given))}; name 16-bit integers by dtype='bfloat16' or 'float16'")
            return formats[given[0]]
        if dtype not in named:
            raise TypeError(f"{self.__name__}(): unknown dtype {dtype!r}; valid: {', '.join(named)}")
        code, valid = named[dtype]
        for i in range(count):
            if given[i] not in valid:
                raise TypeError(f"{self.__name__}(): {self.roles[i]} holds {given[i]!r}, which is not {dtype}")
        return code

    cdef check_overlap(self, const Py_buffer *held, int count):
        cdef uintptr_t p, q, size = held[0].len
        cdef int i, k
        for i in range(self.inputs, count):
            p = <uintptr_t>held[i].buf
            for k in range(i):
                q = <uintptr_t>held[k].buf
                if (p != q or k >= self.inputs) and p < q + size and q < p + size:
                    raise ValueError(f"{self.__name__}(): {self.roles[i]} and {self.roles[k]} overlap, "
                                     "and are not the same buffer")

    def __repr__(self):
        return f"<actc.views.{self.__name__}>"


cdef View make(size_t index, int which, str suffix, bint exact):
    cdef View view = View.__new__(View)
    view.row = actc_at(index)
    view.which = which | (<int>ACTC_EXACT if exact else 0)
    view.inputs = 2 if which == ACTC_BACKWARD else 1
    view.roles = (("g", "x") if view.inputs == 2 else ("x",)) + (
        ("y", "d") if which == ACTC_VALUE_AND_DERIVATIVE else ("y",))
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
