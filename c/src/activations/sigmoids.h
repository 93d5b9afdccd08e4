/* sigmoids.h - S-shaped functions, and softplus, whose derivative is one. */

/* 1 + e^u = 2^k m for u >= 0, from e^u = 2^k (1 + q): m = 1 + 2^-k + q, one rounding. What 1 + 2^-k loses, at k = 24
   first, goes back in through q: without it the worst input is -16.6357 with 2.5 ULP, as in other libraries. */
static INLINE V logistic_tail(V u, scale *w, pair *q)
{
    V k;
    *q = exp_reduced_sum(min(K(EXP_LIMIT), u), K(0), &k);
    *w = exp2_of(-k);
    pair one = fast_two_sum(K(1), w->a * w->b);
    return one.h + (q->h + one.l);
}

BODY(sigmoid)
{
    NO_PARAMETERS;
    scale w;
    pair q;
    V z = K(1) / logistic_tail(abs(x), &w, &q);
    V low = scaled(z, w);
    o->y = sel(lt(x, K(0)), low, K(1) - low);
    o->d = fnma(z, low, z);
    with_scale(o, w);
}

/* tanh(a) = (e^2a - 1)/(e^2a + 1), both divided by 2^k; tanh' = 4 sigma(2x) sigma(-2x), never 1 - y^2 */
BODY(tanh)
{
    NO_PARAMETERS;
    scale w;
    pair q;
    V a = abs(x), z = K(1) / logistic_tail(a + a, &w, &q), two_k = w.a * w.b;
    pair n = sum_of(fast_two_sum(K(1), -two_k), q), m = sum_of(fast_two_sum(K(1), two_k), q);
    o->y = copysign(ratio(n, m), x);
    o->d = K(4) * fnma(z, z * two_k, z);
    with_scale(o, w);
}

/* log(1 + e^u)/beta = max(x, 0) + log1p(e^-|u|)/beta, u = beta x kept to twice the precision, for its error is
   multiplied by u. No threshold: the sum is exact enough everywhere. */
BODY(softplus)
{
    parameter beta = p[0];
    M zero = eq(beta.high, K(0)), infinite = gt(abs(beta.high), K(LARGEST));
    V v, u = times(sel(zero, max(K(-LARGEST), min(K(LARGEST), x)), x), beta, &v), k;
    M above = gt(u, K(0));
    pair q = exp_reduced_sum(max(K(-EXP_LIMIT), -abs(u)), sel(above, -v, v), &k), one_q = plus(1, q);
    scale w = exp2_of(k);
    V two_k = w.a * w.b;

    /* beta = 0 and, which only the double unit meets, beta = inf: what the formula gives in IEEE arithmetic */
    pair e = scaled_pair(one_q, two_k), b = {sel(zero, K(1), beta.high), beta.low};
    if (DOUBLE) b.h = sel(infinite, K(1), b.h);
    V h = ratio(one_q, product(plus(2, e), b)); /* e/(2 + e) = h beta 2^k */
    V s = scale_by(h, (parameter){b.h, b.l}) * two_k, z = s * s, twice = h + h;
    V log1p = scaled(fma(twice, z * atanh_polynomial(z), twice), w); /* log1p(e^-|u|)/beta */
    log1p = sel(zero, log1p * copysign(K(LARGEST) + K(LARGEST), beta.high), log1p);
    if (DOUBLE) log1p = sel(infinite, sel(above, beta.high - beta.high, log1p * K(0)), log1p);
    o->y = sel(above, x, K(0)) + log1p;

    V one_over = K(1) / (K(1) + e.h); /* sigma(|u|) */
    V below = ratio(one_q, plus(1, e));  /* sigma(-|u|) / 2^k */
    o->d = sel(above, one_over, below);
    with_scale(o, unless(above, w));

    /* (x sigma(u) - y)/beta, whose terms above 0 would cancel: there -(x sigma(-u) + log1p)/beta */
    o->dp[0] = sel(above, -fma(x, scaled(below, w), log1p), fma(x, scaled(below, w), -log1p)) / beta.high;
}

/* The derivative is 1/(1 + |x|)^2 from one corrected reciprocal; 4/(1 + |x|) never underflows. */
BODY(softsign)
{
    NO_PARAMETERS;
    V a = min(K(LARGEST), abs(x));
    V m = K(1) + a, rest = min(K(1), a) - (m - max(K(1), a));
    V r = K(4) / m, e = fma(K(-0.25), r * rest, fma(K(-0.25) * r, m, K(1))); /* 4/(1 + a) = r (1 + e) */
    o->y = copysign(a / m, x);
    o->d = fma(r, e + e, r);
    scale w = {r, K(0.0625)};
    with_scale(o, w);
}
