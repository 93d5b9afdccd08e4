# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=True
"""NumPy ufuncs made by walking the C table. No activation is named here and no dtype has a branch of its own.

Each row and pass becomes a real `np.ufunc` whose loops (one per dtype, NumPy's ArrayMethod API) all run the function
`strided_loop`; it asks the ufunc which row and pass it is and hands NumPy's operands to `actc_threads_apply_strided` as
they are. `call`, set as each ufunc's vectorcall, fills in default and keyword parameters and takes contiguous arrays
straight to the kernel; everything else goes on to NumPy's own vectorcall, so nothing of NumPy's behaviour is lost.
"""

import contextvars
import itertools
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

cdef extern from "Python.h":
    PyObject *PyErr_Occurred()
    void Py_XDECREF(PyObject *)
    void Py_INCREF_pointer "Py_INCREF" (PyObject *)
    int PyFloat_CheckExact(PyObject *)
    int PyLong_CheckExact(PyObject *)
    int PyFloat_Check(PyObject *)
    double PyFloat_AS_DOUBLE(PyObject *)
    double PyLong_AsDouble(PyObject *)
    int PyTuple_CheckExact(PyObject *)
    PyObject *PyTuple_GET_ITEM(PyObject *, Py_ssize_t)
    Py_ssize_t PyTuple_GET_SIZE(PyObject *)
    PyObject *PyTuple_Pack(Py_ssize_t, ...)
    PyObject *PyTuple_New(Py_ssize_t)
    void PyTuple_SET_ITEM(PyObject *, Py_ssize_t, PyObject *)
    int PyUnicode_Compare(PyObject *, PyObject *)
    Py_ssize_t PyVectorcall_NARGS(size_t)
    PyObject *PyErr_Format(PyObject *, const char *, ...)
    void PyErr_Clear()
    PyObject *PyExc_TypeError
    PyObject *Py_None

cnp.import_array()
cnp.import_umath()

cdef enum:
    MOST = 10  # operands of one call: two inputs, four parameters, as many outputs; gates have fewer
    GIL_RELEASED_ABOVE = 500  # elements; below, releasing costs more than it frees (NumPy's own threshold)

ctypedef PyArray_DTypeMeta *DType

# NumPy's type numbers of the four dtypes, in the order of enum actc_dtype; -1 where there is none (bfloat16 is an
# optional extension type)
cdef int type_numbers[<int>ACTC_DTYPE_COUNT]
cdef Py_ssize_t item_sizes[<int>ACTC_DTYPE_COUNT]
cdef int fast_calls = not os.environ.get("ACTC_PLAIN_UFUNC")

# What a ufunc is: it travels in the `data` field that NumPy keeps for its maker.
ctypedef struct operation:
    const actc_activation *row  # or, where NULL,
    const actc_gate *gate
    const char *name
    actc_pass which
    int inputs, parameters, outputs
    PyObject *names[4]     # interned parameter names
    PyObject *defaults[4]  # Python floats
    double values[4]
    vectorcallfunc numpy_call


cdef inline operation *operation_of(PyObject *ufunc) noexcept nogil:
    return <operation *>(<PyUFuncObject *>ufunc).data


cdef inline int apply(operation *op, int dtype, const void **inputs, void **outputs, size_t n,
                      double *values) noexcept nogil:
    if op.row == NULL:
        return actc_threads_gate_apply(op.gate, op.which, <actc_dtype>dtype, inputs, outputs, n, values)
    return actc_threads_apply(op.row, op.which, <actc_dtype>dtype, inputs, outputs, n, values)


cdef int dtype_of(int type_number) noexcept nogil:
    cdef int i
    for i in range(<int>ACTC_DTYPE_COUNT):
        if type_numbers[i] == type_number:
            return i
    return -1


# ---- loops -----------------------------------------------------------------------------------------------------------

cdef inline int apply_strided(operation *op, int dtype, char **data, const Py_ssize_t *strides,
                              size_t n) noexcept nogil:
    if op.row == NULL:
        return actc_threads_gate_apply_strided(op.gate, op.which, <actc_dtype>dtype, data, strides, n)
    return actc_threads_apply_strided(op.row, op.which, <actc_dtype>dtype, data, strides, n)


cdef int strided_loop(PyArrayMethod_Context *context, char **data, const Py_ssize_t *dimensions,
                      const Py_ssize_t *strides, void *unused) noexcept nogil:
    cdef operation *op = operation_of(context.caller)
    cdef int dtype = dtype_of((<PyArray_Descr *>context.descriptors[0]).type_num)
    cdef int out = op.inputs + op.parameters, k
    cdef char *here[MOST]
    cdef Py_ssize_t n = dimensions[0], _i
    # reduce and accumulate: each result is the next one's first operand, which vectors would have read before
    if n > 1 and data[out] == data[0] + strides[0] and strides[out] == strides[0]:
        for k in range(out + op.outputs):
            here[k] = data[k]
        for _i in range(n):
            if apply_strided(op, dtype, here, strides, 1):
                return -1
            for k in range(out + op.outputs):
                here[k] += strides[k]
        return 0
    return apply_strided(op, dtype, data, strides, <size_t>n)


cdef int sum_loop(PyArrayMethod_Context *context, char **data, const Py_ssize_t *dimensions,
                  const Py_ssize_t *strides, void *unused) noexcept nogil:
    """The gufunc (n),(n),()...->()...: one sum over n for each outer index and parameter."""
    cdef operation *op = operation_of(context.caller)
    cdef int dtype = dtype_of((<PyArray_Descr *>context.descriptors[0]).type_num)
    cdef int operands = op.inputs + op.parameters + op.outputs, k
    cdef char *here[MOST]
    cdef Py_ssize_t inner[MOST]
    cdef Py_ssize_t i
    for k in range(operands):
        inner[k] = strides[operands + k] if k < op.inputs else 0
    for i in range(dimensions[0]):
        for k in range(operands):
            here[k] = data[k] + i * strides[k]
        if actc_apply_strided(op.row, op.which, <actc_dtype>dtype, here, inner, <size_t>dimensions[1]):
            return -1
    return 0


# ---- which loop --------------------------------------------------------------------------------------------------------

# DType class of x -> DType class that computes it. Python's float and int have abstract DTypes of their own.
cdef dict computed_in = {}


cdef int promoter(PyObject *ufunc, DType *given, DType *fixed, DType *chosen) noexcept:
    """x alone (with the gradient, if any) chooses the loop; parameters are float64 whatever they are given as."""
    cdef operation *op = operation_of(ufunc)
    cdef int operands = op.inputs + op.parameters + op.outputs, i
    cdef PyObject *wanted = NULL
    cdef bint is_sum = (<int>op.which & ~<int>ACTC_EXACT) == ACTC_PARAMETER_BACKWARD
    try:
        for i in range(operands):  # dtype= or signature=
            if fixed[i] != NULL and (i < op.inputs or (i >= op.inputs + op.parameters
                                                       and not is_sum)):
                wanted = <PyObject *>fixed[i]
                break
        if wanted != NULL:
            found = <object>wanted
        else:
            found = <object>given[0]
            for i in range(1, op.inputs):
                # the reference that PyArray_CommonDType returns is `found`'s own
                found = common(found, <object>given[i])
        found = computed_in.get(found)
        if found is None:
            return -1
        for i in range(operands):
            which = found
            if op.inputs <= i < op.inputs + op.parameters or (i >= op.inputs + op.parameters
                                                              and is_sum):
                which = Float64
            if fixed[i] != NULL:
                which = <object>fixed[i]
            Py_INCREF(which)
            chosen[i] = <DType>which
        return 0
    except TypeError:  # no common dtype: NumPy says so, with the ufunc's name
        return -1


cdef int refuser(PyObject *ufunc, DType *given, DType *fixed, DType *chosen) noexcept:
    """The promoter of parameters that doubles do not hold."""
    PyErr_Format(PyExc_TypeError, b"%s: parameters are float64, and a longdouble would lose digits; convert it first",
                 (<PyUFuncObject *>ufunc).name)
    return -1


cdef object common(object a, object b):
    """The common DType class of two."""
    for number, array in ((a, b), (b, a)):  # NumPy makes a double of Python's float beside a bfloat16
        if number is PyFloat and computed_in.get(array) is array:
            return array
    cdef DType c = PyArray_CommonDType(<DType><PyObject *>a, <DType><PyObject *>b)
    result = <object><PyObject *>c
    Py_XDECREF(<PyObject *>c)
    return result


PyFloat = <object><PyObject *>&PyArray_PyFloatDType
Float64, LongDouble = type(np.dtype(np.float64)), type(np.dtype(np.longdouble))


def _register_dtypes():
    cdef int i
    try:
        if os.environ.get("ACTC_NO_ML_DTYPES"):
            raise ImportError
        from ml_dtypes import bfloat16
    except ImportError:
        bfloat16 = None
    for i, scalar in enumerate((np.float16, bfloat16, np.float32, np.float64)):
        type_numbers[i] = -1
        if scalar is not None:
            dtype = np.dtype(scalar)
            type_numbers[i], item_sizes[i] = dtype.num, dtype.itemsize
            computed_in[type(dtype)] = type(dtype)
    small, wide = type(np.dtype(np.float32)), Float64
    for code in "?bBhH":
        computed_in[type(np.dtype(code))] = small
    for code in "iIlLqQ":
        computed_in[type(np.dtype(code))] = wide
    # Python's own numbers, which adapt to an array beside them and are float64 without one
    computed_in[PyFloat] = wide
    computed_in[<object><PyObject *>&PyArray_PyLongDType] = wide
    return [type(np.dtype(s)) for s in (np.float16, np.float32, np.float64) + ((bfloat16,) if bfloat16 else ())]


# ---- calls -------------------------------------------------------------------------------------------------------------

cdef inline bint overlap(char *a, char *b, Py_ssize_t bytes) noexcept nogil:
    """Whether two arrays of the same size overlap other than exactly."""
    return a != b and a < b + bytes and b < a + bytes


cdef PyObject *run_directly(operation *op, PyObject **operand, double *values) noexcept:
    """Contiguous arrays of one dtype and shape, scalar parameters: NULL without an error where that does not hold."""
    cdef PyArrayObject *x = <PyArrayObject *>operand[op.inputs - 1]
    cdef PyArrayObject *a
    cdef PyObject *made[2]
    cdef const void *inputs[3]
    cdef void *outputs[2]
    cdef int i, k, dtype, ndim = PyArray_NDIM(x) if PyArray_CheckExact(<PyObject *>x) else 0
    cdef Py_ssize_t n
    cdef PyArray_Descr *descriptor
    if ndim == 0:
        return NULL
    dtype = dtype_of(PyArray_TYPE(x))
    if dtype < 0 or not PyArray_ISCARRAY_RO(x):
        return NULL
    n = PyArray_SIZE(x)
    inputs[op.inputs - 1] = PyArray_DATA(x)
    for i in range(op.inputs - 1):
        a = <PyArrayObject *>operand[i]
        if not (PyArray_CheckExact(<PyObject *>a) and PyArray_TYPE(a) == PyArray_TYPE(x) and PyArray_ISCARRAY_RO(a)
                and PyArray_NDIM(a) == ndim and PyArray_CompareLists(PyArray_DIMS(a), PyArray_DIMS(x), ndim)):
            return NULL
        inputs[i] = PyArray_DATA(a)
    for i in range(op.outputs):
        a = <PyArrayObject *>operand[op.inputs + op.parameters + i]
        if a == NULL:
            continue
        if not (PyArray_CheckExact(<PyObject *>a) and PyArray_TYPE(a) == PyArray_TYPE(x) and PyArray_ISCARRAY(a)
                and PyArray_NDIM(a) == ndim and PyArray_CompareLists(PyArray_DIMS(a), PyArray_DIMS(x), ndim)):
            return NULL
        outputs[i] = PyArray_DATA(a)
        for k in range(op.inputs):
            if overlap(<char *>outputs[i], <char *>inputs[k], n * item_sizes[dtype]):
                return NULL
        if i == 1 and operand[op.inputs + op.parameters] != NULL and (
                outputs[0] == outputs[1] or overlap(<char *>outputs[0], <char *>outputs[1], n * item_sizes[dtype])):
            return NULL

    for i in range(op.outputs):
        a = <PyArrayObject *>operand[op.inputs + op.parameters + i]
        if a == NULL:
            descriptor = PyArray_DESCR(x)
            Py_INCREF_pointer(<PyObject *>descriptor)
            made[i] = PyArray_NewFromDescr(PyArray_Type_address, descriptor, ndim, PyArray_DIMS(x), NULL, NULL, 0, NULL)
            if made[i] == NULL:
                if i == 1:
                    Py_XDECREF(made[0])
                return NULL
            outputs[i] = PyArray_DATA(<PyArrayObject *>made[i])
        else:
            Py_INCREF_pointer(<PyObject *>a)
            made[i] = <PyObject *>a

    if n > GIL_RELEASED_ABOVE:
        follow_context()
        with nogil:
            apply(op, dtype, inputs, outputs, n, values)
    else:
        apply(op, dtype, inputs, outputs, n, values)
    if op.outputs == 1:
        return made[0]
    cdef PyObject *pair = PyTuple_Pack(2, made[0], made[1])
    Py_XDECREF(made[0])
    Py_XDECREF(made[1])
    return pair


cdef PyObject *call(PyObject *ufunc, PyObject *const *args, size_t nargsf, PyObject *keywords) noexcept:
    """f(x, *parameters, out, **keywords): parameters complete, then directly or through NumPy."""
    cdef operation *op = operation_of(ufunc)
    cdef Py_ssize_t given = PyVectorcall_NARGS(nargsf), count, i, k, rest = 0
    cdef int first_output = op.inputs + op.parameters, operands = first_output + op.outputs
    cdef PyObject *operand[MOST]
    cdef PyObject *stack[64]
    cdef PyObject *kept_names[48]
    cdef PyObject *key
    cdef PyObject *value
    cdef PyObject *result
    cdef PyObject *names = NULL
    cdef double values[4]
    cdef bint direct = fast_calls and op.inputs <= given <= operands
    count = PyTuple_GET_SIZE(keywords) if keywords != NULL else 0
    if given > operands or given < op.inputs or count > 48:  # NumPy has the words for this
        return op.numpy_call(ufunc, args, nargsf, keywords)

    for i in range(operands):
        operand[i] = args[i] if i < given else NULL
        if i >= first_output and operand[i] == Py_None:
            operand[i] = NULL
    for i in range(count):
        key, value = PyTuple_GET_ITEM(keywords, i), args[given + i]
        for k in range(op.parameters):
            if key == op.names[k] or PyUnicode_Compare(key, op.names[k]) == 0:
                if operand[op.inputs + k] != NULL:
                    return PyErr_Format(PyExc_TypeError, b"%s() got multiple values for argument '%U'",
                                        op.name, key)
                operand[op.inputs + k] = value
                break
        else:
            if direct and op.outputs == 1 and given <= first_output and is_out(key):
                if PyTuple_CheckExact(value) and PyTuple_GET_SIZE(value) == 1:
                    operand[first_output] = PyTuple_GET_ITEM(value, 0)
                else:
                    operand[first_output] = value
                if operand[first_output] == Py_None:
                    operand[first_output] = NULL
            else:
                direct = False
            kept_names[rest] = key
            stack[MOST + rest] = value
            rest += 1

    for k in range(op.parameters):
        value = operand[op.inputs + k]
        if value == NULL:
            operand[op.inputs + k] = op.defaults[k]
            values[k] = op.values[k]
        elif PyFloat_Check(value):
            values[k] = PyFloat_AS_DOUBLE(value)
        elif PyLong_CheckExact(value):
            values[k] = PyLong_AsDouble(value)
            if values[k] == -1 and PyErr_Occurred() != NULL:
                PyErr_Clear()
                direct = False
        else:
            direct = False
    if direct:
        result = run_directly(op, operand, values)
        if result != NULL or PyErr_Occurred() != NULL:
            return result

    # NumPy's own call: inputs, parameters, positional outputs, then the keywords that are not parameters
    cdef Py_ssize_t positional = given if given > first_output else first_output
    for i in range(positional):
        stack[i] = operand[i] if i < first_output else args[i]
    for i in range(rest):
        stack[positional + i] = stack[MOST + i]
    if rest:
        names = PyTuple_New(rest)
        if names == NULL:
            return NULL
        for i in range(rest):
            Py_INCREF_pointer(kept_names[i])
            PyTuple_SET_ITEM(names, i, kept_names[i])
    follow_context()
    result = op.numpy_call(ufunc, stack, positional, names)
    Py_XDECREF(names)
    return result


cdef object _out = "out"


cdef inline bint is_out(PyObject *key) noexcept:
    return key == <PyObject *>_out or PyUnicode_Compare(key, <PyObject *>_out) == 0


# ---- making the ufuncs -------------------------------------------------------------------------------------------------

PASSES = {
    "": ACTC_FORWARD,
    "_derivative": ACTC_DERIVATIVE,
    "_second_derivative": ACTC_SECOND_DERIVATIVE,
    "_backward": ACTC_BACKWARD,
    "_value_and_derivative": ACTC_VALUE_AND_DERIVATIVE,
    "_parameter_sums": ACTC_PARAMETER_BACKWARD,
}
_kept = []  # names and capsules that NumPy or an operation points to


def make_ufunc(size_t index, str suffix, bint exact):
    """The ufunc of one row and pass."""
    cdef const actc_activation *row = actc_at(index)
    cdef operation *op = new_operation(PASSES[suffix], exact, row.parameter_count, row.parameters)
    cdef int which = PASSES[suffix]
    op.row, op.name = row, row.name
    op.inputs = 2 if which in (ACTC_BACKWARD, ACTC_PARAMETER_BACKWARD) else 1
    op.outputs = (2 if which == ACTC_VALUE_AND_DERIVATIVE else
                  op.parameters if which == ACTC_PARAMETER_BACKWARD else 1)
    return ufunc_of(op, <bytes>row.unique_name, suffix, exact)


def make_gate(size_t index, str suffix, bint exact):
    """The ufunc of one gate, forward or backward."""
    cdef const actc_gate *gate = actc_gate_at(index)
    cdef operation *op = new_operation(PASSES[suffix], exact, gate.parameter_count, gate.parameters)
    op.gate, op.name = gate, gate.name
    op.inputs, op.outputs = (3, 2) if suffix == "_backward" else (2, 1)
    return ufunc_of(op, <bytes>gate.unique_name, suffix, exact)


cdef operation *new_operation(int which, bint exact, size_t count, const actc_parameter *parameters) except NULL:
    cdef operation *op = <operation *>PyMem_Calloc(1, sizeof(operation))
    cdef object name, default
    cdef size_t i
    if op == NULL:
        raise MemoryError
    op.which = <actc_pass>(which | (<int>ACTC_EXACT if exact else 0))
    op.parameters = <int>count
    for i in range(count):
        name = sys.intern((<bytes>parameters[i].name).decode())
        default = <object>parameters[i].default_value
        _kept.append((name, default))
        op.names[i], op.defaults[i] = <PyObject *>name, <PyObject *>default
        op.values[i] = parameters[i].default_value
    return op


cdef object ufunc_of(operation *op, bytes name, str suffix, bint exact):
    """The ufunc that does the operation."""
    cdef int which = <int>op.which & ~<int>ACTC_EXACT, i, k
    cdef char *core_dimensions = NULL
    cdef DType dtypes[MOST]
    cdef PyType_Slot slots[2]
    cdef PyArrayMethod_Spec spec
    full_name = (b"exact_" if exact else b"") + name + suffix.encode()
    signature = b""
    if which == ACTC_PARAMETER_BACKWARD:
        signature = ("(n),(n)" + ",()" * op.parameters + "->" + ",".join(["()"] * op.outputs)).encode()
        core_dimensions = signature
    _kept.append((full_name, signature))
    ufunc = PyUFunc_FromFuncAndDataAndSignature(
        NULL, NULL, NULL, 0, op.inputs + op.parameters, op.outputs, PyUFunc_None, full_name, NULL, 0,
        core_dimensions)
    (<PyUFuncObject *>ufunc).data = <void *>op

    slots[0].slot = NPY_METH_strided_loop
    slots[0].pfunc = <void *>sum_loop if which == ACTC_PARAMETER_BACKWARD else <void *>strided_loop
    slots[1].slot, slots[1].pfunc = 0, NULL
    spec.name, spec.nin, spec.nout = b"actc", op.inputs + op.parameters, op.outputs
    spec.casting, spec.flags = cnp.NPY_NO_CASTING, NPY_METH_NO_FLOATINGPOINT_ERRORS
    spec.dtypes, spec.slots = dtypes, slots
    for dtype in DTYPES:
        for i in range(op.inputs + op.parameters + op.outputs):
            k = i - op.inputs
            like_x = i < op.inputs or (k >= op.parameters and which != ACTC_PARAMETER_BACKWARD)
            dtypes[i] = <DType><PyObject *>(dtype if like_x else Float64)
        PyUFunc_AddLoopFromSpec(ufunc, &spec)
    PyUFunc_AddPromoter(ufunc, (np.dtype,) * (op.inputs + op.parameters + op.outputs), _promoter)
    refuse_longdouble(ufunc, op.inputs, op.parameters)

    op.numpy_call = (<PyUFuncObject *>ufunc).vectorcall
    (<PyUFuncObject *>ufunc).vectorcall = call
    return ufunc


def refuse_longdouble(ufunc, int first, int count):
    """No longdouble for any of `count` operands from the `first` on: NumPy would round it, as casts of one kind are."""
    for kinds in itertools.product((LongDouble, np.dtype), repeat=count):  # most first, for NumPy allows no two as good
        if LongDouble in kinds:
            operands = (np.dtype,) * first + kinds + (np.dtype,) * (ufunc.nargs - first - count)
            PyUFunc_AddPromoter(ufunc, operands, _refuser)


DTYPES = _register_dtypes()
_promoter = PyCapsule_New(<void *>promoter, b"numpy._ufunc_promoter", NULL)
_refuser = PyCapsule_New(<void *>refuser, b"numpy._ufunc_promoter", NULL)


cdef object described(const actc_activation *row):
    return types.SimpleNamespace(
        index=row.index,
        name=(<bytes>row.name).decode(),
        unique_name=(<bytes>row.unique_name).decode(),
        parameters={(<bytes>row.parameters[k].name).decode(): row.parameters[k].default_value
                    for k in range(row.parameter_count)},
        formula=(<bytes>row.formula).decode(),
        derivative=(<bytes>row.derivative).decode(),
        second_derivative=(<bytes>row.second_derivative).decode(),
        domain=(<bytes>row.domain).decode(),
        range=(<bytes>row.range).decode(),
        limits=(<bytes>row.limits).decode(),
        kinks=(<bytes>row.kinks).decode(),
        kink=(<bytes>row.kink).decode(),
        zeros=(<bytes>row.zeros).decode(),
        monotonicity=(<bytes>row.monotonicity).decode(),
        lipschitz=(<bytes>row.lipschitz).decode(),
        gain=row.gain,
        derivative_gain=row.derivative_gain,
        special=(<bytes>row.special).decode(),
        reference=(<bytes>row.reference).decode(),
        elsewhere=(<bytes>row.elsewhere).decode(),
        exact_f64_is_paired=bool(row.exact_f64_is_paired),
    )


def rows():
    """The table as a list of simple namespaces."""
    cdef size_t i
    return [described(actc_at(i)) for i in range(actc_count())]


def apl():
    """What is said of apl, likewise."""
    return described(actc_apl_about())


def halves_of(str name):
    """What is said of a row function's two halves, likewise; None of others than the doubled ones."""
    cdef const actc_row *row = actc_row_find(name.encode())
    return None if row.about == NULL else described(row.about)


def gates():
    """The table of gates likewise."""
    cdef const actc_gate *gate
    cdef size_t i
    table = []
    for i in range(actc_gate_count()):
        gate = actc_gate_at(i)
        table.append(types.SimpleNamespace(
            index=i,
            name=(<bytes>gate.name).decode(),
            unique_name=(<bytes>gate.unique_name).decode(),
            parameters={(<bytes>gate.parameters[k].name).decode(): gate.parameters[k].default_value
                        for k in range(gate.parameter_count)},
            activation=(<bytes>gate.activation).decode(),
            formula=(<bytes>gate.formula).decode(),
            value_gradient=(<bytes>gate.value_gradient).decode(),
            gate_gradient=(<bytes>gate.gate_gradient).decode(),
            reference=(<bytes>gate.reference).decode(),
            elsewhere=(<bytes>gate.elsewhere).decode(),
        ))
    return table


def promotions():
    """DType class of x -> DType class that computes it."""
    return computed_in


def version():
    return actc_version().decode()


def isa():
    """Name of the instruction set in use: "avx512", "avx2", "sse2", "neon", "gnu" or "scalar"."""
    return actc_isa().decode()


def isas():
    """Names of the instruction sets that this build and processor can run, best first."""
    names, i = [], 0
    while actc_isa_at(i) != NULL:
        names.append(actc_isa_at(i).decode())
        i += 1
    return names


def use_isa(name):
    """Use the named instruction set from now on, in every thread. Returns the name of the one used before.

    Raises
    ------
    ValueError
        If this build or processor does not have it; the message lists what there is.
    """
    before = isa()
    if actc_use_isa(str(name).encode()):
        raise ValueError(f"instruction set {name!r} is not available; available are: {', '.join(isas())}")
    return before


# ---- threads -------------------------------------------------------------------------------------------------------------

MAX_THREADS = ACTC_MAX_THREADS
wanted_threads = contextvars.ContextVar("actc.threads", default=0)
cdef int contexts_used = 0


cdef void follow_context() noexcept:
    """Before a call: the number of threads of the Python context, which C does not know. Free until one is set."""
    if contexts_used:
        try:
            actc_set_num_threads_local(wanted_threads.get())
        except BaseException:  # cannot be
            PyErr_Clear()


def use_contexts():
    """`wanted_threads` has changed: take it over, and look at it from now on."""
    global contexts_used
    contexts_used = 1
    follow_context()


def get_num_threads():
    follow_context()
    return actc_get_num_threads()


def set_num_threads(int n):
    return actc_set_num_threads(n)


def processors():
    return actc_processors()


def bfloat16_is_supported():
    return type_numbers[<int>ACTC_BF16] >= 0


def fast_calls_enabled():
    return bool(fast_calls)
