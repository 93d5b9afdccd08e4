/* call.h - one call of an elementwise function, between dispatch.c, which describes it, run.c, which chooses its loops, and
   blocks.c. */
#ifndef ACTC_CALL_H
#define ACTC_CALL_H

#include "internal.h"

enum kind { EXACT, ROUNDED, PAIRED, WIDE, NARROWED }; /* as activations.def explains them */

enum {
#define ROW(name, ...) row_##name,
#include "../include/actc/activations.def"
#undef ROW
    ROW_COUNT
};

extern const unsigned char actc_kind_of[ROW_COUNT];

/* One call, as the loops below see it: operands in the order inputs, parameters, outputs. */
typedef struct call {
    size_t row;
    int pass, exact, inputs, parameters, outputs;
    enum actc_dtype dtype;
    char *const *data;
    const ptrdiff_t *strides;
} call;

/* Whether a unit can hold a parameter: 0 where it can hold that, and sizes between the limits. */
typedef struct fits {
    int zero;
    double least, most;
} fits;

void actc_run(const call *c, size_t n);

/* Block by block through one unit: for strides, for parameter arrays and for dtypes that are not the unit's own. What the
   unit cannot decide, be it that a parameter does not fit (NULL: all do) or that the result is doubtful, is computed
   again. */
void actc_through_blocks(const isa *in_use, const unit *u, loop *f, const fits *fit, const call *c, size_t total);

static inline int fits_in(const fits *f, double p)
{
    const double a = p < 0 ? -p : p;
    return ((a > f->least) & (a < f->most)) | ((p == 0) & f->zero);
}

/* One block of elements as reals of one unit; room for doubles, of which the float unit uses half. */
typedef struct block {
    double in[2][BLOCK], out[MAX_PARAMETERS][BLOCK];
    PARAMETER_ROOM(BLOCK) parameters[MAX_PARAMETERS];
} block;

static inline char *element_of(const call *c, int operand, size_t i)
{
    return c->data[operand] + (ptrdiff_t)i * c->strides[operand];
}

static inline int parameters_vary(const call *c)
{
    int vary = 0;
    for (int i = 0; i < c->parameters; i++) vary |= c->strides[c->inputs + i] != 0;
    return vary;
}

/* Elements [at, at + n) into the block: in[] points there, or to memory where that is of the unit's own type already. */
static inline void gather(const unit *u, int own, const call *c, size_t at, size_t n, block *s, const void **in)
{
    const int vary = parameters_vary(c);
    for (int i = 0; i < c->inputs; i++) {
        in[i] = element_of(c, i, at);
        if (own && c->strides[i] == (ptrdiff_t)item_size[c->dtype]) continue;
        u->read[c->dtype](in[i], c->strides[i], s->in[i], n);
        in[i] = s->in[i];
    }
    for (int i = 0; i < c->parameters; i++)
        u->split(element_of(c, c->inputs + i, at), c->strides[c->inputs + i], s->parameters + i, BLOCK,
                 vary ? n : MAX_LANES);
}

#endif
