"""What actc needs of actc.h and of NumPy's C API beyond what numpy.pxd declares."""

from cpython.object cimport PyObject
from libc.stddef cimport size_t
cimport numpy as cnp


cdef extern from "actc.h" nogil:
    ctypedef struct actc_parameter:
        const char *name
        double default_value

    ctypedef struct actc_activation:
        size_t struct_size
        const char *name
        const char *unique_name
        size_t index
        size_t parameter_count
        const actc_parameter *parameters
        const char *formula
        const char *derivative
        const char *range
        const char *limits
        const char *kink
        const char *zeros
        const char *reference
        const char *elsewhere
        int exact_f64_is_paired

    enum actc_pass:
        ACTC_FORWARD
        ACTC_DERIVATIVE
        ACTC_BACKWARD
        ACTC_VALUE_AND_DERIVATIVE
        ACTC_PARAMETER_BACKWARD
        ACTC_PASS_COUNT
        ACTC_EXACT

    enum actc_dtype:
        ACTC_F16
        ACTC_BF16
        ACTC_F32
        ACTC_F64
        ACTC_DTYPE_COUNT

    const char *actc_version()
    const char *actc_isa()
    int actc_use_isa(const char *name)
    const char *actc_isa_at(size_t i)
    size_t actc_count()
    const actc_activation *actc_at(size_t index)
    const actc_activation *actc_find(const char *name)
    int actc_apply(const actc_activation *activation, actc_pass which, actc_dtype dtype,
                   const void *const *inputs, void *const *outputs, size_t n, const double *params)
    int actc_apply_strided(const actc_activation *activation, actc_pass which, actc_dtype dtype,
                           char **data, const Py_ssize_t *strides, size_t n)


cdef extern from *:
    """
    #include <numpy/arrayobject.h>
    #include <numpy/ufuncobject.h>
    #include <numpy/dtype_api.h>
    """
    ctypedef struct PyArray_DTypeMeta:
        pass
    ctypedef struct PyArrayMethod_Context:
        PyObject *caller
        PyObject **descriptors
    ctypedef struct PyArrayMethod_Spec:
        const char *name
        int nin
        int nout
        cnp.NPY_CASTING casting
        int flags
        PyArray_DTypeMeta **dtypes
        PyType_Slot *slots
    ctypedef struct PyType_Slot:
        int slot
        void *pfunc
    int NPY_METH_strided_loop
    int NPY_METH_NO_FLOATINGPOINT_ERRORS
    int PyUFunc_AddLoopFromSpec(object ufunc, PyArrayMethod_Spec *spec) except -1
    int PyUFunc_AddPromoter(object ufunc, object dtypes, object promoter) except -1
    PyArray_DTypeMeta *PyArray_CommonDType(PyArray_DTypeMeta *a, PyArray_DTypeMeta *b) except NULL

    ctypedef PyObject *(*vectorcallfunc)(PyObject *, PyObject *const *, size_t, PyObject *) noexcept
    ctypedef struct PyUFuncObject:
        int nin
        int nout
        int nargs
        void *data
        vectorcallfunc vectorcall
    ctypedef struct PyArrayObject:
        pass
    ctypedef struct PyArray_Descr:
        int type_num
    object PyUFunc_FromFuncAndDataAndSignature(void *func, void **data, char *types, int ntypes, int nin, int nout,
                                               int identity, const char *name, const char *doc, int unused,
                                               const char *signature)
    int PyUFunc_None

    int PyArray_CheckExact(PyObject *o)
    int PyArray_TYPE(PyArrayObject *a)
    int PyArray_NDIM(PyArrayObject *a)
    Py_ssize_t *PyArray_DIMS(PyArrayObject *a)
    Py_ssize_t PyArray_SIZE(PyArrayObject *a)
    void *PyArray_DATA(PyArrayObject *a)
    PyArray_Descr *PyArray_DESCR(PyArrayObject *a)
    int PyArray_ISCARRAY(PyArrayObject *a)
    int PyArray_ISCARRAY_RO(PyArrayObject *a)
    int PyArray_CompareLists(const Py_ssize_t *a, const Py_ssize_t *b, int n)
    PyObject *PyArray_NewFromDescr(void *subtype, PyArray_Descr *descr, int nd, const Py_ssize_t *dims,
                                   const Py_ssize_t *strides, void *data, int flags, PyObject *obj)
    void *PyArray_Type_address "(&PyArray_Type)"
