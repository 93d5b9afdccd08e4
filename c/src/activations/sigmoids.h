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
    o->y = sel(above, x + log1p, log1p);

    V one_over = K(1) / (K(1) + e.h);   /* sigma(|u|) */
    V below = ratio(one_q, plus(1, e)); /* sigma(-|u|) / 2^k */
    o->d = sel(above, one_over, below);
    with_scale(o, unless(above, w));

    /* (x sigma(u) - y)/beta, whose terms above 0 would cancel: there -(x sigma(-u) + log1p)/beta */
    o->dp[0] = sel(above, -fma(x, scaled(below, w), log1p), fma(x, scaled(below, w), -log1p)) / beta.high;
}

/* A power of two k such that (a k)^2 neither overflows nor lies below 1 unless k = 1: 1/(.. + a^2) = k^2/(.. + (a k)^2) */
static INLINE V square_scale(V a)
{
    V far = sel(gt(a, K(C(0x1p100f, 0x1p800))), K(C(0x1p-100f, 0x1p-800)), K(C(0x1p-62f, 0x1p-500)));
    return sel(gt(a, K(C(0x1p62f, 0x1p500))), far, K(1));
}

/* The derivative is 1/(1 + |x|)^2 from one reciprocal and its remainder. */
BODY(softsign)
{
    NO_PARAMETERS;
    V a = min(K(LARGEST), abs(x));
    o->y = copysign(a / (K(1) + a), x);

    V k = square_scale(a), b = a * k;
    V m = k + b, rest = min(k, b) - (m - max(k, b));
    V r = K(1) / m, e = fnma(r, rest, fnma(r, m, K(1))), square = r * r; /* 1/(k + b) = r (1 + e) */
    o->d = fma(square, e + e, square);
    scale w = {k, k};
    with_scale(o, w);
}

/* atan(t) = t + t z P(z), z = t^2, for 0 <= t <= 1; above 1, pi/2 - atan(1/x). P by Sollya's
   fpminimax((atan(sqrt(x))/sqrt(x) - 1)/x, 9 or 21, .., [0; 1], relative): error 2^-28.9 float, 2^-62 double. */
BODY(arctan)
{
    NO_PARAMETERS;
    V a = min(K(LARGEST), abs(x)), t = min(K(1), a) / max(K(1), a), z = t * t;
#if DOUBLE
    V c = K(0x1.aef7c667f20ebp-18);
    c = fma(c, z, K(-0x1.4bf6acd885969p-14));
    c = fma(c, z, K(0x1.e6e2adc33d387p-12));
    c = fma(c, z, K(-0x1.c64f3174ea5a6p-10));
    c = fma(c, z, K(0x1.30bbfec41e2f4p-8));
    c = fma(c, z, K(-0x1.3bc71b6c23ef9p-7));
    c = fma(c, z, K(0x1.0a4ca7e1bac0cp-6));
    c = fma(c, z, K(-0x1.7e27592fc14a6p-6));
    c = fma(c, z, K(0x1.e68a964d5eee8p-6));
    c = fma(c, z, K(-0x1.1dedda5aab926p-5));
    c = fma(c, z, K(0x1.41458f9e20fb6p-5));
    c = fma(c, z, K(-0x1.62435b8085dfdp-5));
    c = fma(c, z, K(0x1.85a345612c285p-5));
    c = fma(c, z, K(-0x1.af1241c68d0afp-5));
    c = fma(c, z, K(0x1.e1dea17f3b29p-5));
    c = fma(c, z, K(-0x1.1110e2f05b291p-4));
    c = fma(c, z, K(0x1.3b13ad7fca918p-4));
    c = fma(c, z, K(-0x1.745d17100e505p-4));
    c = fma(c, z, K(0x1.c71c71c526281p-4));
    c = fma(c, z, K(-0x1.249249248cf76p-3));
    c = fma(c, z, K(0x1.99999999998bep-3));
    c = fma(c, z, K(-0x1.5555555555555p-2));
#else
    V c = K(0x1.b092fap-10f);
    c = fma(c, z, K(-0x1.44d7e2p-7f));
    c = fma(c, z, K(0x1.c83f28p-6f));
    c = fma(c, z, K(-0x1.9ef2f2p-5f));
    c = fma(c, z, K(0x1.248d34p-4f));
    c = fma(c, z, K(-0x1.6fa246p-4f));
    c = fma(c, z, K(0x1.c69708p-4f));
    c = fma(c, z, K(-0x1.249002p-3f));
    c = fma(c, z, K(0x1.9999b8p-3f));
    c = fma(c, z, K(-0x1.555556p-2f));
#endif
    V small = fma(t * z, c, t), high = K(C(0x1.921fb6p0f, 0x1.921fb54442d18p0));
    V large = (high - small) + K(C(-0x1.777a5cp-25f, 0x1.1a62633145c07p-54));
    o->y = copysign(sel(gt(a, K(1)), large, small), x);

    V k = square_scale(a), b = a * k; /* 1/(1 + a^2) */
    scale w = {k, k};
    o->d = K(1) / fma(b, b, k * k);
    with_scale(o, w);
}
