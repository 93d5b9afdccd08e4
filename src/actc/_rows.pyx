# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=True
"""NumPy gufuncs made by walking the C table of row functions; `_core` explains the pattern.

NumPy's gufuncs have axis=, axes=, out=, dtype= and, for one number a row, keepdims=. What they have not is added by
`call`, set as each gufunc's vectorcall: default and keyword parameters, axis= where a row changes its length,
where= and empty=, and rows that are groups of neighbours. Contiguous arrays go straight to the kernels.
"""

import os
import sys
import types

import numpy as np

cimport numpy as cnp
from cpython.object cimport PyObject
from cpython.pycapsule cimport PyCapsule_New
from cpython.ref cimport Py_INCREF
from cpython.mem cimport PyMem_Calloc
from actc.library cimport *
from actc.capi cimport *
from actc._core cimport common, dtype_of, follow_context

from actc import _core

cdef extern from *:
    """
    typedef int (*core_dimensions)(struct _tagPyUFuncObject *, npy_intp *);
    """
    ctypedef int (*core_dimensions)(PyUFuncObject *, Py_ssize_t *) noexcept
    ctypedef struct GeneralisedUFunc "PyUFuncObject":
        core_dimensions process_core_dims_func

cdef extern from "Python.h":
    PyObject *PyErr_Occurred()
    void Py_INCREF_pointer "Py_INCREF" (PyObject *)
    int PyTuple_CheckExact(PyObject *)
    PyObject *PyTuple_GET_ITEM(PyObject *, Py_ssize_t)
    Py_ssize_t PyTuple_GET_SIZE(PyObject *)
    Py_ssize_t PyVectorcall_NARGS(size_t)
    int PyUnicode_Compare(PyObject *, PyObject *)
    int PyFloat_Check(PyObject *)
    int PyLong_CheckExact(PyObject *)
    double PyFloat_AS_DOUBLE(PyObject *)
    Py_ssize_t PyLong_AsSsize_t(PyObject *)
    void PyErr_Clear()
    void PyErr_SetObject(PyObject *, PyObject *)
    PyObject *PyErr_Format(PyObject *, const char *, ...)
    PyObject *PyExc_ValueError
    PyObject *Py_None

cnp.import_array()
cnp.import_umath()

cdef enum:
    MOST = 8  # operands of one call: two inputs, four parameters, two outputs
    GIL_RELEASED_ABOVE = 500

ctypedef PyArray_DTypeMeta *DType

cdef int fast_calls = not os.environ.get("ACTC_PLAIN_UFUNC")
cdef dict computed_in = _core.promotions()
cdef object Float64 = type(np.dtype(np.float64))

# a vectorcall whose NULL is an exception to Cython
ctypedef object (*call_of_object)(PyObject *, PyObject *const *, size_t, PyObject *)

# What a gufunc is: it travels in the `data` field that NumPy keeps for its maker.
ctypedef struct operation:
    const actc_row *row
    actc_pass which
    int inputs, parameters, outputs
    bint is_one[MOST]      # operands with one element a row
    PyObject *names[4]     # interned parameter names
    PyObject *description  # the Python object of the table's row
    double values[4]
    vectorcallfunc numpy_call


cdef inline operation *operation_of(PyObject *ufunc) noexcept nogil:
    return <operation *>(<PyUFuncObject *>ufunc).data


# ---- loops -----------------------------------------------------------------------------------------------------------

cdef int row_loop(PyArrayMethod_Context *context, char **data, const Py_ssize_t *dimensions,
                  const Py_ssize_t *strides, void *unused) noexcept nogil:
    cdef operation *op = operation_of(context.caller)
    cdef int dtype = dtype_of((<PyArray_Descr *>context.descriptors[0]).type_num)
    cdef int operands = op.inputs + op.parameters + op.outputs, k, core = operands
    cdef Py_ssize_t inner[MOST]
    cdef bint doubled_first = op.row.shape == ACTC_DOUBLED and op.inputs == 2
    for k in range(operands):
        inner[k] = 0
        if not (op.is_one[k] or op.inputs <= k < op.inputs + op.parameters):
            inner[k] = strides[core]
            core += 1
    return actc_threads_apply_rows(op.row, op.which, <actc_dtype>dtype, data, strides, inner, <size_t>dimensions[0],
                                   <size_t>dimensions[2 if doubled_first else 1])


cdef int twice(PyUFuncObject *ufunc, Py_ssize_t *sizes) noexcept with gil:
    """The core dimensions of a doubled row: (n)->(m), (n)->(m),(m) or (m),(n)->(n) with m = 2n."""
    cdef operation *op = <operation *>ufunc.data
    cdef int n = 1 if op.inputs == 2 else 0
    if sizes[1 - n] == -1:
        sizes[1 - n] = 2 * sizes[n]
    if sizes[1 - n] != 2 * sizes[n]:
        PyErr_Format(PyExc_ValueError, b"%s: rows of %zd elements go with rows of %zd, not of %zd", op.row.name,
                     sizes[n], 2 * sizes[n], sizes[1 - n])
        return -1
    return 0


cdef int promoter(PyObject *ufunc, DType *given, DType *fixed, DType *chosen) noexcept:
    """x and the gradient choose the loop; parameters are float64 whatever they are given as."""
    cdef operation *op = operation_of(ufunc)
    cdef int operands = op.inputs + op.parameters + op.outputs, i
    cdef PyObject *wanted = NULL
    try:
        for i in range(operands):  # dtype= or signature=
            if fixed[i] != NULL and not op.inputs <= i < op.inputs + op.parameters:
                wanted = <PyObject *>fixed[i]
                break
        if wanted != NULL:
            found = <object>wanted
        else:
            found = <object><PyObject *>given[0]
            if op.inputs == 2:
                found = common(found, <object><PyObject *>given[1])
        found = computed_in.get(found)
        if found is None:
            return -1
        for i in range(operands):
            which = Float64 if op.inputs <= i < op.inputs + op.parameters else found
            if fixed[i] != NULL:
                which = <object><PyObject *>fixed[i]
            Py_INCREF(which)
            chosen[i] = <DType><PyObject *>which
        return 0
    except TypeError:  # no common dtype: NumPy says so, with the ufunc's name
        return -1


# ---- calls -------------------------------------------------------------------------------------------------------------

cdef inline bint is_named(PyObject *key, object name) noexcept:
    return key == <PyObject *>name or PyUnicode_Compare(key, <PyObject *>name) == 0


cdef object _axis = "axis", _out = "out"


cdef void run_planes(operation *op, int dtype, char **data, const Py_ssize_t *outer, const Py_ssize_t *inner,
                     Py_ssize_t rows, Py_ssize_t length, Py_ssize_t planes) noexcept nogil:
    """Rows along an axis with others before it: a plane for each index of those."""
    cdef Py_ssize_t _i
    cdef int k, first_out = op.inputs + op.parameters
    for _i in range(planes):
        actc_threads_apply_rows(op.row, op.which, <actc_dtype>dtype, data, outer, inner, <size_t>rows, <size_t>length)
        for k in range(first_out + 1):
            if not op.inputs <= k < first_out:
                data[k] += length * inner[k]


cdef PyObject *run_directly(operation *op, PyObject **operand, const double *values, Py_ssize_t axis) noexcept:
    """Contiguous arrays of one dtype, for one number a row along the last axis: NULL without an error otherwise."""
    cdef PyArrayObject *x = <PyArrayObject *>operand[op.inputs - 1]
    cdef PyArrayObject *a
    cdef PyObject *y
    cdef char *data[MOST]
    cdef Py_ssize_t outer[MOST]
    cdef Py_ssize_t inner[MOST]
    cdef Py_ssize_t n, length, size, rows, planes, after = 1, i
    cdef int k, ndim, dtype, first_out = op.inputs + op.parameters
    cdef PyArray_Descr *descriptor
    ndim = PyArray_NDIM(x) if PyArray_CheckExact(<PyObject *>x) else 0
    if ndim == 0 or op.row.shape == ACTC_DOUBLED or op.row.grouped:
        return NULL
    if ndim == 1 and op.is_one[first_out]:
        return NULL  # a scalar
    dtype = dtype_of(PyArray_TYPE(x))
    if dtype < 0 or not PyArray_ISCARRAY_RO(x):
        return NULL
    axis = axis + ndim if axis < 0 else axis
    if not 0 <= axis < ndim:
        return NULL
    n, length = PyArray_SIZE(x), PyArray_DIMS(x)[axis]
    if n == 0:
        return NULL
    for i in range(axis + 1, ndim):
        after *= PyArray_DIMS(x)[i]
    if axis < ndim - 1 and (op.is_one[0] or op.is_one[first_out]):
        return NULL  # also where the axes after it have length 1: the result's shape is not a beginning of x's
    rows = after if after > 1 else n // length
    planes = n // length // rows
    size = cnp.PyArray_ITEMSIZE(<cnp.ndarray><object><PyObject *>x)
    for k in range(first_out + 1):
        inner[k], outer[k] = after * size, size if op.is_one[k] or after > 1 else length * size
        if op.inputs <= k < first_out:
            data[k], outer[k] = <char *>&values[k - op.inputs], 0
            continue
        a = <PyArrayObject *>operand[k]
        if a == NULL:
            continue
        if not (PyArray_CheckExact(<PyObject *>a) and PyArray_TYPE(a) == PyArray_TYPE(x)
                and (PyArray_ISCARRAY(a) if k == first_out else PyArray_ISCARRAY_RO(a))
                and PyArray_NDIM(a) == ndim - op.is_one[k]
                and PyArray_CompareLists(PyArray_DIMS(a), PyArray_DIMS(x), ndim - op.is_one[k])):
            return NULL
        data[k] = <char *>PyArray_DATA(a)
    y = operand[first_out]
    if y != NULL:
        for k in range(op.inputs):
            if data[k] == data[first_out] and not op.is_one[k] and not op.is_one[first_out]:
                continue
            if (data[first_out] < data[k] + n * size and data[k] < data[first_out] + n * size):
                return NULL
        Py_INCREF_pointer(y)
    else:
        descriptor = PyArray_DESCR(x)
        Py_INCREF_pointer(<PyObject *>descriptor)
        y = PyArray_NewFromDescr(PyArray_Type_address, descriptor, ndim - op.is_one[first_out], PyArray_DIMS(x), NULL,
                                 NULL, 0, NULL)
        if y == NULL:
            return NULL
        data[first_out] = <char *>PyArray_DATA(<PyArrayObject *>y)
    if n > GIL_RELEASED_ABOVE:
        follow_context()
        with nogil:
            run_planes(op, dtype, data, outer, inner, rows, length, planes)
    else:
        run_planes(op, dtype, data, outer, inner, rows, length, planes)
    return y


cdef PyObject *call(PyObject *ufunc, PyObject *const *args, size_t nargsf, PyObject *keywords) noexcept:
    """f(x, *parameters, out, **keywords): what is plain directly, the rest by `general`."""
    cdef operation *op = operation_of(ufunc)
    cdef Py_ssize_t given = PyVectorcall_NARGS(nargsf), count, i, axis = -1
    cdef int first_out = op.inputs + op.parameters, k
    cdef PyObject *operand[MOST]
    cdef PyObject *key
    cdef PyObject *value
    cdef PyObject *result
    cdef double values[4]
    cdef bint direct = fast_calls and op.outputs == 1 and op.inputs <= given <= first_out + 1
    count = PyTuple_GET_SIZE(keywords) if keywords != NULL else 0
    if direct:
        for i in range(first_out + 1):
            operand[i] = args[i] if i < given and (i < first_out or args[i] != Py_None) else NULL
        for i in range(count):
            key, value = PyTuple_GET_ITEM(keywords, i), args[given + i]
            if is_named(key, _axis):
                direct = PyLong_CheckExact(value)
                axis = PyLong_AsSsize_t(value) if direct else 0
                direct = direct and PyErr_Occurred() == NULL
            elif is_named(key, _out) and given <= first_out:
                if PyTuple_CheckExact(value) and PyTuple_GET_SIZE(value) == 1:
                    value = PyTuple_GET_ITEM(value, 0)
                operand[first_out] = value if value != Py_None else NULL
            else:
                direct = False
                for k in range(op.parameters):
                    if is_named(key, <object>op.names[k]) and operand[op.inputs + k] == NULL:
                        operand[op.inputs + k] = value
                        direct = True
            if not direct:
                break
    if direct:
        for k in range(op.inputs):
            direct = direct and operand[k] != NULL
        for k in range(op.parameters):
            value = operand[op.inputs + k]
            values[k] = op.values[k]
            if value != NULL:
                direct = direct and PyFloat_Check(value)
                if direct:
                    values[k] = PyFloat_AS_DOUBLE(value)
    if direct:
        result = run_directly(op, operand, values, axis)
        if result != NULL or PyErr_Occurred() != NULL:
            return result
    PyErr_Clear()
    try:
        made = general(<object>ufunc, <object>op.description, op.inputs, op.parameters,
                       tuple([<object>args[i] for i in range(given)]),
                       {<object>PyTuple_GET_ITEM(keywords, i): <object>args[given + i] for i in range(count)})
        Py_INCREF(made)
        return <PyObject *>made
    except BaseException as error:
        kind = type(error)
        PyErr_SetObject(<PyObject *>kind, <PyObject *>error)
        return NULL


def plain(ufunc, args, kwargs):
    """NumPy's own call."""
    cdef operation *op = operation_of(<PyObject *>ufunc)
    cdef PyObject *stack[64]
    cdef Py_ssize_t i = 0, count = len(args)
    names = tuple(kwargs)
    if count + len(names) > 64:
        raise TypeError(f"{ufunc.__name__}() takes at most 64 arguments, not {count + len(names)}")
    values = [*args, *kwargs.values()]
    follow_context()
    for value in values:
        stack[i] = <PyObject *>value
        i += 1
    return (<call_of_object>op.numpy_call)(<PyObject *>ufunc, stack, <size_t>count,
                                           <PyObject *>names if names else NULL)


def general(ufunc, row, int inputs, int parameters, tuple args, dict kwargs):
    """Parameters filled in, `options` applied, then NumPy's own call."""
    cdef int i
    operands = list(args)
    if parameters and len(operands) >= inputs:
        for i, (name, default) in enumerate(row.parameters.items(), inputs):
            if i < len(operands):
                if name in kwargs:
                    raise TypeError(f"{row.name}() got multiple values for argument '{name}'")
            else:
                operands.append(kwargs.pop(name, default))
    if "axes" in kwargs and ("out" in kwargs or len(operands) > inputs + parameters):
        # NumPy computes in place where an output is an input, though rows of the one may lie across those of the other
        operands[:inputs] = [a.copy() if isinstance(a, np.ndarray) else a for a in operands[:inputs]]
    if len(operands) < inputs or (row.options.isdisjoint(kwargs) and not row.grouped):  # NumPy has the words for too few
        return plain(ufunc, operands, kwargs)
    return row.with_options(ufunc, row, inputs, parameters, operands, kwargs)


# ---- making the gufuncs ------------------------------------------------------------------------------------------------

PASSES = {
    "": ACTC_FORWARD,
    "derivative": ACTC_DERIVATIVE,
    "second_derivative": ACTC_SECOND_DERIVATIVE,
    "backward": ACTC_BACKWARD,
    "value_and_derivative": ACTC_VALUE_AND_DERIVATIVE,
}
SHAPES = {<int>ACTC_MAP: "map", <int>ACTC_REDUCE: "reduce", <int>ACTC_DOUBLED: "doubled"}
_kept = []  # names and objects that NumPy or an operation points to


def signature_of(row, kind):
    """The gufunc signature of one row and pass, without parameters."""
    y = {"map": "(n)", "reduce": "()", "doubled": "(m)"}[row.shape]
    if kind == "backward":
        return [y, "(n)"], ["(n)"]
    return ["(n)"], [y, y] if kind == "value_and_derivative" else [y]


def make_gufunc(row, str kind, bint exact):
    """The gufunc of one row and pass; `row` as `rows` has it."""
    cdef operation *op = <operation *>PyMem_Calloc(1, sizeof(operation))
    cdef int i, operands, which = PASSES[kind]
    cdef DType dtypes[MOST]
    cdef PyType_Slot slots[2]
    cdef PyArrayMethod_Spec spec
    if op == NULL:
        raise MemoryError
    ins, outs = signature_of(row, kind)
    op.row = actc_row_at(<size_t>row.index)
    op.which = <actc_pass>(which | (<int>ACTC_EXACT if exact else 0))
    op.inputs, op.parameters, op.outputs = len(ins), len(row.parameters), len(outs)
    op.description = <PyObject *>row
    operands = op.inputs + op.parameters + op.outputs
    for i, core in enumerate([*ins, *["-"] * op.parameters, *outs]):
        op.is_one[i] = core == "()"
    for i, (name, default) in enumerate(row.parameters.items()):
        name = sys.intern(name)
        op.names[i], op.values[i] = <PyObject *>name, default
        _kept.append(name)

    full_name = ((b"exact_" if exact else b"") + row.name.encode() + (b"_" + kind.encode() if kind else b""))
    signature = (",".join([*ins, *["()"] * op.parameters]) + "->" + ",".join(outs)).encode()
    _kept.append((row, full_name, signature))
    ufunc = PyUFunc_FromFuncAndDataAndSignature(
        NULL, NULL, NULL, 0, op.inputs + op.parameters, op.outputs, PyUFunc_None, full_name, NULL, 0, signature)
    (<PyUFuncObject *>ufunc).data = <void *>op
    if op.row.shape == ACTC_DOUBLED:
        (<GeneralisedUFunc *><PyObject *>ufunc).process_core_dims_func = twice

    if op.is_one[operands - 1]:
        not_elementwise(<PyUFuncObject *>ufunc, operands - 1)  # f(x, out=x) spreads one number over the row it is made of

    slots[0].slot, slots[0].pfunc = NPY_METH_strided_loop, <void *>row_loop
    slots[1].slot, slots[1].pfunc = 0, NULL
    spec.name, spec.nin, spec.nout = b"actc", op.inputs + op.parameters, op.outputs
    spec.casting, spec.flags = cnp.NPY_NO_CASTING, NPY_METH_NO_FLOATINGPOINT_ERRORS
    spec.dtypes, spec.slots = dtypes, slots
    for dtype in _core.DTYPES:
        for i in range(operands):
            like_x = not op.inputs <= i < op.inputs + op.parameters
            dtypes[i] = <DType><PyObject *>(dtype if like_x else Float64)
        PyUFunc_AddLoopFromSpec(ufunc, &spec)
    PyUFunc_AddPromoter(ufunc, (np.dtype,) * operands, _promoter)

    op.numpy_call = (<PyUFuncObject *>ufunc).vectorcall
    (<PyUFuncObject *>ufunc).vectorcall = call
    return ufunc


_promoter = PyCapsule_New(<void *>promoter, b"numpy._ufunc_promoter", NULL)


def rows():
    """The table as a list of simple namespaces."""
    cdef const actc_row *row
    cdef size_t i, k
    table = []
    for i in range(actc_row_count()):
        row = actc_row_at(i)
        table.append(types.SimpleNamespace(
            index=i,
            name=(<bytes>row.name).decode(),
            parameters={(<bytes>row.parameters[k].name).decode(): row.parameters[k].default_value
                        for k in range(row.parameter_count)},
            shape=SHAPES[<int>row.shape],
            formula=(<bytes>row.formula).decode(),
            backward=(<bytes>row.backward).decode(),
            backward_from=(<bytes>row.from_).decode(),
            limits=(<bytes>row.limits).decode(),
            masked=(<bytes>row.masked).decode(),
            empty=(<bytes>row.empty).decode(),
            grouped=bool(row.grouped),
            reference=(<bytes>row.reference).decode(),
            elsewhere=(<bytes>row.elsewhere).decode(),
        ))
    return table
