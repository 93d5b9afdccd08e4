/* rectifiers.h - the identity above 0, something else below. */

static INLINE V unless_nan(V x, V v) { return sel(eq(x, x), v, x); }

BODY(identity)
{
    NO_PARAMETERS;
    o->y = x;
    o->d = unless_nan(x, K(1));
    o->d2 = unless_nan(x, K(0));
}

/* max returns its second argument for NaN and for equal zeros; adding 0 makes relu(-0) = +0. */
BODY(relu)
{
    NO_PARAMETERS;
    o->y = max(K(0), x) + K(0);
    o->d = sel(gt(x, K(0)), K(1), unless_nan(x, K(0)));
    o->d2 = unless_nan(x, K(0));
}

/* A slope of 0 is relu, -inf included. */
static INLINE void leaky(V x, parameter slope, result *o)
{
    M none = eq(slope.high, K(0));
    V below = sel(none, slope.high, scale_by(x, slope));
    o->y = sel(lt(x, K(0)), below, x);
    o->d = sel(gt(x, K(0)), K(1), unless_nan(x, DOUBLE ? slope.high : slope.high + slope.low));
    o->d2 = unless_nan(x, K(0));
    o->dp[0] = sel(gt(x, K(0)), K(0), x);
}
BODY(leaky_relu) { leaky(x, p[0], o); }
BODY(prelu) { leaky(x, p[0], o); }

/* alpha e^x and alpha (e^x - 1) below 0. sel(x < 0) keeps f(-0) = -0. */
static INLINE void exponential_below(V x, parameter alpha, V *value, V *derivative, scale *w, V *expm1)
{
    V k, q = exp_reduced(max(K(-EXP_LIMIT), min(K(0), x)), &k);
    *w = exp2_of(k);
    V two_k = value_of(*w);
    *expm1 = fma(two_k, q, two_k - K(1));
    *value = times_finite(*expm1, alpha);
    *derivative = DOUBLE ? alpha.high * (K(1) + q) /* which an infinite alpha survives */
                         : alpha.high + fma(alpha.high, q, fma(alpha.low, q, alpha.low));
}

BODY(elu)
{
    V value, derivative, expm1;
    scale w;
    M above = gt(x, K(0));
    exponential_below(x, p[0], &value, &derivative, &w, &expm1);
    o->y = sel(lt(x, K(0)), value, x);
    o->d = sel(above, K(1), derivative);
    o->d2 = sel(above, K(0), scaled(derivative, w));
    with_scale(o, unless(above, w));
    o->dp[0] = sel(lt(x, K(0)), expm1, unless_nan(x, K(0)));
}

#define SELU_LAMBDA 1.0507009873554804934193349852946
#define SELU_LAMBDA_ALPHA 1.7580993408473768599402175208123
static INLINE parameter constant(double c)
{
    parameter p = {K(c), K(DOUBLE ? 0 : c - (REAL)c), K(0)};
    return p;
}

BODY(selu)
{
    NO_PARAMETERS;
    V value, derivative, expm1;
    scale w;
    M above = gt(x, K(0));
    parameter lambda = constant(SELU_LAMBDA);
    exponential_below(x, constant(SELU_LAMBDA_ALPHA), &value, &derivative, &w, &expm1);
    o->y = sel(lt(x, K(0)), value, sel(above, scale_by(x, lambda), x));
    o->d = sel(above, lambda.high, derivative);
    o->d2 = sel(above, K(0), scaled(derivative, w));
    with_scale(o, unless(above, w));
}

/* a (e^u - 1) from e^u = 2^k (1 + q), either side of 0 and up to the overflow of the product; e^u - 1 itself */
static INLINE V times_expm1(pair q, V k, parameter a, V *expm1)
{
    V up = value_of(exp2_of(k)), down = value_of(exp2_of(-k)), large = (K(1) - down) + (q.h + q.l);
    pair small = sum_with(scaled_pair(q, up), up - K(1)), factor = {a.high, a.low}, times = product(small, factor);
    *expm1 = sel(gt(k, K(0)), scaled(large, exp2_of(k)), small.h + small.l);
    V product_ = times.h + sel(lt(abs(times.h), K(INFINITE)), times.l, K(0));
    return sel(gt(k, K(0)), scaled(scale_by(large, a), exp2_of(k)), product_);
}
/* (u e^u - e^u + 1)/u^2 = 1/2 + u/3 + u^2/8 .. for |u| < 1/2, where the left side cancels */
static INLINE V slope_series(V u)
{
    static const double c[] = {
        1.0 / 6706022400, 1.0 / 518918400, 1.0 / 43545600, 1.0 / 3991680, 1.0 / 403200, 1.0 / 45360, 1.0 / 5760,
        1.0 / 840,        1.0 / 144,       1.0 / 30,       0.125,         1.0 / 3,      0.5};
    V s = K(1.0 / 93405312000);
    for (int i = 0; i < 13; i++) s = fma(s, u, K(c[i]));
    return s;
}
/* e^u times or over a parameter overflows, and 2^k is still a product of two numbers */
#define EXP_OVERFLOW C(140, 1300)

/* alpha (e^u - 1), u = x/alpha as an unevaluated sum; a negative alpha makes it grow */
static INLINE void celu_of(V x, parameter alpha, result *o)
{
    V a = alpha.high, rest, h = over(x, alpha, &rest), k;
    M above = gt(x, K(0)), none = eq(a, K(0));
    V u = max(K(-EXP_LIMIT), min(K(EXP_OVERFLOW), h)), l = sel(eq(u, h) & lt(abs(a), K(INFINITE)), rest, K(0));
    pair q = exp_reduced_sum(u, l, &k);
    V first = q.h + fma(l, q.h, l), two_k = value_of(exp2_of(k)), expm1 = fma(two_k, first, two_k - K(1));
    V e = sel(gt(h, K(EXP_OVERFLOW)), K(INFINITE), K(1) + first), value = times_finite(expm1, alpha);
    M grows = lt(x, K(0)) & gt(k, K(0));
    if (lanes_of(grows)) value = sel(grows, times_expm1(q, k, alpha, &expm1), value);
    scale w = exp2_of(k);
    o->y = sel(lt(x, K(0)), sel(lt(abs(h), K(C(0x1p-26f, 0x1p-55))), x, value), x);
    o->d = sel(above, K(1), sel(none, unless_nan(x, K(0)), e));
    o->d2 = sel(above, K(0), sel(none, unless_nan(x, K(0)), scaled(e, w) / a));
    scale tail = {sel(above, K(0), sel(none, K(0), w.k))};
    with_scale(o, tail);

    V wide = fma(K(1) - u, scaled(e, w), K(-1));
    o->dp[0] = sel(above, K(0), sel(lt(abs(u), K(0.5)), -u * u * slope_series(u), wide));
}
BODY(celu)
{
    if (all_one(p[0])) { /* elu, the same bits for two thirds of the price; but its alpha is another one */
        result general;
        celu_of(x, p[0], &general);
        elu_body(x, p, o);
        o->dp[0] = general.dp[0];
    } else {
        celu_of(x, p[0], o);
    }
}

/* f = f' = f'' */
BODY(exponential)
{
    NO_PARAMETERS;
    V k;
    V e = K(1) + exp_reduced(max(K(-EXP_LIMIT), min(K(EXP_OVERFLOW), x)), &k); /* 1.1 ULP */
    with_scale(o, exp2_of(k));
    o->y = o->d2 = scaled_normal(e, o->w);
    o->d = sel(gt(x, K(EXP_OVERFLOW)), K(INFINITE), e); /* from there on f' is infinite for any gradient */
}

/* ---- in pieces ---- */

/* x > p and x < p: where x is near p the difference is exact */
static INLINE M above(V x, parameter p) { return DOUBLE ? gt(x, p.high) : gt(x - p.high, p.low); }
static INLINE M below(V x, parameter p) { return DOUBLE ? lt(x, p.high) : lt(x - p.high, p.low); }
/* a parameter that is NaN: neither above nor below anything */
static INLINE M neither(V a) { return eq(sel(eq(a, a), K(0), K(1)), K(1)); }
static INLINE parameter minus(parameter p)
{
    parameter r = {-p.high, -p.low, -p.least};
    return r;
}

BODY(binary_step)
{
    NO_PARAMETERS;
    o->y = sel(lt(x, K(0)), K(0), unless_nan(x, K(1)));
    o->d = o->d2 = unless_nan(x, K(0));
}
BODY(relu6)
{
    NO_PARAMETERS;
    V r = max(K(0), x) + K(0);
    o->y = sel(gt(r, K(6)), K(6), r);
    o->d = sel(gt(x, K(0)) & lt(x, K(6)), K(1), unless_nan(x, K(0)));
    o->d2 = unless_nan(x, K(0));
}
BODY(hard_tanh)
{
    M more = above(x, p[0]), less = below(x, p[1]);
    o->y = unless_nan(x, sel(more, sel(less, x, p[1].high), p[0].high));
    o->d = sel(more & less, K(1), unless_nan(x, K(0)));
    o->d2 = unless_nan(x, K(0));
    o->dp[0] = sel(more, K(0), unless_nan(x, K(1)));
    o->dp[1] = sel(more, sel(less, K(0), K(1)), unless_nan(x, K(0)));
}
static INLINE void thresholded(V x, M more, V otherwise, result *o)
{
    o->y = sel(more, x, unless_nan(x, otherwise));
    o->d = sel(more, K(1), unless_nan(x, K(0)));
    o->d2 = unless_nan(x, K(0));
    o->dp[0] = unless_nan(x, K(0));
}
BODY(thresholded_relu) { thresholded(x, above(x, p[0]), K(0), o); }
BODY(threshold)
{
    M more = above(x, p[0]);
    thresholded(x, more, p[1].high, o);
    o->dp[1] = sel(more, K(0), unless_nan(x, K(1)));
}
BODY(hardshrink)
{
    M more = above(x, p[0]), less = below(x, minus(p[0]));
    if (DOUBLE) less = less | neither(p[0].high); /* NaN hides nothing */
    thresholded(x, more, sel(less, x, K(0)), o);
    o->d = unless_nan(x, sel(more, K(1), sel(less, K(1), K(0))));
}
BODY(softshrink)
{
    M more = above(x, p[0]), less = below(x, minus(p[0]));
    V high = p[0].high, low = DOUBLE ? K(0) : p[0].low;
    o->y = sel(more, (x - high) - low, sel(less, (x + high) + low, unless_nan(x, K(0))));
    o->d = sel(more, K(1), sel(less, K(1), unless_nan(x + copysign(high, x), K(0))));
    o->d2 = unless_nan(x, K(0));
    o->dp[0] = sel(more, K(-1), sel(less, K(1), unless_nan(x, K(0))));
}
BODY(relu_squared)
{
    NO_PARAMETERS;
    V r = max(K(0), x) + K(0);
    o->y = r * r;
    o->d = r;
    o->d_is_half = 1;
    o->d2 = sel(gt(x, K(0)), K(2), unless_nan(x, K(0)));
}
BODY(hard_sigmoid)
{
    NO_PARAMETERS;
    M more = gt(x, K(-3)), less = lt(x, K(3));
    o->y = unless_nan(x, sel(more, sel(less, (x + K(3)) / K(6), K(1)), K(0)));
    o->d = sel(more & less, K(1.0 / 6), unless_nan(x, K(0)));
    o->d2 = unless_nan(x, K(0));
}
/* x (x + 3)/6, and that of -0 is -0: in doubles with one rounding, for it may be a tie of floats; in floats x times a sixth
   of x + 3, clipped, to 1.9 ULP */
BODY(hard_swish)
{
    NO_PARAMETERS;
    M more = gt(x, K(-3)), less = lt(x, K(3));
    if (DOUBLE) {
        pair n = product_by(two_sum(x, K(3)), x);
        V q = n.h / K(6), middle = fma(fnma(q, K(6), n.h) + n.l, K(1.0 / 6), q);
        o->y = sel(more, sel(less, sel(eq(x, K(0)), x, middle), x), unless_nan(x, K(0)));
    } else {
        V t = min(K(6), max(K(0), x + K(3))), sixth = fma(t, K(0x1.555556p-3f), t * K(-0x1.555556p-28f));
        o->y = sel(lt(x, K(-0x1.7ffffep1f)), K(0), x * sixth); /* below the float that follows -3 */
    }
    o->d = sel(more, sel(less, fma(K(2), x, K(3)) / K(6), K(1)), unless_nan(x, K(0)));
    o->d2 = sel(more & less, K(1.0 / 3), unless_nan(x, K(0)));
}
BODY(sparse_sigmoid)
{
    NO_PARAMETERS;
    M more = gt(x, K(-1)), less = lt(x, K(1));
    o->y = unless_nan(x, sel(more, sel(less, (x + K(1)) * K(0.5), K(1)), K(0)));
    o->d = sel(more & less, K(0.5), unless_nan(x, K(0)));
    o->d2 = unless_nan(x, K(0));
}
BODY(sparse_plus)
{
    NO_PARAMETERS;
    M more = gt(x, K(-1)), less = lt(x, K(1));
    pair t = fast_two_sum(K(1), x);
    V parabola = fma(t.h, K(0.25) * t.h, K(0.5) * t.h * t.l);
    o->y = sel(more, sel(less, parabola, x), unless_nan(x, K(0)));
    o->d = sel(more, sel(less, (x + K(1)) * K(0.5), K(1)), unless_nan(x, K(0)));
    o->d2 = sel(more, sel(gt(x, K(1)), K(0), K(0.5)), unless_nan(x, K(0)));
}
