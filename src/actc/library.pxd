"""The C library, as actc.h and actc/threads.h declare it. Apart from __init__.pxd, whose memoryviews would put 30 KB of
Cython's own code into each extension."""


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
        const char *second_derivative
        const char *domain
        const char *kinks
        const char *monotonicity
        const char *lipschitz
        double gain
        double derivative_gain
        const char *special

    enum actc_pass:
        ACTC_FORWARD
        ACTC_DERIVATIVE
        ACTC_BACKWARD
        ACTC_VALUE_AND_DERIVATIVE
        ACTC_PARAMETER_BACKWARD
        ACTC_SECOND_DERIVATIVE
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

    ctypedef struct actc_gate:
        size_t struct_size
        const char *name
        const char *unique_name
        size_t index
        size_t parameter_count
        const actc_parameter *parameters
        const char *activation
        const char *formula
        const char *value_gradient
        const char *gate_gradient
        const char *reference
        const char *elsewhere

    size_t actc_gate_count()
    const actc_gate *actc_gate_at(size_t index)
    const actc_gate *actc_gate_find(const char *name)
    int actc_gate_apply(const actc_gate *gate, actc_pass which, actc_dtype dtype,
                        const void *const *inputs, void *const *outputs, size_t n, const double *params)
    int actc_gate_apply_strided(const actc_gate *gate, actc_pass which, actc_dtype dtype,
                                char **data, const Py_ssize_t *strides, size_t n)

    const actc_activation *actc_apl_about()
    int actc_apl_strided(actc_pass which, actc_dtype dtype, char **data, const Py_ssize_t *strides, size_t n,
                         const Py_ssize_t *hinge_strides, size_t hinges)

    enum actc_shape:
        ACTC_MAP
        ACTC_REDUCE
        ACTC_DOUBLED

    ctypedef struct actc_row:
        size_t struct_size
        const char *name
        size_t index
        size_t parameter_count
        const actc_parameter *parameters
        actc_shape shape
        const char *formula
        const char *backward
        const char *from_ "from"
        const char *limits
        const char *masked
        const char *empty
        int grouped
        const char *reference
        const char *elsewhere
        const actc_activation *about

    size_t actc_row_count()
    const actc_row *actc_row_at(size_t index)
    const actc_row *actc_row_find(const char *name)
    int actc_apply_rows(const actc_row *row, actc_pass which, actc_dtype dtype, char **data,
                        const Py_ssize_t *outer, const Py_ssize_t *inner, size_t rows, size_t length)


cdef extern from "actc/threads.h" nogil:  # whoever calls these links libactc_threads
    int actc_get_num_threads()
    int actc_set_num_threads(int n)
    int actc_set_num_threads_local(int n)
    int actc_processors()
    int ACTC_MAX_THREADS
    ctypedef void actc_task(void *context, size_t first, size_t count) noexcept nogil
    int actc_parallel(actc_task *task, void *context, size_t n, size_t least)
    int actc_threads_apply(const actc_activation *activation, actc_pass which, actc_dtype dtype,
                           const void *const *inputs, void *const *outputs, size_t n, const double *params)
    int actc_threads_apply_strided(const actc_activation *activation, actc_pass which, actc_dtype dtype,
                                   char **data, const Py_ssize_t *strides, size_t n)
    int actc_threads_gate_apply(const actc_gate *gate, actc_pass which, actc_dtype dtype,
                                const void *const *inputs, void *const *outputs, size_t n, const double *params)
    int actc_threads_gate_apply_strided(const actc_gate *gate, actc_pass which, actc_dtype dtype,
                                        char **data, const Py_ssize_t *strides, size_t n)
    int actc_threads_apply_rows(const actc_row *row, actc_pass which, actc_dtype dtype, char **data,
                                const Py_ssize_t *outer, const Py_ssize_t *inner, size_t rows, size_t length)
