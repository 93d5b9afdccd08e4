/* operations.h - every entry of the library behind one signature: which operands a call has, of what shapes, and the
   call. test_guard.c and fuzz.c choose where the operands lie. */
#ifndef OPERATIONS_H
#define OPERATIONS_H

#include "cases.h"

enum family { ELEMENTWISE, CHANNELS, GATES, ROWS, APL, RRELU, PHILOX, FAMILIES };
static const char *const family_name[] = {"elementwise", "channels", "gate", "rows", "apl", "rrelu", "philox"};
enum { ALL_MAX = 2 + 2 * PARAMETERS_MAX };

/* Elements (i, j) lie at `at` + i outer + j inner. */
typedef struct operand {
    int dtype, is_output;
    size_t rows, length;
    char *at;
    ptrdiff_t outer, inner;
} operand;

/* Functions of rows compute `rows` rows of `length` elements, all others one row. */
typedef struct operation {
    enum family family;
    size_t index; /* of the function in the table of its family */
    int pass, tier, dtype;
    size_t rows, length, hinges;
    size_t channels, run; /* CHANNELS: length is a multiple of their product */
    int varies;           /* whether parameters have a value for each element, or row */
    double lower, upper;
    uint64_t key, first, high; /* the counter is high 2^64 + first */
    int inputs, count;         /* of operands: inputs, parameters, outputs */
    operand all[ALL_MAX];
} operation;

static MAYBE_UNUSED size_t family_count(enum family f)
{
    return f == GATES ? actc_gate_count() : f == ROWS ? actc_row_count() : f < GATES ? actc_count() : 1;
}
static MAYBE_UNUSED const char *operation_name(const operation *o)
{
    return o->family == GATES  ? actc_gate_at(o->index)->name
           : o->family == ROWS ? actc_row_at(o->index)->name
           : o->family < GATES ? actc_at(o->index)->name
                               : "";
}
static MAYBE_UNUSED const actc_parameter *parameters_of(const operation *o, size_t *count)
{
    *count = 0;
    if (o->family == GATES) return *count = actc_gate_at(o->index)->parameter_count, actc_gate_at(o->index)->parameters;
    if (o->family == ROWS) return *count = actc_row_at(o->index)->parameter_count, actc_row_at(o->index)->parameters;
    if (o->family > ROWS) return NULL;
    return *count = actc_at(o->index)->parameter_count, actc_at(o->index)->parameters;
}
/* Entries without strides */
static MAYBE_UNUSED int is_contiguous(const operation *o)
{
    return o->family == CHANNELS || o->family == RRELU || o->family == PHILOX;
}
/* Whether an element's result is a matter of that element alone, so that a call may be cut in two. */
static MAYBE_UNUSED int is_divisible(const operation *o)
{
    return o->family != ROWS && o->family != CHANNELS && o->pass != ACTC_PARAMETER_BACKWARD;
}

static void add_operands(operation *o, int how_many, int dtype, int is_output, size_t rows, size_t length)
{
    const operand one = {dtype, is_output, rows, length, NULL, 0, 0};
    while (how_many-- > 0) o->all[o->count++] = one;
}

/* The operands' shapes. Returns 0 where the function has no such pass. */
static MAYBE_UNUSED int describe(operation *o)
{
    const size_t n = o->length, rows = o->rows, each = o->varies ? n : 1;
    const int sums = o->pass == ACTC_PARAMETER_BACKWARD, backward = o->pass == ACTC_BACKWARD || sums;
    const int pair = o->pass == ACTC_VALUE_AND_DERIVATIVE;
    size_t parameters;
    parameters_of(o, &parameters);
    o->count = 0;
    switch (o->family) {
    case ELEMENTWISE:
        if (sums && !parameters) return 0;
        add_operands(o, 1 + backward, o->dtype, 0, 1, n);
        add_operands(o, (int)parameters, ACTC_F64, 0, 1, each);
        add_operands(o, sums ? (int)parameters : 1 + pair, sums ? ACTC_F64 : o->dtype, 1, 1, sums ? 1 : n);
        break;
    case CHANNELS:
        if (!parameters) return 0;
        add_operands(o, 1 + backward, o->dtype, 0, 1, n);
        add_operands(o, 1, ACTC_F64, 0, parameters, o->channels);
        add_operands(o, sums ? (int)parameters : 1 + pair, sums ? ACTC_F64 : o->dtype, 1, 1, sums ? o->channels : n);
        break;
    case GATES:
        if (o->pass != ACTC_FORWARD && o->pass != ACTC_BACKWARD) return 0;
        add_operands(o, 2 + backward, o->dtype, 0, 1, n);
        add_operands(o, (int)parameters, ACTC_F64, 0, 1, each);
        add_operands(o, 1 + backward, o->dtype, 1, 1, n);
        break;
    case ROWS: {
        const enum actc_shape shape = actc_row_at(o->index)->shape;
        const size_t of_y = shape == ACTC_REDUCE ? 1 : shape == ACTC_DOUBLED ? 2 * n : n;
        if (sums || (shape != ACTC_DOUBLED && o->pass != ACTC_FORWARD && o->pass != ACTC_BACKWARD)) return 0;
        if (backward) add_operands(o, 1, o->dtype, 0, rows, of_y);
        add_operands(o, 1, o->dtype, 0, rows, n);
        add_operands(o, (int)parameters, ACTC_F64, 0, o->varies ? rows : 1, 1);
        add_operands(o, 1 + pair, o->dtype, 1, rows, backward ? n : of_y);
        break;
    }
    case APL:
        add_operands(o, 1 + backward, o->dtype, 0, 1, n);
        add_operands(o, 2, ACTC_F64, 0, o->varies && !sums ? n : 1, o->hinges);
        add_operands(o, sums ? 2 : 1 + pair, sums ? ACTC_F64 : o->dtype, 1, 1, sums ? o->hinges : n);
        break;
    case RRELU:
        if (o->pass != ACTC_FORWARD && o->pass != ACTC_DERIVATIVE && o->pass != ACTC_BACKWARD) return 0;
        add_operands(o, 1 + backward, o->dtype, 0, 1, n);
        add_operands(o, 1, o->dtype, 1, 1, n);
        break;
    case PHILOX: add_operands(o, 1, ACTC_F32, 1, 1, 4 * n); break;
    default: return 0;
    }
    o->inputs = o->family == PHILOX ? 0 : 1 + backward + (o->family == GATES);
    return 1;
}

/* Elements [from, from + n) where is_divisible, else everything. What the library returns. */
static MAYBE_UNUSED int perform(const operation *o, size_t from, size_t n)
{
    const enum actc_pass pass = (enum actc_pass)(o->pass | (o->tier ? ACTC_EXACT : 0));
    const enum actc_dtype dtype = (enum actc_dtype)o->dtype;
    char *data[ALL_MAX] = {NULL};
    ptrdiff_t outer[ALL_MAX] = {0}, inner[ALL_MAX] = {0};
    const void *in[3] = {NULL};
    void *out[PARAMETERS_MAX] = {NULL};
    int outputs = 0;
    for (int k = 0; k < o->count; k++) {
        const operand *a = &o->all[k];
        const int is_parameter = k >= o->inputs && !a->is_output;
        outer[k] = is_parameter && a->rows == 1 ? 0 : a->outer; /* one value for all has no stride */
        inner[k] = is_parameter && a->length == 1 ? 0 : a->inner;
        data[k] = a->at + (ptrdiff_t)from * inner[k];
        if (k < o->inputs) in[k] = data[k];
        if (a->is_output) out[outputs++] = data[k];
    }
    switch (o->family) {
    case ELEMENTWISE: return actc_apply_strided(actc_at(o->index), pass, dtype, data, inner, n);
    case CHANNELS:
        return actc_apply_channels(actc_at(o->index), pass, dtype, in, out, n, (const double *)(void *)data[o->inputs],
                                   o->channels, o->run);
    case GATES: return actc_gate_apply_strided(actc_gate_at(o->index), pass, dtype, data, inner, n);
    case ROWS: return actc_apply_rows(actc_row_at(o->index), pass, dtype, data, outer, inner, o->rows, o->length);
    case APL: {
        ptrdiff_t strides[ALL_MAX], hinges[4] = {inner[o->inputs], inner[o->inputs + 1], inner[o->inputs + 2], 0};
        if (o->pass == ACTC_PARAMETER_BACKWARD) hinges[3] = inner[o->inputs + 3];
        for (int k = 0; k < o->count; k++) {
            const int is_hinge = k == o->inputs || k == o->inputs + 1;
            strides[k] = is_hinge ? outer[k] : inner[k];
            if (is_hinge) data[k] = o->all[k].at + (ptrdiff_t)from * outer[k];
        }
        return actc_apl_strided(pass, dtype, data, strides, n, hinges, o->hinges);
    }
    case RRELU: return actc_rrelu_apply(pass, dtype, in, out, n, o->lower, o->upper, o->key, o->first + from);
    default: {
        const uint64_t low = o->first + from, high = o->high + (low < from);
        const uint32_t key[2] = {(uint32_t)o->key, (uint32_t)(o->key >> 32)};
        const uint32_t counter[4] = {(uint32_t)low, (uint32_t)(low >> 32), (uint32_t)high, (uint32_t)(high >> 32)};
        actc_philox4x32_10(counter, key, (uint32_t *)(void *)(o->all[0].at + 16 * from), n);
        return 0;
    }
    }
}

/* ---- operands in memory ---- */

static MAYBE_UNUSED size_t elements_of(const operand *a) { return a->rows * a->length; }

/* The bytes [low, high) that the elements lie in, relative to the first of them. */
static MAYBE_UNUSED void extent(const operand *a, ptrdiff_t *low, ptrdiff_t *high)
{
    const ptrdiff_t down = a->rows ? (ptrdiff_t)(a->rows - 1) * a->outer : 0;
    const ptrdiff_t along = a->length ? (ptrdiff_t)(a->length - 1) * a->inner : 0;
    *low = (down < 0 ? down : 0) + (along < 0 ? along : 0);
    *high = (down > 0 ? down : 0) + (along > 0 ? along : 0) + (ptrdiff_t)item_size[a->dtype];
    if (!elements_of(a)) *low = *high = 0;
}
static MAYBE_UNUSED void set_contiguous(operand *a, char *at)
{
    a->at = at, a->inner = (ptrdiff_t)item_size[a->dtype], a->outer = a->inner * (ptrdiff_t)a->length;
}
static MAYBE_UNUSED char *element_at(const operand *a, size_t e)
{
    return a->at + (ptrdiff_t)(e / a->length) * a->outer + (ptrdiff_t)(e % a->length) * a->inner;
}
static MAYBE_UNUSED void scatter(const operand *a, const char *plain)
{
    const size_t size = item_size[a->dtype], n = elements_of(a);
    for (size_t e = 0; e < n; e++) memcpy(element_at(a, e), plain + e * size, size);
}
static MAYBE_UNUSED void gather(const operand *a, char *plain)
{
    const size_t size = item_size[a->dtype], n = elements_of(a);
    for (size_t e = 0; e < n; e++) memcpy(plain + e * size, element_at(a, e), size);
}

static MAYBE_UNUSED void print_operation(const operation *o)
{
    printf(" isa=%s %s %s %s %s %s rows=%lu length=%lu", actc_isa(), family_name[o->family], operation_name(o),
           tier_name[o->tier], pass_name[o->pass], dtype_name[o->dtype], (unsigned long)o->rows,
           (unsigned long)o->length);
    if (o->family == CHANNELS) printf(" channels=%lu run=%lu", (unsigned long)o->channels, (unsigned long)o->run);
    if (o->family == APL) printf(" hinges=%lu", (unsigned long)o->hinges);
    if (o->family == RRELU) printf(" lower=%a upper=%a", o->lower, o->upper);
    if (o->family >= RRELU) printf(" key=%llx first=%llx", (unsigned long long)o->key, (unsigned long long)o->first);
}

#endif
