# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=True
"""RReLU and Philox on contiguous arrays. Whoever calls has checked shapes, dtypes and bounds."""

import numpy as np

cimport numpy as cnp
from libc.stdint cimport uint32_t, uint64_t
from actc cimport *
from actc._core cimport follow_context

cnp.import_array()

cdef extern from "actc.h" nogil:
    int actc_rrelu_apply(actc_pass which, actc_dtype dtype, const void *const *inputs, void *const *outputs, size_t n,
                         double lower, double upper, uint64_t key, uint64_t first)
    void actc_philox4x32_10(const uint32_t *counter, const uint32_t *key, uint32_t *words, size_t count)

cdef enum:
    FOR_A_THREAD = 8192  # elements at least

cdef dict passes = {"": <int>ACTC_FORWARD, "derivative": <int>ACTC_DERIVATIVE, "backward": <int>ACTC_BACKWARD}
DTYPES = {"float16": <int>ACTC_F16, "bfloat16": <int>ACTC_BF16, "float32": <int>ACTC_F32, "float64": <int>ACTC_F64}


ctypedef struct piece:
    actc_pass which
    actc_dtype dtype
    const char *inputs[2]
    char *output
    int count
    size_t item
    double lower, upper
    uint64_t key, first


cdef void rrelu_piece(void *context, size_t begin, size_t count) noexcept nogil:
    cdef piece *p = <piece *>context
    cdef const void *inputs[2]
    cdef void *outputs[1]
    cdef int i
    for i in range(p.count):
        inputs[i] = p.inputs[i] + begin * p.item
    outputs[0] = p.output + begin * p.item
    actc_rrelu_apply(p.which, p.dtype, inputs, outputs, count, p.lower, p.upper, p.key, p.first + begin)


def rrelu(str which, int dtype, list arrays, cnp.ndarray out, double lower, double upper, uint64_t key, uint64_t first):
    """One pass over C-contiguous arrays of one dtype and size; out may be one of them."""
    cdef piece p
    cdef int i, a_pass = passes[which]
    cdef size_t n = cnp.PyArray_SIZE(out)
    p.which, p.dtype, p.item, p.count = <actc_pass>a_pass, <actc_dtype>dtype, out.itemsize, len(arrays)
    p.lower, p.upper, p.key, p.first = lower, upper, key, first
    for i in range(p.count):
        p.inputs[i] = <const char *>cnp.PyArray_DATA(arrays[i])
    p.output = <char *>cnp.PyArray_DATA(out)
    follow_context()
    with nogil:
        actc_parallel(rrelu_piece, &p, n, FOR_A_THREAD)


def philox(counter, key, size_t count):
    """The words of `count` counters as a (count, 4) array; counter and key are integers of 128 and 64 bits."""
    cdef uint32_t[4] c
    cdef uint32_t[2] k
    cdef int i
    for i in range(4):
        c[i] = counter >> 32 * i & 0xFFFFFFFF
    for i in range(2):
        k[i] = key >> 32 * i & 0xFFFFFFFF
    cdef cnp.ndarray words = np.empty((count, 4), np.uint32)
    actc_philox4x32_10(c, k, <uint32_t *>cnp.PyArray_DATA(words), count)
    return words
