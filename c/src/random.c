/* random.c - Philox, and RReLU, whose slopes it draws. */
#include "environment.h"
#include "internal.h"

void actc_philox4x32_10(const uint32_t counter[4], const uint32_t key[2], uint32_t *words, size_t count)
{
    const unit *u = actc_current_isa()->f64;
    uint64_t low = counter[0] | (uint64_t)counter[1] << 32, high = counter[2] | (uint64_t)counter[3] << 32;
    for (size_t n; count; count -= n, words += 4 * n) {
        const uint32_t at[4] = {(uint32_t)low, (uint32_t)(low >> 32), (uint32_t)high, (uint32_t)(high >> 32)};
        n = count < u->counters ? count : u->counters;
        u->philox(at, key, words, n);
        low += n;
        high += low < n;
    }
}

/* A leaky ReLU with an array of slopes, which exists a block at a time: the mathematics and the dtypes are leaky_relu's.
   Both tiers are its exact one, which with slopes in an array is the faster, too (0.9 ns an element against 2.5). */
int actc_rrelu_apply(enum actc_pass pass, enum actc_dtype dtype, const void *const *in, void *const *out, size_t n,
                     double lower, double upper, uint64_t key, uint64_t first)
{
    const actc_activation *leaky = actc_find("leaky_relu");
    const int kind = pass & ~ACTC_EXACT, inputs = kind == ACTC_BACKWARD ? 2 : 1;
    if (kind != ACTC_FORWARD && kind != ACTC_DERIVATIVE && kind != ACTC_BACKWARD) return -1;
    if ((unsigned)dtype >= ACTC_DTYPE_COUNT) return -1;
    const enum actc_pass exact = (enum actc_pass)(kind | ACTC_EXACT);
    const size_t size = item_size[dtype];
    double slopes[BLOCK];
    char *data[4];
    ptrdiff_t strides[4];
    for (int i = 0; i < inputs + 2; i++) strides[i] = (ptrdiff_t)(i == inputs ? sizeof(double) : size);
    for (size_t at = 0, m; at < n; at += m) {
        m = n - at < BLOCK ? n - at : BLOCK;
        const environment before = enter();
        actc_current_isa()->f64->uniform(key, first + at, lower, upper, slopes, m);
        leave(before);
        for (int i = 0; i < inputs; i++) data[i] = (char *)(uintptr_t)in[i] + at * size;
        data[inputs] = (char *)slopes;
        data[inputs + 1] = (char *)out[0] + at * size;
        actc_apply_strided(leaky, exact, dtype, data, strides, m);
    }
    return 0;
}

#define CALL(pass, tier, dtype, result, ...)                                                                           \
    const void *in[] = {__VA_ARGS__};                                                                                  \
    void *out[] = {result};                                                                                            \
    actc_rrelu_apply((enum actc_pass)((pass) | (tier)), (enum actc_dtype)type_##dtype, in, out, n, lower, upper, key,  \
                     first)

#define DEFINE(symbol, row, tier, parameters, dtype, real)                                                             \
    void symbol##_##dtype(const real *x, real *y, size_t n, double lower, double upper, uint64_t key, uint64_t first)  \
    {                                                                                                                  \
        CALL(ACTC_FORWARD, tier, dtype, y, x);                                                                         \
    }                                                                                                                  \
    void symbol##_derivative_##dtype(const real *x, real *d, size_t n, double lower, double upper, uint64_t key,       \
                                     uint64_t first)                                                                   \
    {                                                                                                                  \
        CALL(ACTC_DERIVATIVE, tier, dtype, d, x);                                                                      \
    }                                                                                                                  \
    void symbol##_backward_##dtype(const real *g, const real *x, real *gx, size_t n, double lower, double upper,       \
                                   uint64_t key, uint64_t first)                                                       \
    {                                                                                                                  \
        CALL(ACTC_BACKWARD, tier, dtype, gx, g, x);                                                                    \
    }

ACTC_SYMBOLS(DEFINE, rrelu, NONE)
