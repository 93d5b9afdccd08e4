/* log.h - log((v.h + v.l) 2^j) for v > 0, v not near the ends of the range: v = 2^k m with m in [sqrt(1/2), sqrt(2)) and
   log(m) = 2 atanh((m - 1)/(m + 1)), whose numerator is exact. NaN below 0, -inf at 0. Error below 1.5 ULP. */
static INLINE V log_of(pair v, V j)
{
    V k = exponent(abs(v.h));
    V f = pow2(K(MAGIC) - k), m = abs(v.h) * f;
    M large = gt(m, K(1.41421356237309504880));
    f = sel(large, f * K(0.5), f);
    k = sel(large, k + K(1), k);
    m = v.h * f;
    pair numerator = {m - K(1), v.l * f}, denominator = two_sum(m, K(1));
    denominator.l = denominator.l + v.l * f;
    k = k + j;
    V s = ratio(numerator, denominator), z = s * s, twice = s + s;
    V tail = fma(twice * z, atanh_polynomial(z), k * K(C(-0x1.05c61p-29f, 0x1.abc9e3b39803fp-56)));
    V r = fma(k, K(C(0x1.62e43p-1f, 0x1.62e42fefa39efp-1)), twice + tail);
    V odd_ends = sel(eq(v.h, K(0)), K(-INFINITE), sel(lt(v.h, K(0)), v.h * K(0) / K(0), v.h));
    return sel(gt(v.h, K(0)) & lt(v.h, K(INFINITE)), r, odd_ends);
}
