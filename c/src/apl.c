/* apl.c - adaptive piecewise linear units, f(x) = max(0, x) + sum_s a_s max(0, b_s - x): as many parameters as one likes,
   so no row of the table. Computed in pairs of doubles for every type. */
#include "environment.h"
#include "internal.h"
#include "pairwise.h"
#include "parameters.h"
#include "system.h"

static const actc_activation *const about =
    ABOUT(apl, .formula = "max(0, x) + sum(a*max(0, b - x))", .derivative = "(x > 0) - sum(a*(x < b))",
          .second_derivative = "0", .domain = "(-inf, inf)", .range = "depends on a and b",
          .limits = "-sum(a)*(-inf), inf; -sum(a), 1; 0, 0", .kinks = "0 and every b",
          .kink = "the flat side: f'(0) counts [0 > 0] = 0, and at x = b the hinge counts 0", .zeros = "",
          .monotonicity = "increasing if f' > 0 beside every kink", .lipschitz = "the largest abs(f') beside a kink",
          .gain = NAN, .derivative_gain = NAN, /* of the hinges: actc.init.gain computes them */
          .reference = "Agostinelli et al. 2014, Learning activation functions to improve deep neural networks",
          .elsewhere = "no other library has it");
const actc_activation *actc_apl_about(void) { return about; }

#define LARGEST_DOUBLE 0x1.fffffffffffffp1023

/* One call: operands as actc_apl_strided has them. */
typedef struct call {
    int pass, inputs;
    enum actc_dtype dtype;
    char *const *data;
    const ptrdiff_t *strides, *hinge_strides;
    size_t hinges;
} call;

/* hinge s of operand k (0: a, 1: b), for the element i */
static double *hinge(const call *c, int k, size_t i, size_t s)
{
    return (double *)(c->data[c->inputs + k] + (ptrdiff_t)i * c->strides[c->inputs + k] +
                      (ptrdiff_t)s * c->hinge_strides[k]);
}

/* f(-inf): what the slope there says, and where that is 0 the constant that is left */
static double at_minus_infinity(const call *c, size_t i, double slope)
{
    double sum = 0;
    if (slope != 0) return slope * -(LARGEST_DOUBLE * 2);
    for (size_t s = 0; s < c->hinges; s++) sum += *hinge(c, 0, i, s) * *hinge(c, 1, i, s);
    return sum;
}

/* The hinges of n elements from `at` on, side by side for the kernels; returns how many of them, from the first-th on. */
static size_t gather(const call *c, size_t at, size_t n, size_t first, size_t most, size_t step, double *ab)
{
    const size_t count = c->hinges - first < most ? c->hinges - first : most;
    for (size_t s = 0; s < count; s++)
        for (int k = 0; k < 2; k++)
            for (size_t i = 0; i < (step ? n : 1); i++)
                ab[(2 * s + (size_t)k) * (step ? SUM_BLOCK : 1) + i] = *hinge(c, k, at + i, first + s);
    return count;
}

enum { SOME = 32 }; /* hinges at a time that are the same for all elements; of others, one */

static void elements(const isa *in_use, const call *c, size_t total)
{
    const unit *u = in_use->f64;
    double g[SUM_BLOCK], x[SUM_BLOCK], y[SUM_BLOCK], d[SUM_BLOCK], low[2][SUM_BLOCK], ab[2 * SUM_BLOCK];
    const int first = c->inputs + 2;
    const int values = c->pass == ACTC_FORWARD || c->pass == ACTC_VALUE_AND_DERIVATIVE;
    const int slopes = c->pass != ACTC_FORWARD; /* f(-inf) needs them too */
    const size_t step = c->strides[c->inputs] != 0 || c->strides[c->inputs + 1] != 0, most = step ? 1 : SOME;
    double *out[2] = {values ? y : d, d}, *by = c->pass == ACTC_BACKWARD ? g : NULL;
    for (size_t at = 0, n, count; at < total; at += n) {
        int infinite = 0, part = FIRST_HINGES;
        double *to[2] = {c->inputs == 2 ? g : x, x};
        n = total - at < SUM_BLOCK ? total - at : SUM_BLOCK;
        for (int k = 0; k < c->inputs; k++)
            u->read[c->dtype](c->data[k] + (ptrdiff_t)at * c->strides[k], c->strides[k], to[k], n);
        for (size_t s = 0; s < c->hinges || part & FIRST_HINGES; s += count, part = 0) {
            if (!step && s == 0 && at > 0 && c->hinges <= most)
                count = c->hinges; /* still there */
            else
                count = gather(c, at, n, s, most, step, ab);
            if (s + count >= c->hinges) part |= LAST_HINGES;
            if (values) infinite = u->hinges(NULL, x, ab, count, step, part, c->dtype, 0, y, low[0], n);
            if (slopes || infinite) u->hinges(by, x, ab, count, step, part, c->dtype, 1, d, low[1], n);
        }
        for (size_t i = 0; i < n && infinite && values; i++)
            if (x[i] < -LARGEST_DOUBLE) y[i] = at_minus_infinity(c, at + i, d[i]);
        for (size_t i = 0; i < n && c->pass == ACTC_SECOND_DERIVATIVE; i++) d[i] = x[i] == x[i] ? 0 : x[i];
        for (int k = 0; k < (c->pass == ACTC_VALUE_AND_DERIVATIVE ? 2 : 1); k++)
            u->write[c->dtype](out[k], c->data[first + k] + (ptrdiff_t)at * c->strides[first + k],
                               c->strides[first + k], n);
    }
}

/* da_s = sum_i g_i max(0, b_s - x_i), db_s = sum_i g_i a_s [x_i < b_s] */
static void parameter_sums(const isa *in_use, const call *c, size_t total)
{
    const unit *u = in_use->f64;
    for (size_t s = 0; s < c->hinges; s++) {
        const double a = *hinge(c, 0, 0, s), b = *hinge(c, 1, 0, s);
        double g[SUM_BLOCK], x[SUM_BLOCK], of_a[SUM_BLOCK], of_b[SUM_BLOCK];
        pairwise sum_a, sum_b;
        sum_a.blocks = sum_b.blocks = 0;
        for (size_t at = 0, n; at < total; at += n) {
            n = total - at < SUM_BLOCK ? total - at : SUM_BLOCK;
            u->read[c->dtype](c->data[0] + (ptrdiff_t)at * c->strides[0], c->strides[0], g, n);
            u->read[c->dtype](c->data[1] + (ptrdiff_t)at * c->strides[1], c->strides[1], x, n);
            for (size_t i = 0; i < n; i++) {
                const int closed = b - x[i] <= 0;
                of_a[i] = g[i] * (closed ? 0 : b - x[i]);
                of_b[i] = g[i] * (closed ? a * 0 : x[i] == x[i] ? a : x[i]);
            }
            add_block(&sum_a, of_a, n);
            add_block(&sum_b, of_b, n);
        }
        *(double *)(c->data[4] + (ptrdiff_t)s * c->hinge_strides[2]) = total_of(&sum_a);
        *(double *)(c->data[5] + (ptrdiff_t)s * c->hinge_strides[3]) = total_of(&sum_b);
    }
}

int actc_apl_strided(enum actc_pass pass, enum actc_dtype dtype, char *const *data, const ptrdiff_t *strides, size_t n,
                     const ptrdiff_t *hinge_strides, size_t hinges)
{
    const int kind = pass & ~ACTC_EXACT;
    call c = {
        kind,  kind == ACTC_BACKWARD || kind == ACTC_PARAMETER_BACKWARD ? 2 : 1, dtype, data, strides, hinge_strides,
        hinges};
    if ((unsigned)kind >= ACTC_PASS_COUNT || (unsigned)dtype >= ACTC_DTYPE_COUNT) return -1;
    const isa *in_use = actc_current_isa();
    const environment before = enter();
    if (kind == ACTC_PARAMETER_BACKWARD)
        parameter_sums(in_use, &c, n);
    else
        elements(in_use, &c, n);
    leave(before);
    return 0;
}

/* ---- the flat symbols ---- */

static void contiguous(int pass, enum actc_dtype dtype, const void *g, const void *x, void *y, void *d, size_t n,
                       const double *a, const double *b, size_t hinges)
{
    const ptrdiff_t size = (ptrdiff_t)item_size[dtype], hinge_strides[] = {sizeof(double), sizeof(double), 8, 8};
    char *data[6];
    ptrdiff_t strides[6] = {0};
    int k = 0;
    if (g) data[k] = (char *)(uintptr_t)g, strides[k++] = size;
    data[k] = (char *)(uintptr_t)x, strides[k++] = size;
    data[k++] = (char *)(uintptr_t)a, data[k++] = (char *)(uintptr_t)b;
    data[k] = y, strides[k++] = size;
    if (d) data[k] = d, strides[k] = size;
    actc_apl_strided((enum actc_pass)pass, dtype, data, strides, n, hinge_strides, hinges);
}

#define HINGES size_t n, const double *a, const double *b, size_t hinges
#define CALL(pass, dtype, g, x, y, d) contiguous(pass, (enum actc_dtype)type_##dtype, g, x, y, d, n, a, b, hinges)
#define DEFINE(symbol, row, tier, parameters, dtype, real)                                                             \
    void symbol##_##dtype(const real *x, real *y, HINGES) { CALL(ACTC_FORWARD, dtype, NULL, x, y, NULL); }             \
    void symbol##_derivative_##dtype(const real *x, real *d, HINGES)                                                   \
    {                                                                                                                  \
        CALL(ACTC_DERIVATIVE, dtype, NULL, x, d, NULL);                                                                \
    }                                                                                                                  \
    void symbol##_second_derivative_##dtype(const real *x, real *d2, HINGES)                                           \
    {                                                                                                                  \
        CALL(ACTC_SECOND_DERIVATIVE, dtype, NULL, x, d2, NULL);                                                        \
    }                                                                                                                  \
    void symbol##_backward_##dtype(const real *g, const real *x, real *gx, HINGES)                                     \
    {                                                                                                                  \
        CALL(ACTC_BACKWARD, dtype, g, x, gx, NULL);                                                                    \
    }                                                                                                                  \
    void symbol##_value_and_derivative_##dtype(const real *x, real *y, real *d, HINGES)                                \
    {                                                                                                                  \
        CALL(ACTC_VALUE_AND_DERIVATIVE, dtype, NULL, x, y, d);                                                         \
    }                                                                                                                  \
    void symbol##_parameter_backward_##dtype(const real *g, const real *x, HINGES, double *da, double *db)             \
    {                                                                                                                  \
        CALL(ACTC_PARAMETER_BACKWARD, dtype, g, x, da, db);                                                            \
    }
ACTC_TYPES(DEFINE, actc_apl, apl, 0, NONE)
ACTC_TYPES(DEFINE, actc_exact_apl, apl, ACTC_EXACT, NONE)
