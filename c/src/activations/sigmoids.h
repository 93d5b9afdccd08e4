/* sigmoids.h - S-shaped functions, and softplus, whose derivative is one. */

/* 1 + e^u = 2^k m for u + v >= 0, from e^(u + v) = 2^k (1 + q): m = 1 + 2^-k + q, one rounding. What 1 + 2^-k loses, at
   k = 24 first, goes back in through q: without it the worst input is -16.6357 with 2.5 ULP, as in other libraries.
   So sigma(-u) = 2^-k / m. The reduction is of e^-(u + v), whose k is -k. */
typedef struct {
    V m, m_rest, lost, two_k, q; /* m_rest: what m rounds off; lost: what q and the reduction do too; two_k: 2^-k */
    scale w;
} logistic;

static INLINE logistic logistic_of(V u, V v)
{
    logistic t;
    V k;
    pair q = expm1_sum(exp_reduction(min(K(EXP_LIMIT), u), v, -1, &k));
    t.w = exp2_of(k);
    t.two_k = value_of(t.w);
    pair one = fast_two_sum(K(1), t.two_k);
    t.q = q.h;
    pair m = fast_two_sum(one.h, q.h + one.l);
    t.m = m.h, t.m_rest = m.l, t.lost = m.l + q.l;
    return t;
}
/* What v does to m, to first order: of all that lost has the one thing that 2 ULP cannot do without, where v is not 0. */
static INLINE V in_denominator(logistic t, V v) { return fma(v, t.q, v); }
/* y = factor sigma(u + v), t being that of |u + v| */
static INLINE void with_logistic(result *o, V factor, M below, logistic t, V v)
{
    o->factor = factor;
    o->below = below;
    o->m = t.m, o->m_rest = t.m_rest + in_denominator(t, v), o->two_k = t.two_k, o->m_w = t.w;
    o->has_logistic = 1;
}
/* tanh(u/2) = (1 - e^-u)/(1 + e^-u) */
static INLINE V tanh_of_half(logistic t) { return ((K(1) - t.two_k) + t.q) / t.m; }

BODY(sigmoid)
{
    NO_PARAMETERS;
    logistic t = logistic_of(abs(x), NOTHING);
    V z = K(1) / t.m, low = scaled_normal(z, t.w);
    o->y = sel(lt(x, K(0)), low, K(1) - low);
    o->d = fnma(z, low - fnma(z, t.m, K(1)), z); /* z - z low, and what z rounds off: 1.7 ULP instead of 2.0034 */
    o->d2 = scaled(-copysign(tanh_of_half(t), x) * o->d, t.w);
    with_scale(o, t.w);
    with_logistic(o, K(1), lt(x, K(0)), t, NOTHING);
    o->factor_is_one = 1;
}

/* tanh(a) = (1 - e)/(1 + e), e = e^-2a: the roundings of numerator and denominator weigh less than those of e^2a - 1 and
   e^2a + 1 would where a is small. e = 2^k (1 + q) = twice (1/2 + q/2). tanh' = 4 sigma(2x) sigma(-2x), never 1 - y^2. */
BODY(tanh)
{
    NO_PARAMETERS;
    V k, half = half_exp_reduced(max(K(C(-20, -40)), -abs(x)), &k), twice = two_to_the_next(k);
    o->y = copysign(fnma(twice, half, fnma(twice, K(0.5), K(1))) / fma(twice, half, fma(twice, K(0.5), K(1))), x);

    logistic t = logistic_of(abs(x) + abs(x), NOTHING);
    V z = K(1) / t.m;
    o->d = K(4) * fnma(z, fma(z, t.two_k, fma(z, t.m, K(-1))), z);
    o->d2 = scaled(K(-2) * copysign(tanh_of_half(t), x) * o->d, t.w);
    with_scale(o, t.w);
}

/* log(1 + e^u)/beta = max(x, 0) + log1p(e^-|u|)/beta, u = beta x kept to twice the precision, for its error is
   multiplied by u. No threshold: the sum is exact enough everywhere. With e^|u| = P/2^j, j = -k, it is
   log1p(e^-|u|) = 2 atanh(s), s = 2^j h, h = 1/(2P + 2^j). */
static INLINE void softplus_of(V x, const parameter *p, result *o) /* NULL: beta = 1 */
{
    parameter beta = {K(1), K(0), K(0)};
    V v = NOTHING, u = x, k;
    /* beta = 0 and, which only the double unit meets, subnormal or infinite: what the formula gives in IEEE arithmetic */
    M tiny, infinite;
    int special = 0;
    if (p) {
        const M zero = eq(p->high, K(0));
        tiny = lt(abs(p->high), K(C(0x1p-126f, 0x1p-1022))), infinite = gt(abs(p->high), K(LARGEST));
        special = lanes_of(tiny | infinite) != 0;
        beta = *p;
        u = times(special ? sel(zero, max(K(-LARGEST), min(K(LARGEST), x)), x) : x, beta, &v);
        if (special) beta.high = sel(tiny | infinite, K(1), beta.high);
    }
    M above = gt(u, K(0));
    V more = p ? sel(above, v, -v) : NOTHING;
    pair q = exp_reduced_sum(min(K(EXP_LIMIT), abs(u)), more, &k);
    scale w = exp2_of(-k);
    V two_k = value_of(w);

    pair two = fast_two_sum(K(2), two_k);
    V m = two.h + fma(K(2), q.h, fma(K(2), q.l, two.l)), bm = p ? m * beta.high : m;
    V h = K(1) / bm, rest = fnma(h, bm, K(1)), once = h; /* 1/(beta m) and 1/m */
    if (p) {
        rest = fnma(h, fma(m, beta.high, -bm), rest);
        if (!DOUBLE) rest = fnma(h * m, beta.low, rest);
        once = DOUBLE ? h * beta.high : fma(h, beta.high, h * beta.low);
    }
    V s = once * two_k, z = s * s, twice = h + h, series = fma(twice, fma(z, atanh_polynomial(z), rest), twice);
    V log1p = p && DOUBLE ? scaled(series, w) : scaled_normal(series, w); /* over beta */
    if (special) {
        log1p = sel(tiny, log1p / p->high, log1p);
        if (DOUBLE) log1p = sel(infinite, sel(above, p->high - p->high, log1p * K(0)), log1p);
    }
    o->y = sel(above, x + log1p, log1p);

    pair one = fast_two_sum(K(1), two_k), sum = fast_two_sum(one.h, q.h + one.l);
    V below = K(1) / (sum.h + (sum.l + fma(more, q.h, more))); /* sigma(-|u|) / 2^j, as x sigma(v) */
    o->d = sel(above, fnma(below, two_k, K(1)), below);
    with_scale(o, unless(above, w));
    V steep = below * fnma(below, two_k, K(1));
    o->d2 = scaled(p ? p->high * steep : steep, w);

    /* (x sigma(u) - y)/beta, whose terms above 0 would cancel: there -(x sigma(-u) + log1p)/beta */
    V slope = sel(above, -fma(x, scaled(below, w), log1p), fma(x, scaled(below, w), -log1p));
    o->dp[0] = p ? slope / p->high : slope;
}
BODY(softplus)
{
    if (all_one(p[0])) /* the same bits, for two thirds of the price */
        softplus_of(x, NULL, o);
    else
        softplus_of(x, p, o);
}

/* -softplus(-x) */
BODY(log_sigmoid)
{
    NO_PARAMETERS;
    softplus_of(-x, NULL, o);
    o->y = -o->y;
    o->d2 = -o->d2;
}

/* j such that (a 2^j)^2 neither overflows nor lies below 1 unless j = 0: 1/(.. + a^2) = 2^2j/(.. + (a 2^j)^2) */
static INLINE V square_exponent(V a)
{
    V far = sel(gt(a, K(C(0x1p100f, 0x1p800))), K(C(-100, -800)), K(C(-62, -500)));
    return sel(gt(a, K(C(0x1p62f, 0x1p500))), far, K(0));
}

/* a 2^j, whose square does not overflow, and 2^j: 1 but for the very large, which few vectors have */
typedef struct {
    V a, j, two_j;
    unsigned any; /* lane has another */
} squarable;
static INLINE squarable squarable_of(V a)
{
    squarable s = {a, K(0), K(1), lanes_of(gt(a, K(C(0x1p62f, 0x1p500))))};
    if (s.any) {
        s.a = min(K(LARGEST), a);
        s.j = square_exponent(s.a), s.two_j = two_to_the(s.j);
        s.a = s.a * s.two_j;
    }
    return s;
}

/* The derivative is 1/(1 + |x|)^2 from one reciprocal and its remainder. */
BODY(softsign)
{
    NO_PARAMETERS;
    V a = min(K(LARGEST), abs(x));
    o->y = copysign(a / (K(1) + a), x);

    squarable s = squarable_of(abs(x));
    V j = s.j, k = s.two_j, b = s.a, m = k + b, rest = min(k, b) - (m - max(k, b));
    V r = K(1) / m, e = fnma(r, rest, fnma(r, m, K(1))), square = r * r; /* 1/(k + b) = r (1 + e) */
    o->d = fma(square, e + e, square);
    o->d2 = scaled(K(2) * o->d * fma(r, e, r), exp2_of(max(K(C(-290, -2140)), j + j + j)));
    o->d2 = sel(gt(x, K(0)), -o->d2, o->d2);
    with_rare_scale(o, exp2_of(j + j));
}

/* atan(t) = t + t z P(z), z = t^2, for 0 <= t <= 1; above 1, pi/2 - atan(1/x). P by Sollya's
   fpminimax((atan(sqrt(x))/sqrt(x) - 1)/x, 8 or 21, .., [0; 1], relative): error 2^-26.4 float, 2^-62 double. */
BODY(arctan)
{
    NO_PARAMETERS;
    V a = abs(x), t = min(K(1), a) / max(K(1), a), z = t * t;
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
    V c = K(-0x1.3b6c6ap-9f);
    c = fma(c, z, K(0x1.bd14p-7f));
    c = fma(c, z, K(-0x1.26cceep-5f));
    c = fma(c, z, K(0x1.005ebp-4f));
    c = fma(c, z, K(-0x1.62baf8p-4f));
    c = fma(c, z, K(0x1.c3f7fep-4f));
    c = fma(c, z, K(-0x1.246ce4p-3f));
    c = fma(c, z, K(0x1.999832p-3f));
    c = fma(c, z, K(-0x1.555554p-2f));
#endif
    V small = fma(t * z, c, t), high = K(C(0x1.921fb6p0f, 0x1.921fb54442d18p0));
    V large = (high - small) + K(C(-0x1.777a5cp-25f, 0x1.1a62633145c07p-54));
    o->y = copysign(sel(gt(a, K(1)), large, small), x);

    squarable s = squarable_of(a); /* 1/(1 + a^2) */
    V j = s.j, b = s.a;
    o->d = K(1) / fma(b, b, s.two_j * s.two_j);
    o->d2 = scaled(K(-2) * (copysign(b, x) * o->d) * o->d, exp2_of(max(K(C(-290, -2140)), j + j + j)));
    with_rare_scale(o, exp2_of(j + j));
}

/* e^(-x^2), the square kept to twice the precision; f' = -2x f, f'' = (4x^2 - 2) f */
BODY(gaussian)
{
    NO_PARAMETERS;
    V c = max(K(C(-14.3f, -38.5)), min(K(C(14.3f, 38.5)), x)), square = c * c, k;
    pair e = plus(1, exp_reduced_sum(-square, -fma(c, c, -square), &k));
    V p0 = e.h + e.l;
    with_scale(o, exp2_of(k));
    o->y = scaled(p0, o->w);
    o->d = K(-2) * c * p0;
    o->d2 = scaled(fma(K(4) * c, c, K(-2)) * p0, o->w);
}
