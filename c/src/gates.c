/* gates.c - the table of gates as data, which kernel, and the exported symbols. */
#include "environment.h"
#include "internal.h"
#include "parameters.h"
#include "system.h"

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

enum kind { EXACT, ROUNDED, CLAMPED }; /* as gates.def explains them */
static const unsigned char kind_of[ROW_COUNT] = {
#define GATE(name, parameters, activation, kind, ...) kind,
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

/* One block as reals of one unit; room for doubles, of which the float unit uses half. */
typedef struct block {
    double in[INPUTS][BLOCK], out[OUTPUTS][BLOCK];
    PARAMETER_ROOM(BLOCK) parameters[PARAMETERS];
} block;

static char *element_of(const call *c, int operand, size_t i)
{
    return c->data[operand] + (ptrdiff_t)i * c->strides[operand];
}

/* Whether the float unit can hold parameter i. A clamp has to be right to the last bit. */
static int fits(const call *c, int i, double v)
{
    const int is_limit = kind_of[c->gate->index] == CLAMPED && i == c->parameters - 1;
    return fits_float(v) && (!is_limit || (double)(float)v == v);
}
/* for parameters that are one number for all elements */
static int all_fit(const call *c)
{
    for (int i = 0; i < c->parameters; i++)
        if (!fits(c, i, *(const double *)c->data[c->inputs + i])) return 0;
    return 1;
}

/* Whether results of this unit must round correctly and may not. */
static int is_judged(const unit *u, const call *c)
{
    return c->pass == ACTC_FORWARD && u->doubtful[c->dtype] && (c->exact || c->dtype < ACTC_F32) &&
           kind_of[c->gate->index] != EXACT;
}

/* Elements list[0..count) after `at` in doubles, and where even a double lies too near to the middle between two numbers
   of the dtype, once more in pairs of doubles and rounded to odd. words[k][j] receives output k of the j-th of them. */
static void reconsider(const isa *in_use, const call *c, size_t at, const uint16_t *list, size_t count,
                       double words[OUTPUTS][BLOCK])
{
    const unit *u = in_use->f64;
    loop *const odd = in_use->pairs->gates[c->gate->index][ODD];
    double items[INPUTS + PARAMETERS][RETRY];
    for (size_t done = 0, m; done < count; done += m) {
        m = count - done < RETRY ? count - done : RETRY;
        for (size_t k = 0; k < m; k++)
            for (int i = 0; i < c->inputs + c->parameters; i++) {
                const char *from = element_of(c, i, at + list[done + k]);
                if (i < c->inputs)
                    u->read[c->dtype](from, 0, &items[i][k], 1);
                else
                    items[i][k] = *(const double *)from;
            }
        const void *in[INPUTS], *parameters[SUMMANDS * PARAMETERS] = {NULL};
        void *out[OUTPUTS] = {words[0] + done, words[1] + done};
        for (int i = 0; i < INPUTS; i++) in[i] = items[i];
        for (int i = 0; i < PARAMETERS; i++) parameters[SUMMANDS * i] = items[c->inputs + i];
        u->gates[c->gate->index][c->pass](in, out, m, parameters, 1);
        if (!is_judged(u, c)) continue;

        uint16_t open[RETRY];
        double word[RETRY];
        void *to[] = {word};
        const size_t left = u->doubtful[c->dtype](words[0] + done, m, 0, open);
        if (!left) continue;
        odd(in, to, m, parameters, 1);
        for (size_t k = 0; k < left; k++) words[0][done + open[k]] = word[open[k]];
    }
}

/* Block by block through one unit; what it cannot decide, be it that a parameter does not fit or that the result is
   doubtful, is computed again. These are few: 1 in 2^23 of float32 in doubles, 1 in 512 of float16 in floats. */
static OWN_FRAME void through_blocks(const isa *in_use, const unit *u, const call *c, size_t total)
{
    loop *const f = u->gates[c->gate->index][c->pass];
    const int own = c->dtype == (u == in_use->f32 ? ACTC_F32 : ACTC_F64), is_float = u == in_use->f32;
    const int judged = is_judged(u, c);
    int vary = 0;
    block s;
    double words[OUTPUTS][BLOCK];
    const void *in[INPUTS], *parameters[SUMMANDS * PARAMETERS];
    void *out[OUTPUTS] = {s.out[0], s.out[1]};
    POINT_TO(s.parameters, PARAMETERS, parameters);
    for (int i = 0; i < c->parameters; i++) vary |= c->strides[c->inputs + i] != 0;

    for (size_t at = 0, n; at < total; at += n) {
        n = total - at < BLOCK ? total - at : BLOCK;
        for (int i = 0; i < c->inputs + c->parameters; i++) {
            const char *from = element_of(c, i, at);
            const int k = i - c->inputs;
            if (k >= 0) {
                if (vary || !at) u->split(from, c->strides[i], s.parameters + k, BLOCK, vary ? n : MAX_LANES);
            } else if (own && c->strides[i] == (ptrdiff_t)item_size[c->dtype]) {
                in[i] = from;
            } else {
                u->read[c->dtype](from, c->strides[i], s.in[i], n);
                in[i] = s.in[i];
            }
        }
        f(in, out, n, parameters, (size_t)vary);

        uint16_t list[BLOCK];
        size_t count = judged ? u->doubtful[c->dtype](s.out[0], n, 0, list) : 0;
        if (is_float && vary) {
            uint8_t again[BLOCK] = {0};
            for (size_t k = 0; k < count; k++) again[list[k]] = 1;
            for (int i = 0; i < c->parameters; i++)
                for (size_t k = 0; k < n; k++)
                    again[k] |= !fits(c, i, *(const double *)element_of(c, c->inputs + i, at + k));
            count = 0;
            for (size_t k = 0; k < n; k++)
                if (again[k]) list[count++] = (uint16_t)k;
        }
        if (count) reconsider(in_use, c, at, list, count, words);
        /* an output may be an input: nothing is written before all is read */
        for (int i = 0; i < c->outputs; i++) {
            const int k = c->inputs + c->parameters + i;
            u->write[c->dtype](s.out[i], element_of(c, k, at), c->strides[k], n);
            for (size_t j = 0; j < count; j++)
                in_use->f64->write[c->dtype](&words[i][j], element_of(c, k, at + list[j]), 0, 1);
        }
    }
}

/* Floats serve float32 and the halves, as far as the parameters fit; doubles serve float64 and `exact` float32. */
static const unit *unit_for(const isa *in_use, const call *c)
{
    const int exact = c->dtype == ACTC_F32 && c->exact && kind_of[c->gate->index] != EXACT;
    if (c->dtype == ACTC_F64 || exact) return in_use->f64;
    for (int i = 0; i < c->parameters; i++)
        if (c->strides[c->inputs + i]) return in_use->f32;
    return all_fit(c) ? in_use->f32 : in_use->f64;
}

static void run(const call *c, size_t n)
{
    const isa *in_use = actc_current_isa();
    const environment before = enter();
    const unit *u = unit_for(in_use, c);
    int direct = c->dtype == (u == in_use->f32 ? ACTC_F32 : ACTC_F64);
    for (int i = 0; i < c->inputs + c->parameters + c->outputs; i++) {
        const int is_parameter = i >= c->inputs && i < c->inputs + c->parameters;
        direct &= c->strides[i] == (is_parameter ? 0 : (ptrdiff_t)item_size[c->dtype]);
    }
    if (direct) {
        PARAMETER_ROOM(MAX_LANES) lanes[PARAMETERS];
        const void *parameters[SUMMANDS * PARAMETERS], *in[INPUTS];
        void *out[OUTPUTS];
        for (int i = 0; i < c->inputs; i++) in[i] = c->data[i];
        for (int i = 0; i < c->outputs; i++) out[i] = c->data[c->inputs + c->parameters + i];
        for (int i = 0; i < c->parameters; i++) u->split(c->data[c->inputs + i], 0, lanes + i, MAX_LANES, MAX_LANES);
        POINT_TO(lanes, PARAMETERS, parameters);
        const size_t size = item_size[c->dtype];
        const size_t first = before_line(in[0], size, n, kind_of[c->gate->index] == EXACT);
        if (first) {
            u->gates[c->gate->index][c->pass](in, out, first, parameters, 0);
            for (int i = 0; i < c->inputs; i++) in[i] = (const char *)in[i] + first * size;
            for (int i = 0; i < c->outputs; i++) out[i] = (char *)out[i] + first * size;
        }
        u->gates[c->gate->index][c->pass](in, out, n - first, parameters, 0);
    } else {
        through_blocks(in_use, u, c, n);
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
