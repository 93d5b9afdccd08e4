/* tanhs.h - functions of tanh, and of its derivative. */

/* tanh(a), a = u/2 > 0, to 0.6 ULP, and sech(a)^2 = 4 e/(1 + e)^2, e = e^-u, over 2^k */
typedef struct {
    V tanh, sech2;
    pair tanh_pair, sech2_pair; /* for what comes near to cancelling */
    V curve;                    /* below 1, tanh(a) = a + a^3 curve */
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

/* The same in floats: tanh below 1 by a polynomial (tools/coefficients/tanh.sollya: 2^-28), above by 1 - 2 sigma(-2a), which
   weighs little there: lisht has 0.97 ULP. What `rest` of a does to tanh is left to the caller; a < EXP_LIMIT/2 where there is one. */
static INLINE hyperbolic light_hyperbolic_of(V a, V rest)
{
    hyperbolic o;
    logistic t = logistic_of(a + a, rest + rest);
    V sigma = K(1) / t.m, tail = sigma * t.two_k, z = a * a; /* sigma(-2a) is tail, less what the division loses */
    V lost = fma(sigma, t.lost, fma(sigma, t.m, K(-1)));
    o.sech2 = K(4) * fnma(sigma, fma(lost, fma(K(-2), tail, K(1)), tail), sigma);
    o.w = t.w;
    V P = K(0x1.4ad2b2p-13f);
    P = fma(P, z, K(-0x1.00a3fp-10f));
    P = fma(P, z, K(0x1.af19d2p-9f));
    P = fma(P, z, K(-0x1.1f09f8p-7f));
    P = fma(P, z, K(0x1.661p-6f));
    P = fma(P, z, K(-0x1.ba1c2cp-5f));
    P = fma(P, z, K(0x1.11113p-3f));
    P = fma(P, z, K(-0x1.555556p-2f));
    M small = lt(a, K(1));
    o.tanh_pair = fast_two_sum(sel(small, a, K(1)), sel(small, a * z * P, K(-2) * tail));
    o.tanh = o.tanh_pair.h;
    o.curve = P;
    return o;
}

/* v, about a^2 (1 - a^2 ..), where a^2 is all that a double holds: the square of a float may be a tie, and v lies below it */
static INLINE V below_tie(V v, V a) { return sel(lt(a, K(0x1p-25)), v * K(0x1.fffffffffffffp-1), v); }

BODY(softcap) /* of |x| and |cap|; y has the sign of x */
{
    V sign = copysign(K(1), p[0].high), lost;
    parameter c = {abs(p[0].high), sign * p[0].low, sign * p[0].least};
    V h = over(abs(x), c, &lost), rest = sel(lt(h, K(EXP_LIMIT / 2)) & lt(c.high, K(INFINITE)), lost, K(0));
    M none = eq(c.high, K(0));
    hyperbolic t = DOUBLE ? hyperbolic_of(h + h, rest + rest) : light_hyperbolic_of(h, rest);
    V zero = unless_nan(x, copysign(K(0), x));
    V low = fma(rest, fnma(t.tanh, t.tanh, K(1)), t.tanh_pair.l), y = t.tanh * c.high,
      with_parts = fma(t.tanh, c.high, fma(t.tanh, c.low, low * c.high));
    o->y = sel(none, zero, sel(lt(h, K(0x1p-30)), x, copysign(DOUBLE ? y : with_parts, x)));
    o->d = sel(none, zero, t.sech2);
    o->d2 = sel(none, zero, scaled(K(-2) * copysign(t.tanh, x) * t.sech2, t.w) / c.high);
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
      far = fnma(min(K(EXP_LIMIT), h), sech2, t.tanh), slope = sign * sel(lt(h, K(1)), near, far);
    o->dp[0] = sel(none, zero, sel(lt(x, K(0)), -slope, slope));
}
BODY(lisht)
{
    NO_PARAMETERS;
    V a = abs(x);
    hyperbolic t = DOUBLE ? hyperbolic_of(a + a, NOTHING) : light_hyperbolic_of(a, NOTHING);
    V c = min(K(EXP_LIMIT), a);
    o->y = DOUBLE ? below_tie(a * t.tanh, a) : fma(a, t.tanh, c * t.tanh_pair.l);
    o->d = copysign(fma(c, scaled(t.sech2, t.w), t.tanh), x);
    pair bracket = sum_with(neg(product_by(t.tanh_pair, c)), K(1));
    o->d2 = scaled(K(2) * (bracket.h + bracket.l) * t.sech2, t.w);
}
/* x - tanh(x) = x^3 P(x^2) for |x| < 1 (tools/coefficients/tanhshrink.sollya: 2^-54), else (x - 1) + 2e/(1 + e) */
BODY(tanhshrink)
{
    NO_PARAMETERS;
    V a = abs(x);
#if DOUBLE
    hyperbolic t = hyperbolic_of(a + a, NOTHING);
    V z = a * a, c = K(0x1.c1521f082ed9ap-28);
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
    V k, e = (K(1) + exp_reduced(max(K(-EXP_LIMIT), K(-2) * a), &k)) * value_of(exp2_of(k));
    V large = (a - K(1)) + (e + e) / (K(1) + e);
    /* a - 1 may be a tie of a narrower type but for what a double does not hold: one more in the last place tells */
    large = sel(gt(a, K(20)) & lt(a, K(0x1p53)), large * K(0x1.0000000000001p0), large);
    o->y = copysign(sel(lt(a, K(1)), x * z * c, large), x);
    o->d = below_tie(t.tanh * t.tanh, a);
#else
    hyperbolic t = light_hyperbolic_of(a, NOTHING);
    pair off = fast_two_sum(a, -t.tanh), cube = product_by(product_by(two_product(a, a), a), -t.curve);
    o->y = copysign(sel(lt(a, K(1)), cube.h + cube.l, closed(off.h, off.l - t.tanh_pair.l)), x);
    o->d = fma(t.tanh, t.tanh, (t.tanh + t.tanh) * t.tanh_pair.l);
#endif
    scale w = {K(0)}; /* the square underflows where its product with a gradient need not */
    M small = lt(a, K(C(0x1p-40f, 0x1p-400)));
    if (lanes_of(small)) {
        V large_tanh = a * K(C(0x1p90f, 0x1p700));
        o->d = sel(small, large_tanh * large_tanh, o->d);
        w.k = sel(small, K(C(-180, -1400)), K(0));
    }
    with_rare_scale(o, w);
    o->d2 = scaled(K(2) * copysign(t.tanh, x) * t.sech2, t.w);
}
