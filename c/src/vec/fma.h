/* fma.h - one fused multiply-add in IEEE arithmetic where the processor has none: every unit computes with the same
   operations, so every instruction set gives the same bits. Kept out of line, for inlined it made the units that need
   it six times as large and no faster where it matters. Its own test is tests/c/test_fma.c. */

#if DOUBLE ? defined(FP_FAST_FMA) || defined(__FP_FAST_FMA) : defined(FP_FAST_FMAF) || defined(__FP_FAST_FMAF)
#if DOUBLE
#define fma_one(a, b, c) __builtin_fma(a, b, c)
#else
#define fma_one(a, b, c) __builtin_fmaf(a, b, c)
#endif
#if defined(__powerpc__) && !DOUBLE
#define FMA_IN_PLACE OUT_OF_LINE UNVECTORISED /* gcc 12 may take vmaddfp, which makes 0 of subnormal numbers */
#else
#define FMA_IN_PLACE INLINE
#endif
#elif defined(HARDWARE_FMA) /* the vector header brings its own */
#else
#define FMA_IN_PLACE OUT_OF_LINE

/* s + e with the last bit of s standing for what lies beyond it, so that a second rounding cannot go wrong */
static INLINE double to_odd(double s, double e)
{
    uint64_t b = as_bits(s);
    if ((e < 0 || e > 0) && !(b & 1)) b += (e > 0) == (s > 0) ? 1 : (uint64_t)-1;
    return as_double(b);
}
static INLINE double sum(double a, double b, double *error)
{
    double s = a + b, t = s - a;
    *error = (a - (s - t)) + (b - t);
    return s;
}

#if DOUBLE
static INLINE double power_of_two(int n) { return as_double((uint64_t)(1023 + n) << 52); }
static INLINE double times_power_of_two(double v, int n)
{
    for (; n > 1000; n -= 1000) v *= 0x1p1000;
    for (; n < -1000; n += 1000) v *= 0x1p-1000;
    return v * power_of_two(n);
}
/* v = m 2^n with 1 <= |m| < 2: leaves m, returns n; v finite and not 0 */
static INLINE int split_exponent(double *v)
{
    const int shift = as_bits(*v) >> 52 & 0x7FF ? 0 : 64;
    const uint64_t b = as_bits(*v * power_of_two(shift));
    *v = as_double((b & 0x800FFFFFFFFFFFFF) | 0x3FF0000000000000);
    return (int)(b >> 52 & 0x7FF) - 1023 - shift;
}

/* a*b + c = high + low before the last rounding, low rounded to odd, for operands that neither overflow nor underflow:
   Boldo and Melquiond 2008, "Emulation of FMA and correctly rounded sums", on Dekker's exact product. */
static INLINE double fma_parts(double a, double b, double c, double *low)
{
    double a1 = a * 0x1.000002p27, b1 = b * 0x1.000002p27;
    a1 -= a1 - a, b1 -= b1 - b;
    double a2 = a - a1, b2 = b - b1, p = a * b;
    double e = a2 * b2 - (((p - a1 * b1) - a2 * b1) - a1 * b2), t, v, z;
    double u = sum(c, e, &t), s = sum(p, u, &v), r = sum(v, t, &z);
    *low = to_odd(r, z);
    return s;
}

/* Any magnitudes: operands brought to [1, 2), the sum scaled back with a single rounding. */
static OUT_OF_LINE double fma_of_extremes(double a, double b, double c)
{
    if (!(a - a == 0 && b - b == 0)) return a * b + c; /* NaN and infinities, and then of c alone */
    if (!(c - c == 0)) return c + c;
    double m = c, low, r;
    int n = split_exponent(&a) + split_exponent(&b);
    if (c != 0) {
        const int nc = split_exponent(&m), above = nc - n;
        if (above > 200)
            m *= 0x1p200, n = nc - 200; /* the product is less than a nudge, however small */
        else
            m *= power_of_two(above < -200 ? -200 : above); /* or c is */
    }
    const double s = fma_parts(a, b, m, &low), h = s + low;
    if (h == 0) return h;
    if ((int)(as_bits(h) >> 52 & 0x7FF) - 1023 + n >= -1022) return times_power_of_two(h, n);
    /* a subnormal result: one rounding at its last place, by adding what has that place as its own */
    if (n < -1400)
        r = 0;
    else {
        const double magic = times_power_of_two(h > 0 ? 0x1p52 : -0x1p52, -1074 - n);
        double t, z, u = sum(magic, s, &t), v = sum(t, low, &z);
        r = times_power_of_two((u + to_odd(v, z)) - magic, n);
    }
    return as_double((as_bits(r) & ~SIGN) | (as_bits(h) & SIGN));
}

static INLINE int ordinary(double v)
{
    return as_bits(v) << 1 > as_bits(0x1p-400) << 1 && as_bits(v) << 1 < as_bits(0x1p400) << 1;
}

static OUT_OF_LINE double fma_one(double a, double b, double c)
{
    double low, s;
    if (a == 0 || b == 0) return a * b + c;
    if (!(ordinary(a) && ordinary(b) && (c == 0 || ordinary(c)))) return fma_of_extremes(a, b, c);
    s = fma_parts(a, b, c, &low);
    return s + low;
}
#else
/* The product of two floats is exact in double. */
static OUT_OF_LINE float fma_one(float a, float b, float c)
{
    double e, s = sum((double)a * b, c, &e);
    return (float)to_odd(s, e);
}

#if defined(__SSE2__)
#include <emmintrin.h>
#define FMA_OF_FOUR
static OUT_OF_LINE __m128 one_by_one(__m128 a, __m128 b, __m128 c)
{
    float x[4], y[4], z[4];
    _mm_storeu_ps(x, a), _mm_storeu_ps(y, b), _mm_storeu_ps(z, c);
    for (int i = 0; i < 4; i++) z[i] = fma_one(x[i], y[i], z[i]);
    return _mm_loadu_ps(z);
}
/* Four at once. That the sum is rounded twice makes a difference only where the first time it ends in the middle between
   two floats, or the second one is to a subnormal number: hardly ever. */
#define UPPER(v) _mm_cvtps_pd(_mm_movehl_ps(v, v))
#define WORDS(s, t, which) _mm_castps_si128(_mm_shuffle_ps(_mm_castpd_ps(s), _mm_castpd_ps(t), which))
static OUT_OF_LINE __m128 fma_of_four(__m128 a, __m128 b, __m128 c)
{
    const __m128d s = _mm_add_pd(_mm_mul_pd(_mm_cvtps_pd(a), _mm_cvtps_pd(b)), _mm_cvtps_pd(c));
    const __m128d t = _mm_add_pd(_mm_mul_pd(UPPER(a), UPPER(b)), UPPER(c));
    const __m128i low = _mm_and_si128(WORDS(s, t, 0x88), _mm_set1_epi32(0x1FFFFFFF));
    const __m128i high = _mm_and_si128(WORDS(s, t, 0xDD), _mm_set1_epi32(0x7FFFFFFF));
    const __m128i in_the_middle = _mm_cmpeq_epi32(low, _mm_set1_epi32(0x10000000));
    const __m128i is_small = _mm_cmplt_epi32(high, _mm_set1_epi32(0x38100000)); /* less than 2^-126 */
    const __m128i is_zero = _mm_cmpeq_epi32(high, _mm_setzero_si128());
    if (_mm_movemask_epi8(_mm_or_si128(in_the_middle, _mm_andnot_si128(is_zero, is_small)))) return one_by_one(a, b, c);
    return _mm_movelh_ps(_mm_cvtpd_ps(s), _mm_cvtpd_ps(t));
}
#endif
#endif
#endif
