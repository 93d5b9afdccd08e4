/* blocks.c - elements staged through blocks in L1, and those that one unit cannot decide given to the next. */
#include "call.h"
#include "system.h"

typedef struct retry {
    double in[2][RETRY], out[MAX_PARAMETERS][RETRY], parameters[MAX_PARAMETERS][RETRY];
} retry;

/* Whether an output is a derivative that passes through 0. */
static int has_zeros(const call *c, int output)
{
    return (c->pass == ACTC_DERIVATIVE || output == 1) && actc_at(c->row)->zeros[0];
}

/* Halves that the float unit rounds right without a judge, by type and whether of f' (a judge takes an eighth of tanh's
   time and three quarters of gelu's derivative's). */
static const unsigned char sure[ROW_COUNT][2][2] = {
#define SURE(name, f16, df16, bf16, dbf16) [row_##name] = {[ACTC_F16] = {f16, df16}, [ACTC_BF16] = {bf16, dbf16}},
#include "sure_halves.def"
#undef SURE
};

/* Whether an output of this unit needs a judge: f and f' of a type narrower than the unit's, where anything rounds. */
static int has_judge(const isa *in_use, const unit *u, const call *c, int output)
{
    const int is_correct = c->pass <= ACTC_VALUE_AND_DERIVATIVE && c->pass != ACTC_BACKWARD;
    const int is_derivative = c->pass == ACTC_DERIVATIVE || output == 1;
    if (u == in_use->f32 && c->dtype < ACTC_F32 && sure[c->row][c->dtype][is_derivative]) return 0;
    return is_correct && u->doubtful[c->dtype] && actc_kind_of[c->row] != EXACT;
}

/* Inputs at which `exact` float32 would be rounded to the wrong side, for the double kernel's error hides the right one,
   at default parameters: found among all 2^32 by tools/prove.py, where arbitrary precision decides. */
typedef struct hard_case {
    uint16_t row, pass;
    uint32_t input, output;
} hard_case;
static const hard_case hard_cases[] = {
#define HARD(name, pass, input, output) {row_##name, pass, input, output},
#include "hard_cases.def"
#undef HARD
    {ROW_COUNT, 0, 0, 0}};

static int are_defaults(const call *c, const void *const *parameters)
{
    for (int i = 0; i < c->parameters; i++) {
        const double *value = parameters[SUMMANDS * i];
        if (*value != actc_at(c->row)->parameters[i].default_value) return 0;
    }
    return 1;
}

/* The last word on a double v, which is f or f' at x, where the row has no pairs: a listed value, or, for a subnormal
   result, where f(x) = a x + b x^2 .. is a tie but for b, the function of a larger x, whose doubles still show b. */
static double last_word(const unit *u, const call *c, int output, double x, double v, const void *const *parameters)
{
    const int is_derivative = c->pass == ACTC_DERIVATIVE || output == 1;
    union {
        float v;
        uint32_t b;
    } word = {(float)x};
    for (const hard_case *h = hard_cases; c->dtype == ACTC_F32 && h->row < ROW_COUNT; h++)
        if (h->row == c->row && h->input == word.b && h->pass == is_derivative && are_defaults(c, parameters)) {
            word.b = h->output;
            return word.v;
        }
    /* an odd number of half units of the subnormals */
    const double halves = v * (c->dtype == ACTC_BF16 ? 0x1p134 : 0x1p150);
    if (is_derivative || x > 0x1p-120 || x < -0x1p-120 || halves > 0x1p30 || halves < -0x1p30) return v;
    if ((double)(int64_t)halves != halves || !((int64_t)halves & 1)) return v;
    /* so much larger that b shows, and not so much that another number is nearest: swish of a large beta has a large b */
    const double near = (v < 0 ? -v : v) * 0x1p-30;
    for (double times = 0x1p100; times > 1; times *= 0x1p-20) {
        const double larger = x * times;
        double y;
        const void *in[] = {&larger};
        void *out[] = {&y};
        u->loops[c->row][ACTC_FORWARD](in, out, 1, parameters, 1);
        y /= times;
        if (y - v < near && v - y < near) return y;
    }
    return v;
}

static void copy_item(void *to, const void *from, size_t size)
{
    if (size == 2)
        memcpy(to, from, 2);
    else if (size == 4)
        memcpy(to, from, 4);
    else
        memcpy(to, from, 8);
}

/* Elements to be computed again: where they are, and their operands, for an output may be an input. */
typedef struct pending {
    size_t count, at[BLOCK + RETRY];
    double operands[2 + MAX_PARAMETERS][BLOCK + RETRY]; /* one after the other, in their own type */
} pending;

static void note(pending *p, const call *c, size_t at, const uint16_t *list, size_t count)
{
    for (int i = 0; i < c->inputs + c->parameters; i++) {
        const size_t size = i < c->inputs ? item_size[c->dtype] : sizeof(double);
        char *to = (char *)p->operands[i] + p->count * size;
        for (size_t k = 0; k < count; k++) copy_item(to + k * size, element_of(c, i, at + list[k]), size);
    }
    for (size_t k = 0; k < count; k++) p->at[p->count++] = at + list[k];
}

/* The pending elements [first, first + count), count <= RETRY, once more, in double; where a double lies too near to the
   middle of two numbers of the dtype, rounded to odd (from pairs of doubles if the row has them), or by the last word. */
static void reconsider(const isa *in_use, const call *c, const pending *p, size_t first, size_t count)
{
    const unit *u = in_use->f64;
    const ptrdiff_t size = (ptrdiff_t)item_size[c->dtype];
    retry s;
    double word[2][RETRY], results[RETRY];
    const void *in[2] = {s.in[0], s.in[1]}, *parameters[SUMMANDS * MAX_PARAMETERS] = {NULL};
    void *out[MAX_PARAMETERS], *words[2] = {word[0], word[1]};
    for (int i = 0; i < MAX_PARAMETERS; i++) {
        parameters[SUMMANDS * i] = s.parameters[i];
        out[i] = s.out[i];
    }
    for (int i = 0; i < c->inputs; i++)
        u->read[c->dtype]((const char *)p->operands[i] + (ptrdiff_t)first * size, size, s.in[i], count);
    for (int i = 0; i < c->parameters; i++)
        u->split((const char *)(p->operands[c->inputs + i] + first), sizeof(double), s.parameters[i], 0, count);
    u->loops[c->row][c->pass](in, out, count, parameters, 1);

    loop *const paired = in_use->pairs->loops[c->row][ODD], *const odd = paired ? paired : u->loops[c->row][ODD];
    int computed = 0;
    for (int k = 0; k < c->outputs; k++) {
        if (has_judge(in_use, u, c, k)) {
            uint16_t open[RETRY];
            const size_t m = u->doubtful[c->dtype](s.out[k], count, has_zeros(c, k), open);
            if (odd && m && !computed++) odd(in, words, count, parameters, 1);
            for (size_t i = 0; i < m; i++) {
                const size_t e = open[i];
                const void *own[SUMMANDS * MAX_PARAMETERS] = {NULL};
                for (int j = 0; j < MAX_PARAMETERS; j++) own[SUMMANDS * j] = &s.parameters[j][e];
                if (odd) s.out[k][e] = word[c->pass == ACTC_DERIVATIVE || k == 1][e];
                if (!paired) s.out[k][e] = last_word(u, c, k, s.in[0][e], s.out[k][e], own);
            }
        }
        u->write[c->dtype](s.out[k], (char *)results, size, count);
        for (size_t j = 0; j < count; j++)
            copy_item(element_of(c, c->inputs + c->parameters + k, p->at[first + j]),
                      (const char *)results + (ptrdiff_t)j * size, (size_t)size);
    }
}

static void settle(const isa *in_use, const call *c, pending *p)
{
    for (size_t j = 0; j < p->count; j += RETRY)
        reconsider(in_use, c, p, j, p->count - j < RETRY ? p->count - j : RETRY);
    p->count = 0;
}

/* Adds to the list the elements of a block that have a parameter which the unit cannot hold. */
static size_t add_misfits(const fits *fit, const call *c, size_t at, size_t n, uint16_t *list, size_t count)
{
    uint8_t misfit[BLOCK] = {0}, any = 0;
    for (int i = c->inputs; i < c->inputs + c->parameters; i++) {
        if (c->strides[i] == 0 && fits_in(fit, *(const double *)c->data[i])) continue;
        for (size_t k = 0; k < n; k++) any |= misfit[k] |= !fits_in(fit, *(const double *)element_of(c, i, at + k));
    }
    if (!any) return count;
    for (size_t j = 0; j < count; j++) misfit[list[j]] = 0;
    for (size_t k = 0; k < n; k++)
        if (misfit[k]) list[count++] = (uint16_t)k;
    return count;
}

void actc_through_blocks(const isa *in_use, const unit *u, loop *f, const fits *fit, const call *c, size_t total)
{
    const int own = c->dtype == (u == in_use->f32 ? ACTC_F32 : ACTC_F64), vary = parameters_vary(c);
    const int operands = c->inputs + c->parameters + c->outputs;
    const ptrdiff_t size = (ptrdiff_t)item_size[c->dtype];
    int judged[MAX_PARAMETERS];
    block s;
    pending doubts;
    const void *parameters[SUMMANDS * MAX_PARAMETERS];
    void *out[MAX_PARAMETERS];
    POINT_TO(s.parameters, MAX_PARAMETERS, parameters);
    doubts.count = 0;
    for (int i = 0; i < MAX_PARAMETERS; i++) {
        out[i] = s.out[i];
        judged[i] = i < c->outputs && has_judge(in_use, u, c, i) && (c->exact || c->dtype < ACTC_F32);
    }
    for (size_t at = 0, n; at < total; at += n) {
        const void *in[2];
        n = total - at < BLOCK ? total - at : BLOCK;
        gather(u, own, c, at, n, &s, in);
        /* The next block, while this one is computed: the processor itself sees only short bursts of accesses (tanh of 16
           million halves 0.52 ns an element instead of 0.72). Not a function of its own: gcc 12 deletes what only prefetches. */
        const size_t next = at + n, after = total - next < BLOCK ? total : next + BLOCK;
        for (int i = 0; i < operands; i++) {
            const char *end = c->strides[i] == size ? element_of(c, i, after) : NULL;
            for (const char *p = element_of(c, i, next); p < end; p += 64) PREFETCH(p);
        }
        f(in, out, n, parameters, (size_t)vary);

        uint16_t list[BLOCK];
        size_t count = 0;
        for (int k = 0; k < c->outputs; k++) {
            uint16_t more[BLOCK];
            if (!judged[k]) continue;
            const size_t m = u->doubtful[c->dtype](s.out[k], n, has_zeros(c, k), count ? more : list);
            if (!count)
                count = m;
            else
                for (size_t i = 0, old = count; i < m; i++) {
                    size_t j = 0;
                    while (j < old && list[j] != more[i]) j++;
                    if (j == old) list[count++] = more[i];
                }
        }
        if (fit && c->parameters) count = add_misfits(fit, c, at, n, list, count);
        note(&doubts, c, at, list, count);
        for (int i = 0; i < c->outputs; i++) {
            const int k = c->inputs + c->parameters + i;
            u->write[c->dtype](s.out[i], element_of(c, k, at), c->strides[k], n);
        }
        if (doubts.count >= RETRY) settle(in_use, c, &doubts); /* many at once are cheaper */
    }
    settle(in_use, c, &doubts);
}
