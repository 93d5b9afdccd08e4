/* times_sigmoid.h - x sigma(v) for several v, kept in pairs, for an error of v counts v times. */

/* the constant h + l, given as doubles, in reals of the unit */
static INLINE pair split_pair(double h, double l)
{
    return DOUBLE ? constant_pair((REAL)h, (REAL)l) : constant_pair((REAL)h, (REAL)(h - (REAL)h));
}

/* x sigma(v), f' = sigma (1 + s (1 - sigma)). Given are v, next to nothing in its low part where sigma(-|v|) is 0; |s|,
   s = x v'; n, x up to there; far, as slope_of_gate has it; for f'' = 2 sigma (1 - sigma) (c - turn tanh(|v|/2))
   c = v' + x v''/2 and turn = |s| v'/2. */
static INLINE void gate(V x, V n, pair v, pair s, const M *far, pair c, pair turn, result *o)
{
    M below = lt(v.h, K(0)), above = gt(v.h, K(0));
    V rest = sel(below, -v.l, v.l);
    logistic t = logistic_of(abs(v.h), rest);
    V m = t.m + (t.m_rest + in_denominator(t, rest)), quotient = n / m; /* as silu */
    o->y = sel(above, fnma(quotient, t.two_k, x), scaled_normal(quotient, t.w));
    o->d = slope_of_gate(t, s.h, &s.l, far, above);
    with_scale(o, unless(above, t.w));
    with_logistic(o, sel(below, max(K(-LARGEST), min(K(LARGEST), x)), x), below, t, rest);

    V k;
    pair q = exp_reduced_sum(-min(K(EXP_LIMIT), abs(v.h)), -rest, &k);
    o->d2 = gate_second(q, exp2_of(k), c, turn);
}

BODY(gelu_tanh)
{
    NO_PARAMETERS;
    V n = max(K(-64), min(K(64), x)); /* sigma(v) is 0 or 1 long before */
    pair square = two_product(n, n), C = split_pair(0x1.9884533d43651p0, -0x1.cbc0d30ebfd15p-54);
    pair a = split_pair(0x1.2444f2a4d8b4bp-4, -0x1.6c843a29d1c7p-61); /* 0.044715 C, C = 2 sqrt(2/pi) */
    pair a3 = split_pair(0x1.b6676bf7450fp-3, 0x1.bba7351828aabp-57), cubic = product(square, a);
    pair v = product_by(sum_of(C, cubic), n), slope = sum_of(C, product(square, a3));
    pair s = product_by(slope, abs(n)), half = scaled_pair(s, K(0.5));
    /* v' + x v''/2 = 2 v' - C */
    pair curve = sum_of(scaled_pair(slope, K(2)), neg(C));
    gate(x, n, v, s, NULL, curve, product(half, slope), o);
}
/* v = beta x */
static INLINE void linear_gate(V x, V n, pair v, const M *far, pair beta, result *o)
{
    pair s = {min(K(EXP_LIMIT), abs(v.h)), sel(lt(v.h, K(0)), -v.l, v.l)}, half = {half_of(s.h), K(0.5) * s.l};
    gate(x, n, v, s, far, beta, product(half, beta), o);
}
static INLINE void swish_of(V x, parameter p, pair v, result *o)
{
    const M far = lt(abs(p.high), K(1)); /* with beta = 1 the zero of f' is at -1.28 */
    pair beta = {p.high, p.low};
    /* the least parameter of the float unit makes 2^48 of it */
    V n = max(K(C(-0x1p120f, -0x1p1000)), min(K(C(0x1p120f, 0x1p1000)), x));
    linear_gate(x, n, v, &far, beta, o);
    if (DOUBLE) { /* x so large, sigma not 0: a quarter of x/m, for m may be below 1 */
        const M huge = gt(abs(x), abs(n));
        if (lanes_of(huge)) {
            logistic t = logistic_of(abs(v.h), sel(lt(v.h, K(0)), -v.l, v.l));
            V quarter = max(K(-LARGEST), min(K(LARGEST), x)) * K(0.25) / (t.m + t.lost);
            t.w.k = t.w.k + K(2);
            V y = sel(gt(v.h, K(0)), fnma(quarter, t.two_k * K(4), x), scaled_normal(quarter, t.w));
            o->y = sel(huge, y, o->y);
        }
    }
}
/* beta = 0 gives x/2 */
BODY(swish)
{
    const M none = eq(p->high, K(0));
    V k;
    pair v;
    v.h = times(x, p[0], &v.l);
    if (lanes_of(none)) v.h = sel(none, unless_nan(x, K(0)), v.h); /* 0 times infinity */
    if (all_one(p[0]))                                             /* the same bits, for two thirds of the price */
        silu_body(x, p, o);
    else
        swish_of(x, p[0], v, o);
    if (lanes_of(none)) o->y = sel(none, K(0.5) * x, o->y);
    V P = K(1) + exp_reduced(max(K(-EXP_LIMIT), -abs(v.h)), &k), m = K(1) + P * value_of(exp2_of(k));
    o->dp[0] = x * scaled(x * (P / (m * m)), exp2_of(k)); /* x^2 sigma (1 - sigma) */
}

BODY(gelu_quick)
{
    NO_PARAMETERS;
    pair slope = split_pair(0x1.b3b645a1cac08p0, 0x1.89374bc6a7efap-55); /* 1.702 */
    V n = max(K(-EXP_LIMIT), min(K(EXP_LIMIT), x));
    pair v = two_product(x, slope.h);
    v.l = fma(x, slope.l, v.l);
    v.l = sel(lt(abs(v.h), K(EXP_LIMIT)), v.l, K(0));
    linear_gate(x, n, v, NULL, slope, o);
}
