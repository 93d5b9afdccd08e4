/* sigmoids.h - S-shaped functions, and softplus, whose derivative is one. */

/* sigma(-u) = z 2^-k for u >= 0. From e^u = 2^k (1 + q): z = 1/(1 + q + 2^-k). Adding the two small terms first is
   what keeps the sum to one rounding: 1 + 2^-k rounds too, to even, at k = 24 (2.48 ULP at -16.6357, the worst input
   of other libraries). */
static INLINE V logistic_tail(V u, scale *w, V *q)
{
    V k;
    *q = exp_reduced(min(K(EXP_LIMIT), u), &k);
    *w = exp2_of(-k);
    return K(1) + (*q + w->a * w->b);
}

BODY(sigmoid)
{
    NO_PARAMETERS;
    scale w;
    V q, z = K(1) / logistic_tail(abs(x), &w, &q);
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
    V a = abs(x), q, m = logistic_tail(a + a, &w, &q), two_k = w.a * w.b;
    V z = K(1) / m;
    o->y = copysign(((K(1) - two_k) + q) / m, x);
    o->d = K(4) * fnma(z, z * two_k, z);
    with_scale(o, w);
}

/* log(1 + e^u)/beta = max(x, 0) + log1p(e^-|u|)/beta, u = beta x kept to twice the precision, for its error is
   multiplied by u. No threshold: the sum is exact enough everywhere. */
BODY(softplus)
{
    parameter beta = p[0];
    V v, u = times(x, beta, &v), k, q;
    M above = gt(u, K(0));
    q = exp_reduced_sum(max(K(-EXP_LIMIT), -abs(u)), sel(above, -v, v), &k);
    scale w = exp2_of(k);
    V two_k = w.a * w.b;

    V h = (K(1) + q) / scale_by(fma(two_k, q, K(2) + two_k), beta); /* e/(2 + e) = h beta 2^k */
    V s = scale_by(h, beta) * two_k, z = s * s, twice = h + h;
    V log1p = scaled(fma(twice, z * atanh_polynomial(z), twice), w); /* log1p(e^-|u|)/beta */
    o->y = sel(above, x, K(0)) + log1p;

    V one_over = K(1) / fma(two_k, q, K(1) + two_k); /* sigma(|u|) */
    V below = fma(one_over, q, one_over);            /* sigma(-|u|) / 2^k */
    o->d = sel(above, one_over, below);
    with_scale(o, unless(above, w));

    /* (x sigma(u) - y)/beta, whose terms above 0 would cancel: there -(x sigma(-u) + log1p)/beta */
    o->dp[0] = sel(above, -fma(x, scaled(below, w), log1p), fma(x, scaled(below, w), -log1p)) / beta.high;
}

/* The derivative is 1/(1 + |x|)^2 from one corrected reciprocal; 4/(1 + |x|) never underflows. */
BODY(softsign)
{
    NO_PARAMETERS;
    V a = min(K(C(0x1.fffffep127f, 0x1.fffffffffffffp1023)), abs(x));
    V m = K(1) + a, rest = min(K(1), a) - (m - max(K(1), a));
    V r = K(4) / m, e = fma(K(-0.25), r * rest, fma(K(-0.25) * r, m, K(1))); /* 4/(1 + a) = r (1 + e) */
    o->y = copysign(a / m, x);
    o->d = fma(r, e + e, r);
    scale w = {r, K(0.0625)};
    with_scale(o, w);
}
