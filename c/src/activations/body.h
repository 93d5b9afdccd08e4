/* body.h - how an activation is written: BODY(name) { ... } computes from x and the parameters p[i] the value y and
   the derivative together. What a loop does not use, the compiler drops.

   A derivative whose tail leaves the range of normal numbers is given as a number times a scale, f' = d 2^k, for
   backward must not round f' to a subnormal before a large gradient brings the product back. */

typedef struct {
    V high, low, least;
} parameter; /* a double, the sum of three floats; in the double unit high alone */

#if PAIRS
#define NUMBER pair
#else
#define NUMBER V
#endif
typedef struct {
    NUMBER y, d;
    V d2;             /* f'', complete: only the double unit's loops read it */
    V lost_y, lost_d; /* WIDE rows that are sums of products of parameters: what y and d round off, for exact ties */
    scale w;
    int has_scale, scale_is_rare;
    int d_is_half; /* 2d may overflow where its product with a gradient does not */
    V part, rest;  /* for gates.def: y = (part + rest) 2^part_w, rest being what part rounds off, */
    scale part_w;
    int has_part;
    V factor, m, m_rest, two_k; /* or y = factor sigma(v): sigma(-|v|) = 2^m_w/(m + m_rest), two_k = 2^m_w */
    scale m_w;
    M below; /* v < 0 */
    int has_logistic, factor_is_one;
    V dp[MAX_PARAMETERS]; /* df/dp, for parameter_backward: only the double unit's loops read it */
} result;

#define BODY(name) static INLINE void name##_body(V x, const parameter *p, result *o)
#define NO_PARAMETERS ((void)p)

/* whether a parameter is 1 throughout the vector */
static INLINE int all_one(parameter p)
{
    const M one = DOUBLE ? eq(p.high, K(1)) : eq(p.high, K(1)) & eq(p.low, K(0));
    return lanes_of(one) == (1u << LANES) - 1;
}
/* x times a parameter as an unevaluated sum; the correction is 0 where the product is not finite */
static INLINE V times(V x, parameter p, V *rest)
{
    V u = x * p.high;
    V v = fma(x, p.high, -u);
    if (!DOUBLE) v = fma(x, p.low, v);
    *rest = sel(lt(abs(u), K(EXP_LIMIT)), v, K(0));
    return u;
}
/* x times a parameter, rounded; infinities must not meet the low part, which may have the other sign */
static INLINE V scale_by(V x, parameter p)
{
    if (DOUBLE) return x * p.high;
    return fma(x, p.high, max(K(-LARGEST), min(K(LARGEST), x)) * p.low);
}
/* the same for x that is finite */
static INLINE V times_finite(V x, parameter p) { return DOUBLE ? x * p.high : fma(x, p.high, x * p.low); }

/* x over a parameter, and what that rounds off; neither is a number where the parameter is 0 or x too large. A float parameter
   is far from the ends of the range, and so is its inverse, which is computed once for all x. */
static INLINE V over(V x, parameter p, V *rest)
{
    V inverse = K(1) / p.high, u = DOUBLE ? x / p.high : x * inverse;
    *rest = DOUBLE ? fnma(u, p.high, x) / p.high : fnma(u, p.low, fnma(u, p.high, x)) * inverse;
    return u;
}

/* 1 where c holds, else the scale w */
static INLINE scale unless(M c, scale w)
{
    scale s = {sel(c, K(0), w.k)};
    return s;
}
static INLINE void with_scale(result *o, scale w)
{
    o->w = w;
    o->has_scale = 1;
}
/* 0 but for the very large or very small: a look whether a vector has any costs less than to multiply by them all */
static INLINE void with_rare_scale(result *o, scale w)
{
    with_scale(o, w);
    o->scale_is_rare = 1;
}
/* y once more, for a factor to meet: f in floats loses too much by its own rounding, or below the normal numbers */
static INLINE void with_part(result *o, V part, V rest, scale w)
{
    o->part = part;
    o->rest = rest;
    o->part_w = w;
    o->has_part = 1;
}
