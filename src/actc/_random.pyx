# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=True
"""RReLU and Philox on contiguous arrays. Whoever calls has checked shapes, dtypes and bounds."""

import numpy as np

cimport numpy as cnp
from libc.stdint cimport uint32_t, uint64_t
from actc cimport *

cnp.import_array()

cdef extern from "actc.h" nogil:
    int actc_rrelu_apply(actc_pass which, actc_dtype dtype, const void *const *inputs, void *const *outputs, size_t n,
                         double lower, double upper, uint64_t key, uint64_t first)
    void actc_philox4x32_10(const uint32_t *counter, const uint32_t *key, uint32_t *words, size_t count)

PASSES = {"": ACTC_FORWARD, "derivative": ACTC_DERIVATIVE, "backward": ACTC_BACKWARD}
DTYPES = {"float16": ACTC_F16, "bfloat16": ACTC_BF16, "float32": ACTC_F32, "float64": ACTC_F64}


def rrelu(str which, bint exact, list arrays, cnp.ndarray out, double lower, double upper, uint64_t key,
          uint64_t first):
    """One pass over C-contiguous arrays of one dtype and size; out may be one of them."""
    cdef const void *inputs[2]
    cdef void *outputs[1]
    cdef int i, a_pass = PASSES[which] | (ACTC_EXACT if exact else 0), dtype = DTYPES[out.dtype.name]
    cdef size_t n = cnp.PyArray_SIZE(out)
    for i in range(len(arrays)):
        inputs[i] = cnp.PyArray_DATA(arrays[i])
    outputs[0] = cnp.PyArray_DATA(out)
    with nogil:
        actc_rrelu_apply(<actc_pass>a_pass, <actc_dtype>dtype, inputs, outputs, n, lower, upper, key, first)


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
