/* dispatch.c - the table as data, and the exported symbols. */
#include "call.h"
#include "parameters.h"
#include "system.h"

/* ---- the table as data ---- */

#define ROW(name, parameters, ...) static const actc_parameter name##_parameters[] = PARAMETERS_##parameters;
#include "../include/actc/activations.def"
#undef ROW

/* without parameters there are no special ones */
#define SPECIAL_NONE .special = "",
#define SPECIAL_ONE(...)
#define SPECIAL_TWO(...)
#define SPECIAL_THREE(...)
#define SPECIAL_FOUR(...)

static const actc_activation table[ROW_COUNT] = {
#define ROW(row, parameter_list, kind, ...)                                                                            \
    {.struct_size = sizeof(actc_activation),                                                                           \
     .name = #row,                                                                                                     \
     .index = row_##row,                                                                                               \
     .parameter_count = COUNT_##parameter_list,                                                                        \
     .parameters = row##_parameters,                                                                                   \
     .exact_f64_is_paired = (kind) == PAIRED,                                                                          \
     SPECIAL_##parameter_list __VA_ARGS__},
#include "../include/actc/activations.def"
#undef ROW
};

const unsigned char actc_kind_of[ROW_COUNT] = {
#define ROW(name, parameters, kind, ...) kind,
#include "../include/actc/activations.def"
#undef ROW
};

const char *actc_version(void) { return ACTC_VERSION; }
size_t actc_count(void) { return ROW_COUNT; }
const actc_activation *actc_at(size_t index) { return index < ROW_COUNT ? &table[index] : NULL; }
const actc_activation *actc_find(const char *name)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (!strcmp(name, table[i].name) || !strcmp(name, table[i].unique_name)) return &table[i];
    return NULL;
}

/* ---- the exported entries ---- */

static int describe(call *c, const actc_activation *activation, int pass, enum actc_dtype dtype)
{
    if (activation->index >= ROW_COUNT) return -1;
    c->row = activation->index;
    c->pass = pass & ~ACTC_EXACT;
    c->exact = (pass & ACTC_EXACT) != 0;
    c->dtype = dtype;
    c->parameters = (int)table[c->row].parameter_count;
    c->inputs = c->pass == ACTC_BACKWARD || c->pass == ACTC_PARAMETER_BACKWARD ? 2 : 1;
    c->outputs = c->pass == ACTC_VALUE_AND_DERIVATIVE ? 2 : c->pass == ACTC_PARAMETER_BACKWARD ? c->parameters : 1;
    return (unsigned)c->pass < ACTC_PASS_COUNT && (unsigned)dtype < ACTC_DTYPE_COUNT && c->outputs > 0 ? 0 : -1;
}

int actc_apply_strided(const actc_activation *activation, enum actc_pass pass, enum actc_dtype dtype, char *const *data,
                       const ptrdiff_t *strides, size_t n)
{
    call c;
    if (describe(&c, activation, pass, dtype)) return -1;
    c.data = data, c.strides = strides;
    actc_run(&c, n);
    return 0;
}

int actc_apply(const actc_activation *activation, enum actc_pass pass, enum actc_dtype dtype, const void *const *in,
               void *const *out, size_t n, const double *params)
{
    call c;
    char *data[2 + 2 * MAX_PARAMETERS];
    ptrdiff_t strides[2 + 2 * MAX_PARAMETERS];
    int k = 0;
    if (describe(&c, activation, pass, dtype)) return -1;
    for (int i = 0; i < c.inputs; i++, k++)
        data[k] = (char *)(uintptr_t)in[i], strides[k] = (ptrdiff_t)item_size[dtype];
    for (int i = 0; i < c.parameters; i++, k++)
        data[k] = (char *)(uintptr_t)(params ? &params[i] : &table[c.row].parameters[i].default_value), strides[k] = 0;
    for (int i = 0; i < c.outputs; i++, k++) data[k] = out[i], strides[k] = (ptrdiff_t)item_size[dtype];
    c.data = data, c.strides = strides;
    actc_run(&c, n);
    return 0;
}

#define CALL(row, pass, tier, parameters, dtype)                                                                       \
    const double values[] = VALUES_##parameters;                                                                       \
    actc_apply(&table[row_##row], (enum actc_pass)((pass) | (tier)), (enum actc_dtype)type_##dtype, in, out, n, values)

#define DEFINE(symbol, row, tier, parameters, dtype, real)                                                             \
    void symbol##_##dtype(const real *x, real *y, size_t n ACTC_DOUBLES_##parameters)                                  \
    {                                                                                                                  \
        const void *in[] = {x};                                                                                        \
        void *out[] = {y};                                                                                             \
        CALL(row, ACTC_FORWARD, tier, parameters, dtype);                                                              \
    }                                                                                                                  \
    void symbol##_derivative_##dtype(const real *x, real *d, size_t n ACTC_DOUBLES_##parameters)                       \
    {                                                                                                                  \
        const void *in[] = {x};                                                                                        \
        void *out[] = {d};                                                                                             \
        CALL(row, ACTC_DERIVATIVE, tier, parameters, dtype);                                                           \
    }                                                                                                                  \
    void symbol##_second_derivative_##dtype(const real *x, real *d2, size_t n ACTC_DOUBLES_##parameters)               \
    {                                                                                                                  \
        const void *in[] = {x};                                                                                        \
        void *out[] = {d2};                                                                                            \
        CALL(row, ACTC_SECOND_DERIVATIVE, tier, parameters, dtype);                                                    \
    }                                                                                                                  \
    void symbol##_backward_##dtype(const real *g, const real *x, real *gx, size_t n ACTC_DOUBLES_##parameters)         \
    {                                                                                                                  \
        const void *in[] = {g, x};                                                                                     \
        void *out[] = {gx};                                                                                            \
        CALL(row, ACTC_BACKWARD, tier, parameters, dtype);                                                             \
    }                                                                                                                  \
    void symbol##_value_and_derivative_##dtype(const real *x, real *y, real *d, size_t n ACTC_DOUBLES_##parameters)    \
    {                                                                                                                  \
        const void *in[] = {x};                                                                                        \
        void *out[] = {y, d};                                                                                          \
        CALL(row, ACTC_VALUE_AND_DERIVATIVE, tier, parameters, dtype);                                                 \
    }                                                                                                                  \
    ACTC_IF_##parameters(void symbol##_parameter_backward_##dtype(                                                     \
        const real *g, const real *x, size_t n ACTC_DOUBLES_##parameters, double *gradients) {                         \
        const void *in[] = {g, x};                                                                                     \
        void *out[MAX_PARAMETERS];                                                                                     \
        for (int i = 0; i < MAX_PARAMETERS; i++) out[i] = gradients + i;                                               \
        CALL(row, ACTC_PARAMETER_BACKWARD, tier, parameters, dtype);                                                   \
    })

#define ROW(name, parameters, exact_f64, ...) ACTC_SYMBOLS(DEFINE, name, parameters)
#include "../include/actc/activations.def"
#undef ROW
