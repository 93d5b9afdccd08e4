/* flat.h - the flat symbols of gates, functions of rows, APL and RReLU behind one signature each, as cases.h has those of
   the activations. The tables of the header are their only list. */
#ifndef FLAT_H
#define FLAT_H

#include "operations.h"

typedef void flat_gate(int pass, const void *const *in, void *const *out, size_t n, const double *p);
typedef void flat_row(int pass, const void *const *in, void *const *out, size_t rows, size_t length, const double *p);

#define FLAT_GATE(symbol, row, tier, parameters, dtype, real)                                                          \
    static void flat_##symbol##_##dtype(int pass, const void *const *in, void *const *out, size_t n, const double *p)  \
    {                                                                                                                  \
        (void)p;                                                                                                       \
        if (pass == ACTC_FORWARD)                                                                                      \
            symbol##_##dtype(in[0], in[1], out[0], n ARGUMENTS_##parameters);                                          \
        else                                                                                                           \
            symbol##_backward_##dtype(in[0], in[1], in[2], out[0], out[1], n ARGUMENTS_##parameters);                  \
    }
#define GATE(name, parameters, ...) ACTC_SYMBOLS(FLAT_GATE, name, parameters)
#include <actc/gates.def>
#undef GATE

#define CASES_DOUBLED(symbol, parameters, dtype)                                                                       \
    case ACTC_DERIVATIVE: symbol##_derivative_##dtype(in[0], out[0], rows, length ARGUMENTS_##parameters); break;      \
    case ACTC_SECOND_DERIVATIVE:                                                                                       \
        symbol##_second_derivative_##dtype(in[0], out[0], rows, length ARGUMENTS_##parameters);                        \
        break;                                                                                                         \
    case ACTC_VALUE_AND_DERIVATIVE:                                                                                    \
        symbol##_value_and_derivative_##dtype(in[0], out[0], out[1], rows, length ARGUMENTS_##parameters);             \
        break;
#define CASES_MAP(symbol, parameters, dtype)
#define CASES_REDUCE(symbol, parameters, dtype)
#define FLAT_ROW(symbol, shape, tier, parameters, dtype, real)                                                         \
    static void flat_##symbol##_##dtype(int pass, const void *const *in, void *const *out, size_t rows, size_t length, \
                                        const double *p)                                                               \
    {                                                                                                                  \
        (void)p;                                                                                                       \
        switch (pass) {                                                                                                \
        case ACTC_FORWARD: symbol##_##dtype(in[0], out[0], rows, length ARGUMENTS_##parameters); break;                \
        case ACTC_BACKWARD:                                                                                            \
            symbol##_backward_##dtype(in[0], in[1], out[0], rows, length ARGUMENTS_##parameters);                      \
            break;                                                                                                     \
            CASES_##shape(symbol, parameters, dtype)                                                                   \
        }                                                                                                              \
    }
#define ROW(name, parameters, kind, shape, ...)                                                                        \
    ACTC_TYPES(FLAT_ROW, actc_##name, shape, 0, parameters)                                                            \
    ACTC_TYPES(FLAT_ROW, actc_exact_##name, shape, 1, parameters)
#include <actc/rows.def>
#undef ROW

#define FLAT_RRELU(symbol, row, tier, parameters, dtype, real)                                                         \
    static void flat_##symbol##_##dtype(const operation *o, const void *const *in, void *const *out)                   \
    {                                                                                                                  \
        if (o->pass == ACTC_FORWARD)                                                                                   \
            symbol##_##dtype(in[0], out[0], o->length, o->lower, o->upper, o->key, o->first);                          \
        else if (o->pass == ACTC_DERIVATIVE)                                                                           \
            symbol##_derivative_##dtype(in[0], out[0], o->length, o->lower, o->upper, o->key, o->first);               \
        else                                                                                                           \
            symbol##_backward_##dtype(in[0], in[1], out[0], o->length, o->lower, o->upper, o->key, o->first);          \
    }
ACTC_SYMBOLS(FLAT_RRELU, rrelu, NONE)

#define FLAT_APL(symbol, row, tier, parameters, dtype, real)                                                           \
    static void flat_##symbol##_##dtype(const operation *o, const void *const *in, void *const *out)                   \
    {                                                                                                                  \
        const double *a = (const double *)(const void *)o->all[o->inputs].at;                                          \
        const double *b = (const double *)(const void *)o->all[o->inputs + 1].at;                                      \
        const size_t n = o->length, hinges = o->hinges;                                                                \
        switch (o->pass) {                                                                                             \
        case ACTC_FORWARD: symbol##_##dtype(in[0], out[0], n, a, b, hinges); break;                                    \
        case ACTC_DERIVATIVE: symbol##_derivative_##dtype(in[0], out[0], n, a, b, hinges); break;                      \
        case ACTC_SECOND_DERIVATIVE: symbol##_second_derivative_##dtype(in[0], out[0], n, a, b, hinges); break;        \
        case ACTC_BACKWARD: symbol##_backward_##dtype(in[0], in[1], out[0], n, a, b, hinges); break;                   \
        case ACTC_VALUE_AND_DERIVATIVE:                                                                                \
            symbol##_value_and_derivative_##dtype(in[0], out[0], out[1], n, a, b, hinges);                             \
            break;                                                                                                     \
        case ACTC_PARAMETER_BACKWARD:                                                                                  \
            symbol##_parameter_backward_##dtype(in[0], in[1], n, a, b, hinges, out[0], out[1]);                        \
            break;                                                                                                     \
        }                                                                                                              \
    }
ACTC_SYMBOLS(FLAT_APL, apl, NONE)

/* Through the flat symbol, for contiguous operands with one value of each parameter. */
static void perform_flat(const operation *o)
{
    static flat_gate *const of_gates[][TIER_COUNT][ACTC_DTYPE_COUNT] = {
#define GATE(name, ...) {LISTED(flat_actc_##name), LISTED(flat_actc_exact_##name)},
#include <actc/gates.def>
#undef GATE
    };
    static flat_row *const of_rows[][TIER_COUNT][ACTC_DTYPE_COUNT] = {
#define ROW(name, ...) {LISTED(flat_actc_##name), LISTED(flat_actc_exact_##name)},
#include <actc/rows.def>
#undef ROW
    };
    typedef void of_operation(const operation *, const void *const *, void *const *);
    static of_operation *const of_others[2][TIER_COUNT][ACTC_DTYPE_COUNT] = {
        {LISTED(flat_actc_rrelu), LISTED(flat_actc_exact_rrelu)}, {LISTED(flat_actc_apl), LISTED(flat_actc_exact_apl)}};
    const void *in[3] = {NULL};
    void *out[PARAMETERS_MAX] = {NULL};
    double p[PARAMETERS_MAX] = {0}, sums[PARAMETERS_MAX];
    int outputs = 0;
    for (int k = 0; k < o->count; k++)
        if (k < o->inputs)
            in[k] = o->all[k].at;
        else if (o->all[k].is_output)
            out[outputs++] = o->all[k].at;
        else if (o->family != APL)
            memcpy(&p[k - o->inputs], o->all[k].at, sizeof(double));
    switch (o->family) {
    case ELEMENTWISE:
        header_rows[o->index].flat[o->tier][o->dtype](o->pass, in, out, o->length, p, sums);
        for (int i = 0; o->pass == ACTC_PARAMETER_BACKWARD && i < outputs; i++)
            memcpy(out[i], &sums[i], sizeof(double));
        break;
    case GATES: of_gates[o->index][o->tier][o->dtype](o->pass, in, out, o->length, p); break;
    case ROWS: of_rows[o->index][o->tier][o->dtype](o->pass, in, out, o->rows, o->length, p); break;
    default: of_others[o->family == APL][o->tier][o->dtype](o, in, out);
    }
}
/* Whether there is one for such a call. */
static int has_flat(const operation *o) { return !o->varies && o->family != CHANNELS && o->family != PHILOX; }

#endif
