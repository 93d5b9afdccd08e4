/* apl.c - adaptive piecewise linear units, f(x) = max(0, x) + sum_s a_s max(0, b_s - x): as many parameters as one likes,
   so no row of the table. Computed in pairs of doubles for every type. */
#include "environment.h"
#include "internal.h"
#include "pairwise.h"

#define LARGEST_DOUBLE 0x1.fffffffffffffp1023

static int is_odd(double v)
{
    union {
        double v;
        uint64_t b;
    } w = {v};
    return (int)(w.b & 1);
}
/* h + l rounded to odd, so that rounding once more, to a narrower type, is as good as rounding once */
static double odd_sum(double h, double l)
{
    union {
        double v;
        uint64_t b;
    } w = {h};
    if (l == 0 || l != l || is_odd(h)) return h;
    w.b += (l > 0) == (h > 0) ? 1 : (uint64_t)-1;
    return w.v;
}

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

static void elements(const isa *in_use, const call *c, size_t total)
{
    const unit *u = in_use->f64;
    double g[SUM_BLOCK], x[SUM_BLOCK], a[SUM_BLOCK], b[SUM_BLOCK], sum[4][SUM_BLOCK];
    double *const sums[4] = {sum[0], sum[1], sum[2], sum[3]};
    const int first = c->inputs + 2, narrow = c->dtype != ACTC_F64;
    const size_t vary = c->strides[c->inputs] != 0 || c->strides[c->inputs + 1] != 0;
    for (size_t at = 0, n; at < total; at += n) {
        n = total - at < SUM_BLOCK ? total - at : SUM_BLOCK;
        double *to[2] = {c->inputs == 2 ? g : x, x};
        for (int k = 0; k < c->inputs; k++)
            u->read[c->dtype](c->data[k] + (ptrdiff_t)at * c->strides[k], c->strides[k], to[k], n);
        for (size_t i = 0; i < n; i++) {
            sum[0][i] = x[i] <= 0 ? 0 : x[i];
            sum[2][i] = x[i] <= 0 ? 0 : x[i] == x[i] ? 1 : x[i];
            sum[1][i] = sum[3][i] = 0;
        }
        for (size_t s = 0; s < c->hinges; s++) {
            for (size_t i = 0; i < (vary ? n : 1); i++) a[i] = *hinge(c, 0, at + i, s), b[i] = *hinge(c, 1, at + i, s);
            u->hinges(x, a, b, vary, sums, n);
        }
        for (size_t i = 0; i < n; i++) {
            double y = narrow ? odd_sum(sum[0][i], sum[1][i]) : sum[0][i];
            double d = narrow ? odd_sum(sum[2][i], sum[3][i]) : sum[2][i];
            if (x[i] < -LARGEST_DOUBLE) y = at_minus_infinity(c, at + i, d);
            if (x[i] != x[i]) y = d = x[i];
            sum[0][i] = c->pass == ACTC_DERIVATIVE          ? d
                        : c->pass == ACTC_BACKWARD          ? g[i] * d
                        : c->pass == ACTC_SECOND_DERIVATIVE ? (d == d ? 0 : d)
                                                            : y;
            sum[2][i] = d;
        }
        for (int k = 0; k < (c->pass == ACTC_VALUE_AND_DERIVATIVE ? 2 : 1); k++)
            u->write[c->dtype](sum[2 * k], c->data[first + k] + (ptrdiff_t)at * c->strides[first + k],
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
