/* rectifiers.h - the identity above 0, something else below. */

BODY(identity)
{
    NO_PARAMETERS;
    o->y = x;
    o->d = sel(eq(x, x), K(1), x);
}

/* max returns its second argument for NaN and for equal zeros; adding 0 makes relu(-0) = +0. */
BODY(relu)
{
    NO_PARAMETERS;
    o->y = max(K(0), x) + K(0);
    o->d = sel(gt(x, K(0)), K(1), sel(eq(x, x), K(0), x));
}

/* A slope of 0 is relu, -inf included. */
static INLINE void leaky(V x, parameter slope, result *o)
{
    M none = eq(slope.high, K(0));
    V below = sel(none, slope.high, scale_by(x, slope));
    o->y = sel(lt(x, K(0)), below, x);
    o->d = sel(gt(x, K(0)), K(1), sel(eq(x, x), DOUBLE ? slope.high : slope.high + slope.low, x));
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
    *value = scale_by(*expm1, alpha);
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
    with_scale(o, unless(above, w));
    o->dp[0] = sel(lt(x, K(0)), expm1, sel(eq(x, x), K(0), x));
}

#define SELU_LAMBDA 1.0507009873554804934193349852946
#define SELU_LAMBDA_ALPHA 1.7580993408473768599402175208123
static INLINE parameter constant(double c)
{
    parameter p = {K(c), K(DOUBLE ? 0 : c - (REAL)c)};
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
    with_scale(o, unless(above, w));
}
