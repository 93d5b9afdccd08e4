/* times_sigmoid.h - x sigma(v) for several v, kept in pairs, for an error of v counts v times. */

/* the constant h + l, given as doubles, in reals of the unit */
static INLINE pair split_pair(double h, double l)
{
    return DOUBLE ? constant_pair((REAL)h, (REAL)l) : constant_pair((REAL)h, (REAL)(h - (REAL)h));
}

/* x sigma(v), given s = x v' as a pair and c = v' + x v''/2: f' = sigma (1 + s (1 - sigma)),
   f'' = sigma (1 - sigma) (2c - |s| v' tanh(|v|/2)) */
static INLINE void gate(V x, pair v, pair s, pair c, pair slope, result *o)
{
    M below = lt(v.h, K(0)), inside = lt(abs(v.h), K(EXP_LIMIT));
    V k, h = max(K(-EXP_LIMIT), min(K(EXP_LIMIT), v.h)), l = sel(inside, v.l, K(0));
    pair q = exp_reduced_sum(-abs(h), sel(below, l, -l), &k), one = single(K(1)), p = plus(1, q);
    scale tail = exp2_of(k), w = unless(gt(v.h, K(0)), tail);
    V two_k = value_of(tail);
    pair e = scaled_pair(p, two_k), m = plus(1, e), square = product(m, m);
    s.h = unless_nan(v.h, sel(inside, s.h, copysign(K(5), s.h)));
    s.l = sel(inside, s.l, K(0));

    V bounded = sel(below, max(K(-LARGEST), min(K(LARGEST), x)), x);
    M huge = gt(abs(bounded), K(C(0x1p120f, 0x1p1000))); /* p may be above 1 */
    scale y_scale = {sel(huge & below, w.k + K(2), w.k)};
    o->y = scaled(bounded * sel(huge & below, K(0.25), K(1)) * ratio(sel_pair(below, p, one), m), y_scale);
    with_logistic(o, bounded, below, logistic_of(abs(h), sel(below, -l, l)));

    pair lower = product(sum_of(sum_of(one, s), e), p);
    pair upper = product(e, sum_of(sum_with(s, K(-1)), neg(e)));
    V d = ratio(sel_pair(below, lower, upper), square);
    o->d = sel(below, d, K(1) + d);
    with_scale(o, w);

    o->d2 = gate_second(q, tail, c, product(scaled_pair(s, copysign(K(0.5), v.h)), slope));
}

BODY(gelu_tanh)
{
    NO_PARAMETERS;
    V c = max(K(-64), min(K(64), x)); /* sigma(v) is 0 or 1 long before */
    pair square = two_product(c, c), C = split_pair(0x1.9884533d43651p0, -0x1.cbc0d30ebfd15p-54);
    pair a = split_pair(0x1.2444f2a4d8b4bp-4, -0x1.6c843a29d1c7p-61); /* 0.044715 C, C = 2 sqrt(2/pi) */
    pair a3 = split_pair(0x1.b6676bf7450fp-3, 0x1.bba7351828aabp-57), cubic = product(square, a);
    pair v = product_by(sum_of(C, cubic), c), slope = sum_of(C, product(square, a3));
    v = fast_two_sum(v.h, v.l);
    /* v' + x v''/2 = 2 v' - C */
    pair curve = sum_of(scaled_pair(slope, K(2)), neg(C));
    gate(x, v, product_by(slope, c), curve, slope, o);
    o->y = sel(gt(abs(x), K(LARGEST)), max(x, K(0)) * copysign(K(1), x), o->y);
}
/* x sigma(v), v = beta x: as silu */
static INLINE void linear_gate(V x, pair v, pair beta, result *o)
{
    M below = lt(v.h, K(0)), above = gt(v.h, K(0)), inside = lt(abs(v.h), K(EXP_LIMIT));
    V a = min(K(EXP_LIMIT), abs(v.h)), rest = sel(inside, sel(below, -v.l, v.l), K(0));
    logistic t = logistic_of(abs(v.h), rest);
    V bounded = max(K(-LARGEST), min(K(LARGEST), x)), n = bounded, two_k = t.two_k;
    scale w = t.w;
    const M huge = gt(abs(bounded), K(C(0x1p120f, 0x1p1000))); /* over m, which may be below 1 */
    if (lanes_of(huge)) {
        n = n * sel(huge, K(0.25), K(1)), two_k = two_k * sel(huge, K(4), K(1));
        w.k = w.k + sel(huge, K(2), K(0));
    }
    V quotient = n / (t.m + t.lost);
    o->y = sel(above, fnma(quotient, two_k, x), scaled_normal(quotient, w));
    o->d = linear_slope(t, a, &rest, above);
    with_scale(o, unless(above, t.w));
    with_logistic(o, sel(below, bounded, x), below, t);

    V k;
    pair q = exp_reduced_sum(-a, -rest, &k), half = {sel(inside, a * K(0.5), K(0.5)), rest * K(0.5)};
    o->d2 = gate_second(q, exp2_of(k), beta, product(half, beta));
}
/* beta = 0 gives x/2 */
BODY(swish)
{
    const M none = eq(p[0].high, K(0));
    pair v, beta = {p[0].high, p[0].low};
    v.h = times(x, p[0], &v.l);
    if (lanes_of(none)) v = sel_pair(none, single(unless_nan(x, K(0))), v);
    linear_gate(x, v, beta, o);
    if (lanes_of(none)) o->y = sel(none, K(0.5) * x, o->y);
    V k; /* x^2 sigma (1 - sigma) */
    V P = K(1) + exp_reduced(max(K(-EXP_LIMIT), -abs(v.h)), &k), m = K(1) + P * value_of(exp2_of(k));
    o->dp[0] = x * scaled(x * (P / (m * m)), exp2_of(k));
}

BODY(gelu_quick)
{
    NO_PARAMETERS;
    pair slope = split_pair(0x1.b3b645a1cac08p0, 0x1.89374bc6a7efap-55); /* 1.702 */
    pair v = two_product(x, slope.h);
    v.l = fma(x, slope.l, v.l);
    linear_gate(x, v, slope, o);
}
