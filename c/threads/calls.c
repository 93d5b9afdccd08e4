/* calls.c - the calls of actc.h, in pieces. */
#include "../include/actc/threads.h"

enum {
    MOST = 16, /* operands of a call */
    LINE = 64, /* elements: whole lines of the cache whatever their type */
    /* Elements for each thread, below which no call can be worth it. Passes in double precision or more take ten times as
       long. */
    LEAST = 16384,
    LEAST_SLOW = 2048
};

typedef struct call {
    const actc_activation *activation; /* one of these */
    const actc_gate *gate;
    const actc_row *row;
    int pass; /* an actc_pass */
    enum actc_dtype dtype;
    int inputs, parameters, outputs;
    char *const *data;
    const ptrdiff_t *strides, *inner; /* of elements, or of rows; within rows */
    size_t n, length;                 /* elements, or rows; of a row */
    size_t grain;                     /* how many of n an index of the pool stands for */
} call;

/* Bytes of memory, and how they are walked through. */
typedef struct extent {
    const char *begin, *end;
    ptrdiff_t stride, inner;
} extent;

static const size_t sizes[ACTC_DTYPE_COUNT] = {2, 2, 4, 8};

static size_t item_size(const call *c, int operand)
{
    return operand >= c->inputs && operand < c->inputs + c->parameters ? sizeof(double) : sizes[c->dtype];
}

/* Elements of an operand in each row, as actc/rows.h says; 1 where there are no rows. */
static size_t length_of(const call *c, int operand)
{
    if (!c->row || (operand >= c->inputs && operand < c->inputs + c->parameters)) return 1;
    const int is_backward = (c->pass & ~ACTC_EXACT) == ACTC_BACKWARD;
    const int like_y = is_backward ? operand == 0 : operand >= c->inputs;
    return c->row->shape == ACTC_MAP || !like_y ? c->length : c->row->shape == ACTC_REDUCE ? 1 : 2 * c->length;
}

static extent extent_of(const call *c, int operand)
{
    const size_t length = length_of(c, operand);
    const ptrdiff_t inner = length > 1 ? c->inner[operand] : 0, stride = c->strides[operand];
    const ptrdiff_t within = (ptrdiff_t)(length - 1) * inner, along = (ptrdiff_t)(c->n - 1) * stride;
    extent e = {c->data[operand], c->data[operand] + item_size(c, operand), stride, inner};
    e.begin += (along < 0 ? along : 0) + (within < 0 ? within : 0);
    e.end += (along > 0 ? along : 0) + (within > 0 ? within : 0);
    return e;
}

/* Whether the order of elements is of no consequence: outputs are where no other operand is, or exactly where it is. */
static int is_free_of_order(const call *c)
{
    const int first_output = c->inputs + c->parameters;
    for (int i = first_output; i < first_output + c->outputs; i++) {
        const extent out = extent_of(c, i);
        if (!out.stride) return 0;
        for (int k = 0; k < i; k++) {
            const extent e = extent_of(c, k);
            const int is_same = k < c->inputs && e.begin == out.begin && e.end == out.end && e.stride == out.stride &&
                                e.inner == out.inner;
            if (e.begin < out.end && out.begin < e.end && !is_same) return 0;
        }
    }
    return 1;
}

static int run(const call *c, char *const *data, size_t n)
{
    const enum actc_pass pass = (enum actc_pass)c->pass;
    if (c->row) return actc_apply_rows(c->row, pass, c->dtype, data, c->strides, c->inner, n, c->length);
    if (c->gate) return actc_gate_apply_strided(c->gate, pass, c->dtype, data, c->strides, n);
    return actc_apply_strided(c->activation, pass, c->dtype, data, c->strides, n);
}

static void run_piece(void *context, size_t first, size_t count)
{
    const call *c = (const call *)context;
    char *data[MOST];
    const size_t at = first * c->grain, left = c->n - at, wanted = count * c->grain;
    for (int k = 0; k < c->inputs + c->parameters + c->outputs; k++)
        data[k] = c->data[k] + (ptrdiff_t)at * c->strides[k];
    (void)run(c, data, wanted < left ? wanted : left);
}

static int share(call *c)
{
    const int which = c->pass & ~ACTC_EXACT, is_slow = c->pass != which || which == ACTC_SECOND_DERIVATIVE;
    const size_t least = is_slow ? LEAST_SLOW : LEAST;
    if (actc_get_num_threads() < 2 || c->n < 2 || c->n * (c->row ? c->length : 1) < 2 * least ||
        which == ACTC_PARAMETER_BACKWARD)
        return run(c, c->data, c->n);
    if (run(c, c->data, 0)) return -1; /* no such pass or dtype */
    c->inputs = (which == ACTC_BACKWARD ? 2 : 1) + (c->gate != NULL);
    c->outputs = which == ACTC_VALUE_AND_DERIVATIVE || (c->gate && which == ACTC_BACKWARD) ? 2 : 1;
    if (!is_free_of_order(c)) return run(c, c->data, c->n);
    /* rows that are columns of memory share lines of the cache */
    const int is_split = c->row && c->strides[0] != (ptrdiff_t)item_size(c, 0);
    c->grain = is_split ? 1 : LINE;
    const size_t of_each = c->grain * (c->row && c->length ? c->length : 1);
    actc_parallel(run_piece, c, (c->n + c->grain - 1) / c->grain, (least + of_each - 1) / of_each);
    return 0;
}

int actc_threads_apply_strided(const actc_activation *activation, enum actc_pass pass, enum actc_dtype dtype,
                               char *const *data, const ptrdiff_t *strides, size_t n)
{
    const int parameters = (int)activation->parameter_count;
    call c = {activation, NULL, NULL, (int)pass, dtype, 0, parameters, 0, data, strides, NULL, n, 1, 1};
    return share(&c);
}
int actc_threads_gate_apply_strided(const actc_gate *gate, enum actc_pass pass, enum actc_dtype dtype,
                                    char *const *data, const ptrdiff_t *strides, size_t n)
{
    const int parameters = (int)gate->parameter_count;
    call c = {NULL, gate, NULL, (int)pass, dtype, 0, parameters, 0, data, strides, NULL, n, 1, 1};
    return share(&c);
}
int actc_threads_apply_rows(const actc_row *row, enum actc_pass pass, enum actc_dtype dtype, char *const *data,
                            const ptrdiff_t *outer, const ptrdiff_t *inner, size_t rows, size_t length)
{
    const int parameters = (int)row->parameter_count;
    call c = {NULL, NULL, row, (int)pass, dtype, 0, parameters, 0, data, outer, inner, rows, length, 1};
    return share(&c);
}

/* ---- contiguous operands ---- */

static int is_for_one(int pass, enum actc_dtype dtype, size_t n)
{
    return n < 2 * LEAST_SLOW || actc_get_num_threads() < 2 || (pass & ~ACTC_EXACT) == ACTC_PARAMETER_BACKWARD ||
           (unsigned)dtype >= ACTC_DTYPE_COUNT;
}
static void lay_out(char **data, ptrdiff_t *strides, enum actc_dtype dtype, const void *const *in, int inputs,
                    const actc_parameter *defaults, size_t parameters, const double *params, void *const *out,
                    int outputs)
{
    const ptrdiff_t size = (ptrdiff_t)sizes[dtype];
    int k = 0;
    for (int i = 0; i < inputs; i++, k++) data[k] = (char *)(uintptr_t)in[i], strides[k] = size;
    for (size_t i = 0; i < parameters; i++, k++)
        data[k] = (char *)(uintptr_t)(params ? &params[i] : &defaults[i].default_value), strides[k] = 0;
    for (int i = 0; i < outputs; i++, k++) data[k] = (char *)out[i], strides[k] = size;
}

int actc_threads_apply(const actc_activation *activation, enum actc_pass pass, enum actc_dtype dtype,
                       const void *const *in, void *const *out, size_t n, const double *params)
{
    const int which = (int)pass & ~ACTC_EXACT;
    char *data[MOST];
    ptrdiff_t strides[MOST];
    if (is_for_one((int)pass, dtype, n)) return actc_apply(activation, pass, dtype, in, out, n, params);
    lay_out(data, strides, dtype, in, which == ACTC_BACKWARD ? 2 : 1, activation->parameters,
            activation->parameter_count, params, out, which == ACTC_VALUE_AND_DERIVATIVE ? 2 : 1);
    return actc_threads_apply_strided(activation, pass, dtype, data, strides, n);
}
int actc_threads_gate_apply(const actc_gate *gate, enum actc_pass pass, enum actc_dtype dtype, const void *const *in,
                            void *const *out, size_t n, const double *params)
{
    const int is_backward = ((int)pass & ~ACTC_EXACT) == ACTC_BACKWARD;
    char *data[MOST];
    ptrdiff_t strides[MOST];
    if (is_for_one((int)pass, dtype, n)) return actc_gate_apply(gate, pass, dtype, in, out, n, params);
    lay_out(data, strides, dtype, in, is_backward ? 3 : 2, gate->parameters, gate->parameter_count, params, out,
            is_backward ? 2 : 1);
    return actc_threads_gate_apply_strided(gate, pass, dtype, data, strides, n);
}
