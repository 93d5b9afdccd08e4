"""What actc needs of NumPy's C API beyond what numpy.pxd declares."""

from cpython.object cimport PyObject
cimport numpy as cnp


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
    PyArray_DTypeMeta PyArray_PyFloatDType
    PyArray_DTypeMeta PyArray_PyLongDType
    PyArray_DTypeMeta *PyArray_CommonDType(PyArray_DTypeMeta *a, PyArray_DTypeMeta *b) except NULL

    ctypedef PyObject *(*vectorcallfunc)(PyObject *, PyObject *const *, size_t, PyObject *) noexcept
    ctypedef struct PyUFuncObject:
        int nin
        int nout
        int nargs
        const char *name
        void *data
        cnp.npy_uint32 *op_flags
        vectorcallfunc vectorcall
    ctypedef struct PyArrayObject:
        pass
    ctypedef struct PyArray_Descr:
        int type_num
    object PyUFunc_FromFuncAndDataAndSignature(void *func, void **data, char *types, int ntypes, int nin, int nout,
                                               int identity, const char *name, const char *doc, int unused,
                                               char *signature)
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


cdef inline void not_elementwise(PyUFuncObject *ufunc, int output) noexcept:
    """NumPy's flags of an output, but for NPY_ITER_OVERLAP_ASSUME_ELEMENTWISE: an input that it is will be copied."""
    ufunc.op_flags[output] = (cnp.NPY_ITER_WRITEONLY | cnp.NPY_ITER_ALIGNED | cnp.NPY_ITER_ALLOCATE
                              | cnp.NPY_ITER_NO_BROADCAST | cnp.NPY_ITER_NO_SUBTYPE | cnp.NPY_ITER_UPDATEIFCOPY)
