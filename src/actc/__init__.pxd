"""`cimport actc`: the C library for nogil code. See actc.h for the contract.

    cimport actc
    cdef const actc.actc_activation *gelu = actc.actc_find(b"gelu")
    actc.apply_f32(gelu, x, y)      # typed memoryviews, float[::1]

Compile with include_dirs=[actc.get_include()], library_dirs=[actc.get_library_dir()], libraries=["actc"] and a run path
to that directory. A flat symbol is one declaration away:

    cdef extern from "actc.h" nogil:
        void actc_gelu_f32(const float *x, float *y, size_t n)
"""

from actc.library cimport *


cdef inline int apply_f32(const actc_activation *f, const float[::1] x, float[::1] y,
                          const double *params=NULL) noexcept nogil:
    """y = f(x); 0, or -1 where the lengths differ. params: parameter_count doubles, or NULL for the defaults."""
    cdef const void *inputs[1]
    cdef void *outputs[1]
    if x.shape[0] != y.shape[0]:
        return -1
    if x.shape[0] == 0:
        return 0
    inputs[0], outputs[0] = &x[0], &y[0]
    return actc_apply(f, ACTC_FORWARD, ACTC_F32, inputs, outputs, <size_t>x.shape[0], params)


cdef inline int apply_f64(const actc_activation *f, const double[::1] x, double[::1] y,
                          const double *params=NULL) noexcept nogil:
    cdef const void *inputs[1]
    cdef void *outputs[1]
    if x.shape[0] != y.shape[0]:
        return -1
    if x.shape[0] == 0:
        return 0
    inputs[0], outputs[0] = &x[0], &y[0]
    return actc_apply(f, ACTC_FORWARD, ACTC_F64, inputs, outputs, <size_t>x.shape[0], params)
