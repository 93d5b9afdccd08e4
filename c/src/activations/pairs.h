/* pairs.h - the PAIRED rows once more in double-double arithmetic: `exact` float64, and the last word where a double
   lies too near to the middle between two numbers of a narrower type. The formulas are those of the other headers;
   scales are powers of two, so multiplying by them is exact. */

static INLINE pair shifted(pair a, scale w)
{
    pair r = {scaled(a.h, w), scaled(a.l, w)};
    return r;
}
static INLINE scale no_scale(void)
{
    scale w = {K(0)};
    return w;
}

/* A product of doubles may lie on a tie of float16 that the exact product misses: -0x1.fa4p-13 times 0.01. */
static INLINE void leaky_pair(V x, V slope, result *o)
{
    pair below = two_product(x, slope);
    below.l = sel(lt(abs(below.h), K(LARGEST)), below.l, K(0));
    below = sel_pair(eq(slope, K(0)), single(slope), below);
    o->y = sel_pair(lt(x, K(0)), below, single(x));
    o->d = single(sel(gt(x, K(0)), K(1), sel(eq(x, x), slope, x)));
    with_scale(o, no_scale());
}
BODY(leaky_relu) { leaky_pair(x, p[0].high, o); }
BODY(prelu) { leaky_pair(x, p[0].high, o); }

/* 1 + 2^-k + q, and 2^-k: the denominator of sigma(-u) */
static INLINE pair logistic_denominator(V u, scale *w, V *two_k, pair *q)
{
    V k;
    *q = exp_pair(single(min(K(EXP_LIMIT), u)), &k);
    *w = exp2_of(-k);
    *two_k = value_of(*w);
    return add(two_sum(K(1), *two_k), *q);
}
BODY(sigmoid)
{
    NO_PARAMETERS;
    scale w;
    V two_k;
    pair q, one = single(K(1)), z = quotient(one, logistic_denominator(abs(x), &w, &two_k, &q));
    pair low = shifted(z, w), high = add(one, neg(scaled_pair(z, two_k)));
    o->y = sel_pair(lt(x, K(0)), low, high);
    o->d = mul(z, high);
    with_scale(o, w);
}

BODY(tanh)
{
    NO_PARAMETERS;
    scale w;
    V two_k, a = abs(x);
    pair q, one = single(K(1)), m = logistic_denominator(a + a, &w, &two_k, &q), z = quotient(one, m);
    pair y = quotient(add(two_sum(K(1), -two_k), q), m);
    o->y.h = copysign(y.h, x);
    o->y.l = y.l * copysign(K(1), x);
    o->d = scaled_pair(mul(z, add(one, neg(scaled_pair(z, two_k)))), K(4));
    with_scale(o, w);
}

static INLINE void exponential_below_pair(V x, pair alpha, pair *value, pair *derivative, scale *w)
{
    V k;
    pair q = exp_pair(single(max(K(-EXP_LIMIT), min(K(0), x))), &k);
    *w = exp2_of(k);
    V two_k = value_of(*w);
    *value = mul(add(two_sum(two_k, K(-1)), scaled_pair(q, two_k)), alpha);
    *derivative = mul(add(single(K(1)), q), alpha);
}

BODY(elu)
{
    pair value, derivative;
    scale w;
    M above = gt(x, K(0));
    exponential_below_pair(x, single(p[0].high), &value, &derivative, &w);
    o->y = sel_pair(lt(x, K(0)), value, single(x));
    o->d = sel_pair(above, single(K(1)), derivative);
    with_scale(o, unless(above, w));
}

BODY(selu)
{
    NO_PARAMETERS;
    pair value, derivative, lambda = constant_pair(0x1.0cfabd6a91132p0, 0x1.6fc7d272f2695p-55);
    scale w;
    M above = gt(x, K(0));
    exponential_below_pair(x, constant_pair(0x1.c212cc640f031p0, 0x1.05161b045a1fep-56), &value, &derivative, &w);
    pair line = two_product(x, lambda.h);
    line.l = sel(gt(x, K(0x1p1000)), K(0), fma(x, lambda.l, line.l)); /* no inf - inf where the product overflows */
    o->y = sel_pair(lt(x, K(0)), value, sel_pair(above, line, single(x)));
    o->d = sel_pair(above, lambda, derivative);
    with_scale(o, unless(above, w));
}

BODY(softplus)
{
    V v, u = times(x, p[0], &v), k;
    M above = gt(u, K(0));
    pair minus = {max(K(-EXP_LIMIT), -abs(u)), sel(above, -v, v)}, q = exp_pair(minus, &k), one = single(K(1));
    scale w = exp2_of(k);
    V two_k = value_of(w);
    pair e = scaled_pair(q, two_k), beta = single(p[0].high);

    pair h = quotient(add(one, q), add(two_sum(K(2), two_k), e));
    pair s = scaled_pair(h, two_k), z = mul(s, s), twice = scaled_pair(h, K(2));
    pair log1p = quotient(add(twice, mul(twice, mul(z, atanh_pair(z)))), beta);
    log1p = shifted(log1p, w);
    pair line = two_sum(x, log1p.h); /* at +inf the rest is inf - inf */
    line.l = sel(gt(abs(x), K(0x1p200)), K(0), line.l + log1p.l);
    o->y = sel_pair(above, line, log1p);

    pair one_over = quotient(one, add(two_sum(K(1), two_k), e));
    o->d = sel_pair(above, one_over, mul(one_over, add(one, q)));
    with_scale(o, unless(above, w));
}

BODY(softsign)
{
    NO_PARAMETERS;
    V a = min(K(LARGEST), abs(x));
    pair m = two_sum(K(1), a), y = quotient(single(a), m), z = quotient(single(K(0x1p100)), m);
    o->y.h = copysign(y.h, x);
    o->y.l = y.l * copysign(K(1), x);
    scale w = {K(-200)}; /* the low part of the square must not underflow */
    o->d = mul(z, z);
    with_scale(o, w);
}

BODY(silu)
{
    NO_PARAMETERS;
    V k, c = max(K(-EXP_LIMIT), min(K(EXP_LIMIT), x));
    pair q = exp_pair(single(-abs(c)), &k), one = single(K(1));
    scale w = exp2_of(k);
    V two_k = value_of(w);
    M below = lt(x, K(0));
    pair e = add(single(two_k), scaled_pair(q, two_k)), m = add(one, e), e0 = add(one, q);
    w = unless(gt(x, K(0)), w);

    pair y = quotient(mul(sel_pair(below, e0, one), single(c)), m);
    y = shifted(y, w);
    o->y = sel_pair(gt(x, K(EXP_LIMIT)), single(x), sel_pair(eq(x, K(0)), single(x), y)); /* inf, and the sign of 0 */

    pair lower = mul(add(two_sum(K(1), c), e), e0), upper = mul(e, add(two_sum(c, K(-1)), neg(e)));
    pair ratio = quotient(sel_pair(below, lower, upper), mul(m, m));
    o->d = sel_pair(below, ratio, add(one, ratio));
    with_scale(o, w);
}

BODY(gelu)
{
    NO_PARAMETERS;
    V a = min(K(NORMAL_LIMIT), abs(x)), k;
    pair four = two_sum(a, K(4)), X = quotient(single(a), four), t = add(scaled_pair(X, K(2)), single(K(-1)));
    pair q = exp_pair(scaled_pair(two_product(a, a), K(-0.5)), &k), one = single(K(1)), e0 = add(one, q);
    scale w = exp2_of(k);
    M below = lt(x, K(0));

    pair P = normal_tail_pair(t), y = mul(mul(X, P), e0); /* a Phi(-a) / 2^k */
    y = shifted(y, w);
    pair upper = two_sum(x, -y.h);
    upper.l = sel(gt(x, K(0x1p200)), K(0), upper.l - y.l);
    o->y = sel_pair(below, neg(y), upper);

    pair density = mul(constant_pair(0x1.9884533d43651p-2, -0x1.cbc0d30ebfd15p-56), single(a));
    pair d = mul(add(quotient(P, four), neg(density)), e0);
    o->d = sel_pair(below, d, add(one, neg(shifted(d, w))));
    with_scale(o, unless(gt(x, K(0)), w));
}

BODY(mish)
{
    NO_PARAMETERS;
    V k, c = max(K(-EXP_LIMIT), min(K(EXP_LIMIT), x));
    pair q = exp_pair(single(-abs(c)), &k), one = single(K(1)), two = single(K(2));
    scale w = exp2_of(k);
    V two_k = value_of(w);
    M below = lt(x, K(0));
    pair e = add(single(two_k), scaled_pair(q, two_k)), e0 = add(one, q), ee = mul(e, e), C = single(c);

    pair two_e = add(two, e), lower_m = add(two, mul(e, two_e));
    pair m = sel_pair(below, lower_m, add(one, scaled_pair(add(e, ee), K(2))));
    pair ratio = quotient(mul(C, sel_pair(below, mul(two_e, e0), scaled_pair(ee, K(2)))), m);
    pair upper = two_sum(x, -ratio.h);
    upper.l = sel(gt(x, K(0x1p200)), K(0), upper.l - ratio.l);
    o->y = sel_pair(below, shifted(ratio, w), upper);

    pair c4 = scaled_pair(C, K(4)), four = single(K(4));
    pair n = add(add(four, c4), mul(e, add(add(single(K(6)), c4), mul(e, add(four, e)))));
    pair upper_n = scaled_pair(mul(ee, add(mul(scaled_pair(C, K(2)), add(one, e)), neg(m))), K(2));
    pair r = quotient(sel_pair(below, mul(n, e0), upper_n), mul(m, m));
    o->d = sel_pair(below, r, add(one, r));
    with_scale(o, unless(gt(x, K(0)), w));
}
