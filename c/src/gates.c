/* gates.c - the table of gates as data, which kernel, and the exported symbols. */
#include "environment.h"
#include "internal.h"
#include "parameters.h"

#include <string.h>

/* ---- the table as data ---- */

enum {
#define GATE(name, ...) row_##name,
#include "../include/actc/gates.def"
#undef GATE
    ROW_COUNT
};

#define GATE(name, parameters, ...) static const actc_parameter name##_parameters[] = PARAMETERS_##parameters;
#include "../include/actc/gates.def"
#undef GATE

static const actc_gate table[ROW_COUNT] = {
#define GATE(row, parameter_list, f, kind, ...)                                                                        \
    {.struct_size = sizeof(actc_gate),                                                                                 \
     .name = #row,                                                                                                     \
     .index = row_##row,                                                                                               \
     .parameter_count = COUNT_##parameter_list,                                                                        \
     .parameters = row##_parameters,                                                                                   \
     .activation = #f,                                                                                                 \
     __VA_ARGS__},
#include "../include/actc/gates.def"
#undef GATE
};

size_t actc_gate_count(void) { return ROW_COUNT; }
const actc_gate *actc_gate_at(size_t index) { return index < ROW_COUNT ? &table[index] : NULL; }
const actc_gate *actc_gate_find(const char *name)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (!strcmp(name, table[i].name) || !strcmp(name, table[i].unique_name)) return &table[i];
    return NULL;
}

/* ---- one call ---- */

enum { INPUTS = 3, OUTPUTS = 2, PARAMETERS = 2 };

/* Operands in the order inputs, parameters, outputs. */
typedef struct call {
    const actc_gate *gate;
    int pass, exact, inputs, parameters, outputs;
    enum actc_dtype dtype;
    char *const *data;
    const ptrdiff_t *strides;
} call;

typedef struct block {
    double in[INPUTS][BLOCK], out[OUTPUTS][BLOCK], high[PARAMETERS][BLOCK], low[PARAMETERS][BLOCK];
} block;

/* A result of doubles that lies too near to the middle between two numbers of the dtype is computed once more in pairs of
   doubles and rounded to odd. These are few: 2^-23 of all in float32, but 1 in 512 in float16. */
static void judge(const isa *in_use, const call *c, const void *const *in, const block *s, int vary, double *y,
                  size_t n)
{
    loop *const f = in_use->pairs->gates[c->gate->index][ODD];
    uint16_t list[BLOCK];
    double items[2 + PARAMETERS][RETRY], word[RETRY];
    if (!f) return;
    const size_t count = in_use->f64->doubtful[c->dtype](y, n, 0, list);
    for (size_t at = 0; at < count; at += RETRY) {
        const size_t m = count - at < RETRY ? count - at : RETRY;
        const void *from[] = {items[0], items[1]}, *parameters[2 * PARAMETERS];
        void *to[] = {word};
        for (int i = 0; i < PARAMETERS; i++) parameters[2 * i] = parameters[2 * i + 1] = items[2 + i];
        for (size_t k = 0; k < m; k++) {
            const size_t e = list[at + k];
            for (int i = 0; i < 2; i++) items[i][k] = ((const double *)in[i])[e];
            for (int i = 0; i < c->parameters; i++) items[2 + i][k] = s->high[i][vary ? e : 0];
        }
        f(from, to, m, parameters, 1);
        for (size_t k = 0; k < m; k++) y[list[at + k]] = word[k];
    }
}

static void through_blocks(const isa *in_use, loop *f, const call *c, size_t total)
{
    const unit *u = in_use->f64;
    const int own = c->dtype == ACTC_F64, judged = c->pass == ACTC_FORWARD && (c->exact || c->dtype < ACTC_F32) && !own;
    int vary = 0;
    block s;
    const void *in[INPUTS], *parameters[2 * PARAMETERS];
    void *out[OUTPUTS] = {s.out[0], s.out[1]};
    for (int i = 0; i < PARAMETERS; i++) parameters[2 * i] = s.high[i], parameters[2 * i + 1] = s.low[i];
    for (int i = 0; i < c->parameters; i++) vary |= c->strides[c->inputs + i] != 0;

    for (size_t at = 0, n; at < total; at += n) {
        n = total - at < BLOCK ? total - at : BLOCK;
        for (int i = 0; i < c->inputs + c->parameters; i++) {
            const char *from = c->data[i] + (ptrdiff_t)at * c->strides[i];
            const int k = i - c->inputs;
            if (k >= 0) {
                if (vary || !at) u->split(from, c->strides[i], s.high[k], s.low[k], vary ? n : MAX_LANES);
            } else if (own && c->strides[i] == sizeof(double)) {
                in[i] = from;
            } else {
                u->read[c->dtype](from, c->strides[i], s.in[i], n);
                in[i] = s.in[i];
            }
        }
        f(in, out, n, parameters, (size_t)vary);
        if (judged) judge(in_use, c, in, &s, vary, s.out[0], n);
        /* an output may be an input: nothing is written before all is read */
        for (int i = 0; i < c->outputs; i++) {
            const int k = c->inputs + c->parameters + i;
            u->write[c->dtype](s.out[i], c->data[k] + (ptrdiff_t)at * c->strides[k], c->strides[k], n);
        }
    }
}

static void run(const call *c, size_t n)
{
    const isa *in_use = actc_current_isa();
    loop *const f = in_use->f64->gates[c->gate->index][c->pass];
    const environment before = enter();
    int direct = c->dtype == ACTC_F64;
    for (int i = 0; i < c->inputs + c->parameters + c->outputs; i++) {
        const int is_parameter = i >= c->inputs && i < c->inputs + c->parameters;
        direct &= c->strides[i] == (is_parameter ? 0 : (ptrdiff_t)sizeof(double));
    }
    if (direct) {
        double lanes[2 * PARAMETERS][MAX_LANES];
        const void *parameters[2 * PARAMETERS], *in[INPUTS];
        void *out[OUTPUTS];
        for (int i = 0; i < c->inputs; i++) in[i] = c->data[i];
        for (int i = 0; i < c->outputs; i++) out[i] = c->data[c->inputs + c->parameters + i];
        for (int i = 0; i < c->parameters; i++)
            in_use->f64->split(c->data[c->inputs + i], 0, lanes[2 * i], lanes[2 * i + 1], MAX_LANES);
        for (int i = 0; i < 2 * PARAMETERS; i++) parameters[i] = lanes[i];
        f(in, out, n, parameters, 0);
    } else {
        through_blocks(in_use, f, c, n);
    }
    leave(before);
}

/* ---- the exported entries ---- */

static int describe(call *c, const actc_gate *gate, int pass, enum actc_dtype dtype)
{
    c->gate = gate;
    c->pass = pass & ~ACTC_EXACT;
    c->exact = (pass & ACTC_EXACT) != 0;
    c->dtype = dtype;
    c->parameters = (int)gate->parameter_count;
    c->inputs = c->pass == ACTC_BACKWARD ? 3 : 2;
    c->outputs = c->pass == ACTC_BACKWARD ? 2 : 1;
    return (c->pass == ACTC_FORWARD || c->pass == ACTC_BACKWARD) && (unsigned)dtype < ACTC_DTYPE_COUNT ? 0 : -1;
}

int actc_gate_apply_strided(const actc_gate *gate, enum actc_pass pass, enum actc_dtype dtype, char *const *data,
                            const ptrdiff_t *strides, size_t n)
{
    call c;
    if (describe(&c, gate, pass, dtype)) return -1;
    c.data = data, c.strides = strides;
    run(&c, n);
    return 0;
}

int actc_gate_apply(const actc_gate *gate, enum actc_pass pass, enum actc_dtype dtype, const void *const *in,
                    void *const *out, size_t n, const double *params)
{
    call c;
    char *data[INPUTS + PARAMETERS + OUTPUTS];
    ptrdiff_t strides[INPUTS + PARAMETERS + OUTPUTS];
    int k = 0;
    if (describe(&c, gate, pass, dtype)) return -1;
    for (int i = 0; i < c.inputs; i++, k++)
        data[k] = (char *)(uintptr_t)in[i], strides[k] = (ptrdiff_t)item_size[dtype];
    for (int i = 0; i < c.parameters; i++, k++)
        data[k] = (char *)(uintptr_t)(params ? &params[i] : &gate->parameters[i].default_value), strides[k] = 0;
    for (int i = 0; i < c.outputs; i++, k++) data[k] = out[i], strides[k] = (ptrdiff_t)item_size[dtype];
    c.data = data, c.strides = strides;
    run(&c, n);
    return 0;
}

enum { type_f16 = ACTC_F16, type_bf16 = ACTC_BF16, type_f32 = ACTC_F32, type_f64 = ACTC_F64 };

#define CALL(row, pass, tier, parameters, dtype)                                                                       \
    const double values[] = VALUES_##parameters;                                                                       \
    actc_gate_apply(&table[row_##row], (enum actc_pass)((pass) | (tier)), (enum actc_dtype)type_##dtype, in, out, n,   \
                    values)

#define DEFINE(symbol, row, tier, parameters, dtype, real)                                                             \
    void symbol##_##dtype(const real *a, const real *b, real *y, size_t n ACTC_DOUBLES_##parameters)                   \
    {                                                                                                                  \
        const void *in[] = {a, b};                                                                                     \
        void *out[] = {y};                                                                                             \
        CALL(row, ACTC_FORWARD, tier, parameters, dtype);                                                              \
    }                                                                                                                  \
    void symbol##_backward_##dtype(const real *g, const real *a, const real *b, real *ga, real *gb,                    \
                                   size_t n ACTC_DOUBLES_##parameters)                                                 \
    {                                                                                                                  \
        const void *in[] = {g, a, b};                                                                                  \
        void *out[] = {ga, gb};                                                                                        \
        CALL(row, ACTC_BACKWARD, tier, parameters, dtype);                                                             \
    }

#define GATE(name, parameters, ...) ACTC_SYMBOLS(DEFINE, name, parameters)
#include "../include/actc/gates.def"
#undef GATE
