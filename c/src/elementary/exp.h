/* exp.h - e^u in reduced form: e^u = 2^k (1 + q) with k = round(u / ln 2) and |q| < 0.42.

   Callers combine q and 2^k themselves, for there each saves a rounding: 1 + e^u = fma(2^k, q, 1 + 2^k) and
   e^u - 1 = fma(2^k, q, 2^k - 1) round once, and a tail far below the smallest normal number is only a matter of the
   last factor. Coefficients: tools/coefficients/exp.sollya (relative error of q: 2^-26.1 float, 2^-55.5 double). */

/* Adding and subtracting 1.5 2^MANTISSA rounds to an integer and leaves it in the low bits, where pow2 wants it. */
#define MAGIC ((REAL)3 * ((BITS)1 << (MANTISSA - 1)))

/* Where u e^-u times the largest finite number is still far below the smallest: e^-u is 2^-297 and 2^-2147. */
#define EXP_LIMIT C(205.8f, 1488.0)

/* (e^(s r) - 1)/s, |s r| <= ln(2)/2, s a power of two, with what its rounding loses */
static INLINE pair expm1_polynomial(V r, REAL s)
{
    const REAL s2 = s * s, s3 = s2 * s, s4 = s2 * s2, s5 = s4 * s;
#if DOUBLE
    const REAL s6 = s5 * s, s7 = s6 * s, s8 = s7 * s, s9 = s8 * s, s10 = s9 * s;
    V p = K(0x1.ae777e70b039ap-26 * s10);
    p = fma(p, r, K(0x1.28a294f701e7p-22 * s9));
    p = fma(p, r, K(0x1.71de810a0dff9p-19 * s8));
    p = fma(p, r, K(0x1.a019a69c9618ap-16 * s7));
    p = fma(p, r, K(0x1.a01a0177f0dfap-13 * s6));
    p = fma(p, r, K(0x1.6c16c17f3057fp-10 * s5));
    p = fma(p, r, K(0x1.1111111118835p-7 * s4));
    p = fma(p, r, K(0x1.5555555552109p-5 * s3));
    p = fma(p, r, K(0x1.555555555553bp-3 * s2));
    p = fma(p, r, K(0x1.0000000000005p-1 * s));
#else
    V p = K(0x1.6b7354p-10f * s5);
    p = fma(p, r, K(0x1.122796p-7f * s4));
    p = fma(p, r, K(0x1.555716p-5f * s3));
    p = fma(p, r, K(0x1.5554bp-3f * s2));
    p = fma(p, r, K(0x1.fffffep-2f * s));
#endif
    V square = r * r, h = fma(square, p, r);
    pair q = {h, fma(square, p, r - h)};
    return q;
}

/* k and r of e^(s (u + v)) = 2^k e^(s r), s = 1, -1 or 2, |s u| <= EXP_LIMIT and v a correction below u's last bit */
static INLINE pair exp_reduction(V u, V v, REAL s, V *k)
{
    const REAL high = C(0x1.62e43p-1f, 0x1.62e42fefa39efp-1) / s, low = C(-0x1.05c61p-29f, 0x1.abc9e3b39803fp-56) / s;
    *k = fma(u, K(C(0x1.715476p0f, 0x1.71547652b82fep0) * s), K(MAGIC)) - K(MAGIC);
    V exact = fnma(*k, K(high), u), h = fnma(*k, K(low), exact);
    pair r = {h, fnma(*k, K(low), exact - h) + v};
    return r;
}
/* q of e^r = 1 + q, the low part with what reductions round off */
static INLINE pair expm1_sum(pair r)
{
    pair q = expm1_polynomial(r.h, 1);
    q.l = q.l + fma(r.l, q.h, r.l);
    return q;
}
/* q and k of e^(u + v). A caller with v = NOTHING may do without the low part. */
static INLINE pair exp_reduced_sum(V u, V v, V *k) { return expm1_sum(exp_reduction(u, v, 1, k)); }
static INLINE V exp_reduced(V u, V *k) { return exp_reduced_sum(u, NOTHING, k).h; }

/* q/2 and k of e^2u. Powers of two are exact, so the bits are those of exp_reduced(2u), without forming 2u. */
static INLINE V half_exp_reduced(V u, V *k) { return expm1_polynomial(exp_reduction(u, NOTHING, 2, k).h, 2).h; }

/* 2^k where that is a normal number */
static INLINE V two_to_the(V k)
{
#ifdef times_power
    return times_power(K(1), k);
#else
    return pow2(k + K(MAGIC));
#endif
}
/* 2^(k + 1), for no operation more */
static INLINE V two_to_the_next(V k)
{
#ifdef times_power
    return times_power(K(2), k);
#else
    return pow2(k + K(MAGIC + 1));
#endif
}

/* A power of two by its exponent, an integer |k| up to EXP_LIMIT / ln 2, and the same as a product of two exact factors,
   for one factor reaches only half as far: a gradient of 2^127 still makes a normal number of a derivative of 2^-250. */
typedef struct {
    V k;
} scale;
typedef struct {
    V a, b;
} factors;

static INLINE factors factors_of(scale s)
{
    const REAL bias = C(23, 52); /* half of 2^-297 is subnormal, and exact */
    V n = fma(s.k, K(0.5), K(MAGIC + bias)), half = n - K(MAGIC + bias);
    factors f = {pow2(n) * K(C(0x1p-23f, 0x1p-52)), pow2((s.k - half) + K(MAGIC + bias)) * K(C(0x1p-23f, 0x1p-52))};
    return f;
}
/* v 2^k, rounded once; twice if v is subnormal to begin with, and then on every instruction set */
static INLINE V scaled(V v, scale s)
{
#ifdef times_power
    const REAL bias = C(23, 52); /* as in factors_of, for ties */
    V half = fma(s.k, K(0.5), K(MAGIC + bias)) - K(MAGIC + bias);
    return times_power(times_power(v, half), s.k - half);
#else
    factors f = factors_of(s);
    return v * f.a * f.b;
#endif
}
/* the same for v that is subnormal only where k is 0: either way rounds once */
static INLINE V scaled_normal(V v, scale s)
{
#ifdef times_power
    return times_power(v, s.k);
#else
    return scaled(v, s);
#endif
}
/* v 2^k if it comes out normal, for half the price without an instruction for it; if not, v 2^k may be a normal number yet */
static INLINE V scaled_if_normal(V v, scale s)
{
#ifdef times_power
    return times_power(v, s.k);
#else
    const REAL most = C(128, 1024); /* 2^-127 and 2^128 become 0 and infinity */
    return v * pow2(max(K(MAGIC + 1 - most), min(K(MAGIC + most), s.k + K(MAGIC))));
#endif
}
static INLINE M is_normal(V v)
{
    return gt(abs(v), K(C(0x1.fffffcp-127f, 0x1.ffffffffffffep-1023))) & lt(abs(v), K(INFINITE));
}
/* NaN is not, for infinity times that 0 is NaN, and 0 times that infinity */
#ifndef all_normal
#define all_normal(v) (lanes_of(is_normal(v)) == (1u << LANES) - 1)
#endif
static INLINE scale exp2_of(V k)
{
    scale s = {k};
    return s;
}
static INLINE V value_of(scale s) { return scaled_normal(K(1), s); }
