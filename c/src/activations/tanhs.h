/* tanhs.h - functions of tanh, and of its derivative. */

/* tanh(a), a = u/2 > 0, to 0.6 ULP, and sech(a)^2 = 4 e/(1 + e)^2, e = e^-u, over 2^k */
typedef struct {
    V tanh, sech2;
    pair tanh_pair, sech2_pair; /* for what comes near to cancelling */
    scale w;
} hyperbolic;

static INLINE hyperbolic hyperbolic_of(V u, V rest)
{
    hyperbolic o;
    M inside = lt(u, K(EXP_LIMIT));
    V k;
    pair q = exp_reduced_sum(-min(K(EXP_LIMIT), u), sel(inside, -rest, K(0)), &k), p = plus(1, q);
    o.w = exp2_of(k);
    V two_k = value_of(o.w);
    pair m = plus(1, scaled_pair(p, two_k));
    pair n = sum_of(fast_two_sum(K(1), -two_k), scaled_pair(neg(q), two_k));
    o.tanh = ratio(n, m);
    o.tanh_pair = quotient(fast_two_sum(n.h, n.l), m);
    pair square = product(m, m);
    o.sech2 = K(4) * ratio(p, square);
    o.sech2_pair = scaled_pair(quotient(p, fast_two_sum(square.h, square.l)), K(4));
    return o;
}

/* v, about a^2 (1 - a^2 ..), where a^2 is all that a double holds: the square of a float may be a tie, and v lies below it */
static INLINE V below_tie(V v, V a) { return !DOUBLE ? v : sel(lt(a, K(0x1p-25)), v * K(0x1.fffffffffffffp-1), v); }

BODY(softcap)
{
    V c = p[0].high, lost, h = over(x, p[0], &lost), a = abs(h);
    M none = eq(c, K(0));
    V rest = sel(lt(a, K(LARGEST)) & lt(abs(c), K(INFINITE)), lost * copysign(K(1), h), K(0));
    hyperbolic t = hyperbolic_of(a + a, rest + rest);
    V zero = unless_nan(x, copysign(K(0), x));
    o->y = sel(none, zero, sel(lt(a, K(0x1p-30)), x, scale_by(copysign(t.tanh, h), p[0])));
    o->d = sel(none, zero, t.sech2);
    o->d2 = sel(none, zero, scaled(K(-2) * copysign(t.tanh, h) * t.sech2, t.w) / c);
    scale w = {sel(none, K(0), t.w.k)};
    with_scale(o, w);

    /* tanh(t) - t sech(t)^2 = (sinh(2t) - 2t)/(2 cosh(t)^2) */
    V z = K(4) * h * h, s = K(1.0 / 51090942171709440000.0);
    static const double coefficients[] = {1.0 / 121645100408832000.0,
                                          1.0 / 355687428096000.0,
                                          1.0 / 1307674368000.0,
                                          1.0 / 6227020800.0,
                                          1.0 / 39916800,
                                          1.0 / 362880,
                                          1.0 / 5040,
                                          1.0 / 120,
                                          1.0 / 6};
    for (int i = 0; i < 9; i++) s = fma(s, z, K(coefficients[i]));
    V sech2 = scaled(t.sech2, t.w), near = K(4) * h * h * h * s * sech2,
      far = fnma(min(K(EXP_LIMIT), a), sech2, t.tanh);
    o->dp[0] = sel(none, zero, sel(lt(a, K(1)), near, copysign(far, h)));
}
BODY(lisht)
{
    NO_PARAMETERS;
    V a = abs(x);
    hyperbolic t = hyperbolic_of(a + a, NOTHING);
    V c = min(K(EXP_LIMIT), a);
    o->y = below_tie(a * t.tanh, a);
    o->d = copysign(fma(c, scaled(t.sech2, t.w), t.tanh), x);
    pair bracket = sum_with(neg(product_by(t.tanh_pair, c)), K(1));
    o->d2 = scaled(K(2) * (bracket.h + bracket.l) * t.sech2, t.w);
}
/* x - tanh(x) = x^3 P(x^2) for |x| < 1 (tools/coefficients/tanhshrink.sollya: 2^-54), else (x - 1) + 2e/(1 + e) */
BODY(tanhshrink)
{
    NO_PARAMETERS;
    V a = abs(x), z = a * a;
    hyperbolic t = hyperbolic_of(a + a, NOTHING);
    V c = K(0x1.c1521f082ed9ap-28);
    c = fma(c, z, K(-0x1.4afbb020b95a9p-24));
    c = fma(c, z, K(0x1.e2f2cfb503363p-22));
    c = fma(c, z, K(-0x1.ddcc830dc2e7fp-20));
    c = fma(c, z, K(0x1.753d815579fe4p-18));
    c = fma(c, z, K(-0x1.fd79f838806ecp-17));
    c = fma(c, z, K(0x1.458d283119e4dp-15));
    c = fma(c, z, K(-0x1.95865708c93ep-14));
    c = fma(c, z, K(0x1.f54f018f0e2b8p-13));
    c = fma(c, z, K(-0x1.3554dcab13008p-11));
    c = fma(c, z, K(0x1.7da30ccc0fb19p-10));
    c = fma(c, z, K(-0x1.d6d3ca58d58ep-9));
    c = fma(c, z, K(0x1.226e3533a465dp-7));
    c = fma(c, z, K(-0x1.664f488159e53p-6));
    c = fma(c, z, K(0x1.ba1ba1ba14da2p-5));
    c = fma(c, z, K(-0x1.1111111111095p-3));
    c = fma(c, z, K(0x1.5555555555555p-2));
#if DOUBLE
    V k, e = (K(1) + exp_reduced(max(K(-EXP_LIMIT), K(-2) * a), &k)) * value_of(exp2_of(k));
    V large = (a - K(1)) + (e + e) / (K(1) + e);
    /* a - 1 may be a tie of a narrower type but for what a double does not hold: one more in the last place tells */
    large = sel(gt(a, K(20)) & lt(a, K(0x1p53)), large * K(0x1.0000000000001p0), large);
    o->y = copysign(sel(lt(a, K(1)), x * z * c, large), x);
    o->d = below_tie(t.tanh * t.tanh, a);
#else /* 2e/(1 + e) rounded is 1.99 ULP above 1, c 1.84 below; tanh in pairs 3.8 at 0.25 */
    pair off = two_sum(a, -t.tanh_pair.h), cube = product_by(product_by(two_product(a, a), a), c),
         square = product(t.tanh_pair, t.tanh_pair);
    o->y = copysign(sel(lt(a, K(0.5)), cube.h + cube.l, closed(off.h, off.l - t.tanh_pair.l)), x);
    o->d = square.h + square.l;
#endif
    M small = lt(a, K(C(0x1p-40f, 0x1p-400))); /* the square underflows where its product with a gradient need not */
    V t_small = a * K(C(0x1p90f, 0x1p700));
    o->d = sel(small, t_small * t_small, o->d);
    scale w = {sel(small, K(C(-180, -1400)), K(0))};
    with_rare_scale(o, w);
    o->d2 = scaled(K(2) * copysign(t.tanh, x) * t.sech2, t.w);
}
