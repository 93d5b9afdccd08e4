/* test_fma.c - the multiply-add of processors without one (c/src/vec/fma.h) against the C library's: sums that cancel,
   ties, subnormal results, overflow, infinities and NaN, and bits at random.

     test_fma [millions of each kind]      -DDOUBLE=0 for floats, -DDOUBLE=1 for doubles */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef FP_FAST_FMA
#undef FP_FAST_FMAF
#undef __FP_FAST_FMA
#undef __FP_FAST_FMAF

#define INLINE inline
#define OUT_OF_LINE
#if DOUBLE
typedef double real;
typedef uint64_t bits;
#define SIGN ((uint64_t)1 << 63)
#define MANTISSA 52
#define EXPONENTS 2048
#define LIBRARY_FMA fma
#else
typedef float real;
typedef uint32_t bits;
#define SIGN ((uint32_t)1 << 31)
#define MANTISSA 23
#define EXPONENTS 256
#define LIBRARY_FMA fmaf
#endif
static inline double as_double(uint64_t b)
{
    double v;
    memcpy(&v, &b, sizeof v);
    return v;
}
static inline uint64_t as_bits(double v)
{
    uint64_t b;
    memcpy(&b, &v, sizeof b);
    return b;
}
#include "../../c/src/vec/fma.h"

static real from_bits(bits b)
{
    real v;
    memcpy(&v, &b, sizeof v);
    return v;
}
static bits to_bits(real v)
{
    bits b;
    memcpy(&b, &v, sizeof b);
    return b;
}

static uint64_t state = 1;
static uint64_t any(void) /* splitmix64 */
{
    uint64_t z = state += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
}
/* a mantissa at random, or one of few bits, whose products are ties */
static bits mantissa(void)
{
    const bits all = ((bits)1 << MANTISSA) - 1, m = (bits)any() & all;
    switch (any() % 4) {
    case 0: return m & ~(all >> any() % (MANTISSA + 1));
    case 1: return (m >> any() % (MANTISSA + 1)) & all;
    default: return m;
    }
}
static real with_exponent(int64_t e)
{
    const bits exponent = (bits)(e < 0 ? 0 : e > EXPONENTS - 1 ? EXPONENTS - 1 : e);
    return from_bits((any() & 1 ? SIGN : 0) | exponent << MANTISSA | mantissa());
}
static int64_t exponent_of(real v) { return (int64_t)(to_bits(v) >> MANTISSA & (EXPONENTS - 1)); }

static long failures, checks;
static void compare(real a, real b, real c, real found)
{
    const real expected = LIBRARY_FMA(a, b, c);
    checks++;
    if (to_bits(found) == to_bits(expected) || (found != found && expected != expected)) return;
    if (failures++ < 10)
        printf("FAIL %a * %a + %a = %a, not %a\n", (double)a, (double)b, (double)c, (double)expected, (double)found);
}
static void check(real a, real b, real c)
{
    compare(a, b, c, fma_one(a, b, c));
#ifdef FMA_OF_FOUR /* among its neighbours, of all kinds */
    static float x[4], y[4], z[4], all[4];
    static unsigned lane;
    lane = (lane + 1) % 4;
    x[lane] = a, y[lane] = b, z[lane] = c;
    _mm_storeu_ps(all, fma_of_four(_mm_loadu_ps(x), _mm_loadu_ps(y), _mm_loadu_ps(z)));
    for (int i = 0; i < 4; i++) compare(x[i], y[i], z[i], all[i]);
#endif
}

/* A product that is next to half a unit in the last place of c, or just that. */
static void check_near_tie(void)
{
    const bits one = to_bits(1), i = (bits)(any() % 4);
    const real c = with_exponent((int64_t)(any() % (any() % 2 ? 4 : EXPONENTS)));
    const int64_t exponent = exponent_of(c) ? exponent_of(c) : 1;
    const int n = (int)exponent - (EXPONENTS / 2 - 1) - MANTISSA - 1;
    const real a = (real)ldexp(from_bits(one + i), n / 2), b = (real)ldexp(from_bits(one - 2 * i), n - n / 2);
    check(any() % 2 ? a : -a, b, c);
}

enum kind { ANY_BITS, NEAR, CANCELLING, SUBNORMAL, LARGE, KINDS };
static void check_one(enum kind kind)
{
    const int64_t middle = EXPONENTS / 2 - 1;
    real a = from_bits((bits)any()), b = from_bits((bits)any()), c = from_bits((bits)any());
    if (kind != ANY_BITS) {
        const int64_t e = (int64_t)(any() % EXPONENTS);
        /* the exponent of the product, and of a */
        const int64_t of_both = kind == SUBNORMAL ? (int64_t)(any() % (2 * MANTISSA + 8)) - MANTISSA - 4
                                : kind == LARGE   ? EXPONENTS - 4 + (int64_t)(any() % 6)
                                                  : e;
        a = with_exponent(e), b = with_exponent(of_both + middle - exponent_of(a));
        c = with_exponent(of_both + (int64_t)(any() % (4 * MANTISSA)) - 2 * MANTISSA);
    }
    if (kind == CANCELLING || any() % 8 == 0) c = from_bits(to_bits(-(a * b)) + (bits)(any() % 5) - 2);
    check(a, b, c);
}

int main(int count, char **values)
{
    const double largest = DOUBLE ? 0x1.fffffffffffffp1023 : 0x1.8p127;
    const double special[] = {0,         1,         1.5,     3,        0x1p-126, 0x1p-149, 0x1.fffffep127,
                              0x1p-1022, 0x1p-1074, largest, INFINITY, NAN};
    enum { SPECIALS = sizeof special / sizeof *special };
    for (int i = 0; i < 8 * SPECIALS * SPECIALS * SPECIALS; i++) {
        const int k = i / 8;
        const real a = (real)special[k % SPECIALS], b = (real)special[k / SPECIALS % SPECIALS],
                   c = (real)special[k / SPECIALS / SPECIALS];
        check(i & 1 ? -a : a, i & 2 ? -b : b, i & 4 ? -c : c);
    }
    const double millions = count > 1 ? atof(values[1]) : 1;
    for (long i = 0; i < (long)(millions * 1e6); i++) {
        for (int kind = 0; kind < KINDS; kind++) check_one((enum kind)kind);
        check_near_tie();
    }
    printf("test_fma: %s, %ld checks, %ld failures\n", DOUBLE ? "doubles" : "floats", checks, failures);
    return failures != 0;
}
