# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=True
"""What is in no table: the gufuncs of APL, whose hinges are arrays; RReLU and Philox, which have keys."""

cimport numpy as cnp
from cpython.object cimport PyObject
from cpython.pycapsule cimport PyCapsule_New
from cpython.ref cimport Py_INCREF
from libc.stdint cimport uint32_t, uint64_t
from actc.library cimport *
from actc.capi cimport *
from actc._core cimport common, dtype_of, follow_context

import numpy as np

from actc import _core

cdef extern from "Python.h":
    void PyErr_SetObject(PyObject *, PyObject *)
    Py_ssize_t PyVectorcall_NARGS(size_t)

cdef extern from "actc.h" nogil:
    int actc_rrelu_apply(actc_pass which, actc_dtype dtype, const void *const *inputs, void *const *outputs, size_t n,
                         double lower, double upper, uint64_t key, uint64_t first)
    void actc_philox4x32_10(const uint32_t *counter, const uint32_t *key, uint32_t *words, size_t count)

cnp.import_array()
cnp.import_umath()

ctypedef PyArray_DTypeMeta *DType

cdef enum:
    MOST = 6  # operands of one call
    FOR_A_THREAD = 8192  # elements at least

# ---- APL: (),(s),(s)->(), as `_core` makes the others --------------------------------------------------------------------

cdef dict computed_in = _core.promotions()
cdef object Float64 = type(np.dtype(np.float64))

# pass -> what a ufunc's `data` points to
cdef int which_of[<int>ACTC_PASS_COUNT]
PASSES = {
    "": (ACTC_FORWARD, "(),(s),(s)->()"),
    "derivative": (ACTC_DERIVATIVE, "(),(s),(s)->()"),
    "second_derivative": (ACTC_SECOND_DERIVATIVE, "(),(s),(s)->()"),
    "backward": (ACTC_BACKWARD, "(),(),(s),(s)->()"),
    "value_and_derivative": (ACTC_VALUE_AND_DERIVATIVE, "(),(s),(s)->(),()"),
    "parameter_sums": (ACTC_PARAMETER_BACKWARD, "(n),(n),(s),(s)->(s),(s)"),
}


cdef inline int pass_of(PyObject *ufunc) noexcept nogil:
    return (<int *>(<PyUFuncObject *>ufunc).data)[0]


cdef inline actc_dtype computed(PyArrayMethod_Context *context) noexcept nogil:
    return <actc_dtype>dtype_of((<PyArray_Descr *>context.descriptors[0]).type_num)


ctypedef struct hinged:
    actc_pass which
    actc_dtype dtype
    int operands
    char **data
    const Py_ssize_t *strides
    const Py_ssize_t *dimensions


cdef void elements_piece(void *context, size_t begin, size_t count) noexcept nogil:
    cdef hinged *p = <hinged *>context
    cdef char *here[MOST]
    cdef int k
    for k in range(p.operands):
        here[k] = p.data[k] + <Py_ssize_t>begin * p.strides[k]
    actc_apl_strided(p.which, p.dtype, here, p.strides, count, p.strides + p.operands, <size_t>p.dimensions[1])


cdef int elements(PyArrayMethod_Context *context, char **data, const Py_ssize_t *dimensions,
                  const Py_ssize_t *strides, void *unused) noexcept nogil:
    cdef hinged p
    p.which, p.dtype = <actc_pass>pass_of(context.caller), computed(context)
    p.operands, p.data, p.strides, p.dimensions = (<PyUFuncObject *>context.caller).nargs, data, strides, dimensions
    actc_parallel(elements_piece, &p, <size_t>dimensions[0], FOR_A_THREAD)
    return 0


cdef int sums(PyArrayMethod_Context *context, char **data, const Py_ssize_t *dimensions,
              const Py_ssize_t *strides, void *unused) noexcept nogil:
    """Each outer index is a call of its own: sums over n."""
    cdef char *here[MOST]
    cdef Py_ssize_t inner[MOST]
    cdef Py_ssize_t i
    cdef int k
    for k in range(MOST):
        inner[k] = strides[MOST + k] if k < 2 else 0
    for i in range(dimensions[0]):
        for k in range(MOST):
            here[k] = data[k] + i * strides[k]
        if actc_apl_strided(ACTC_PARAMETER_BACKWARD, computed(context), here, inner,
                            <size_t>dimensions[1], strides + MOST + 2, <size_t>dimensions[2]):
            return -1
    return 0


cdef int promoter(PyObject *ufunc, DType *given, DType *fixed, DType *chosen) noexcept:
    """x (and the gradient) choose the loop; hinges are float64 whatever they are given as."""
    cdef int operands = (<PyUFuncObject *>ufunc).nargs, which = pass_of(ufunc), i
    cdef int inputs = 2 if which in (ACTC_BACKWARD, ACTC_PARAMETER_BACKWARD) else 1
    try:
        found = None
        for i in range(operands):  # dtype= or signature=
            if fixed[i] != NULL and like_x(which, inputs, i):
                found = <object><PyObject *>fixed[i]
                break
        if found is None:
            found = <object><PyObject *>given[0]
            if inputs == 2:
                found = common(found, <object><PyObject *>given[1])
        found = computed_in.get(found)
        if found is None:
            return -1
        for i in range(operands):
            kind = found if like_x(which, inputs, i) else Float64
            if fixed[i] != NULL:
                kind = <object><PyObject *>fixed[i]
            Py_INCREF(kind)
            chosen[i] = <DType><PyObject *>kind
        return 0
    except TypeError:  # no common dtype: NumPy says so, with the ufunc's name
        return -1


cdef inline bint like_x(int which, int inputs, int operand) noexcept:
    return operand < inputs or (operand >= inputs + 2 and which != ACTC_PARAMETER_BACKWARD)


# a vectorcall whose NULL is an exception to Cython
ctypedef object (*call_of_object)(PyObject *, PyObject *const *, size_t, PyObject *)
cdef vectorcallfunc numpy_call = NULL  # the same for every ufunc


cdef PyObject *call(PyObject *ufunc, PyObject *const *args, size_t nargsf, PyObject *keywords) noexcept:
    """NumPy's own call, which knows no inputs by keyword."""
    cdef Py_ssize_t given = PyVectorcall_NARGS(nargsf), i
    follow_context()
    if keywords == NULL:
        return numpy_call(ufunc, args, nargsf, keywords)
    try:
        names = <tuple><object>keywords
        made = with_names(<object>ufunc, [<object>args[i] for i in range(given)],
                          {names[i]: <object>args[given + i] for i in range(len(names))})
        Py_INCREF(made)
        return <PyObject *>made
    except BaseException as error:
        kind = type(error)
        PyErr_SetObject(<PyObject *>kind, <PyObject *>error)
        return NULL


cdef object with_names(ufunc, list args, dict kwargs):
    cdef PyObject *stack[64]
    cdef Py_ssize_t i
    for i, name in enumerate("ab", ufunc.nin - 2):
        if name in kwargs and len(args) > i:
            raise TypeError(f"{ufunc.__name__}() got multiple values for argument '{name}'")
        if name in kwargs and len(args) == i:
            args.append(kwargs.pop(name))
    values = [*args, *kwargs.values()]
    if len(values) > 64:
        raise TypeError(f"{ufunc.__name__}() takes at most 64 arguments, not {len(values)}")
    for i in range(len(values)):
        stack[i] = <PyObject *>values[i]
    names = tuple(kwargs)
    return (<call_of_object>numpy_call)(<PyObject *>ufunc, stack, <size_t>len(args),
                                        <PyObject *>names if names else NULL)


_promoter = PyCapsule_New(<void *>promoter, b"numpy._ufunc_promoter", NULL)
_kept = []


def make_apl(str kind, bint exact):
    """The gufunc of one pass."""
    global numpy_call
    cdef DType dtypes[MOST]
    cdef PyType_Slot slots[2]
    cdef PyArrayMethod_Spec spec
    cdef int i, which, inputs, outputs, operands
    which, text = PASSES[kind]
    inputs, outputs = (text.split("->")[k].count("(") for k in (0, 1))
    operands = inputs + outputs
    which_of[which] = which
    name = (b"exact_" if exact else b"") + b"apl" + (b"_" + kind.encode() if kind else b"")
    signature = text.encode()
    _kept.append((name, signature))
    ufunc = PyUFunc_FromFuncAndDataAndSignature(
        NULL, NULL, NULL, 0, inputs, outputs, PyUFunc_None, name, NULL, 0, signature)
    (<PyUFuncObject *>ufunc).data = <void *>&which_of[which]
    for i in range(inputs, operands):
        not_elementwise(<PyUFuncObject *>ufunc, i)  # it may be the hinges, which all elements read
    slots[0].slot = NPY_METH_strided_loop
    slots[0].pfunc = <void *>sums if which == ACTC_PARAMETER_BACKWARD else <void *>elements
    slots[1].slot, slots[1].pfunc = 0, NULL
    spec.name, spec.nin, spec.nout = b"actc", inputs, outputs
    spec.casting, spec.flags = cnp.NPY_NO_CASTING, NPY_METH_NO_FLOATINGPOINT_ERRORS
    spec.dtypes, spec.slots = dtypes, slots
    for dtype in _core.DTYPES:
        for i in range(operands):
            dtypes[i] = <DType><PyObject *>(dtype if like_x(which, inputs - 2, i) else Float64)
        PyUFunc_AddLoopFromSpec(ufunc, &spec)
    PyUFunc_AddPromoter(ufunc, (np.dtype,) * operands, _promoter)
    _core.refuse_longdouble(ufunc, inputs - 2, 2)
    numpy_call = (<PyUFuncObject *>ufunc).vectorcall
    (<PyUFuncObject *>ufunc).vectorcall = call
    return ufunc


# ---- RReLU on contiguous arrays, and its generator -----------------------------------------------------------------------

cdef dict rrelu_passes = {"": <int>ACTC_FORWARD, "derivative": <int>ACTC_DERIVATIVE, "backward": <int>ACTC_BACKWARD}
DTYPES = {"float16": <int>ACTC_F16, "bfloat16": <int>ACTC_BF16, "float32": <int>ACTC_F32, "float64": <int>ACTC_F64}


ctypedef struct drawn:
    actc_pass which
    actc_dtype dtype
    const char *inputs[2]
    char *output
    int count
    size_t item
    double lower, upper
    uint64_t key, first


cdef void rrelu_piece(void *context, size_t begin, size_t count) noexcept nogil:
    cdef drawn *p = <drawn *>context
    cdef const void *inputs[2]
    cdef void *outputs[1]
    cdef int i
    for i in range(p.count):
        inputs[i] = p.inputs[i] + begin * p.item
    outputs[0] = p.output + begin * p.item
    actc_rrelu_apply(p.which, p.dtype, inputs, outputs, count, p.lower, p.upper, p.key, p.first + begin)


def rrelu(str which, int dtype, list arrays, cnp.ndarray out, double lower, double upper, uint64_t key, uint64_t first):
    """One pass over C-contiguous arrays of one dtype and size; out may be one of them. Whoever calls has checked them."""
    cdef drawn p
    cdef int i, a_pass = rrelu_passes[which]
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
