/* softmax.h - softmax, its logarithm and the logarithm of its denominator.

   The shift that keeps exp from overflowing is a power of two, not the maximum: e^x = 2^k (1 + q) leaves k - k(max)
   to the exponent field, where nothing rounds. (x - max(x), rounded, costs other libraries 65 ULP at logits of 10.)
   Only where the maximum m is beyond SHIFT_FROM is it subtracted: what then is not negligible lies within a factor of
   two of m, and the difference is exact. */

#define SHIFT_FROM C(256, 2048)
#define LIFT C(64, 512)        /* exponentials are kept times 2^LIFT: those of subnormal results are normal numbers */
#define NEGLIGIBLE C(125, 800) /* e^-NEGLIGIBLE is far below the smallest number */

enum sense { PLAIN, NEGATED, TEMPERED }; /* of x, of -x, of x/temperature */

/* what the exponentials of a row have in common */
typedef struct {
    V top, shift, lowest, bias; /* the maximum, of -x if the sense is that; what is subtracted; .. */
    V t, t_low, inverse;        /* temperature */
} base;

static INLINE base base_of(const panel *p, mode way, memory m, enum sense sense, double temperature)
{
    base o;
    const double finite = temperature - temperature == 0 ? temperature
                                                         : 1; /* 0 x inf would spoil what rounding loses */
    o.t = B((REAL)finite);
    o.t_low = DOUBLE ? K(0) : B((REAL)(finite - (REAL)finite));
    o.inverse = B((REAL)(1 / temperature));
    const int is_below_zero = sense == TEMPERED && temperature < 0;
    o.top = greatest(p, way, m, sense == NEGATED || is_below_zero);
    const V x = is_below_zero ? -o.top : o.top, u = sense == TEMPERED ? x * o.inverse : x;
    const M far = gt(abs(u), K(SHIFT_FROM));
    o.shift = sel(far, x, K(0));
    const V left = sel(far, K(0), u);
    o.lowest = left - K(NEGLIGIBLE);
    V k;
    (void)exp_reduced(left, &k);
    o.bias = (K(LIFT) - k) + K(MAGIC);
    return o;
}
/* e^x 2^LIFT/2^k(max); below 2 2^LIFT. An infinite maximum is at distance 0 from itself if `infinite`, else NaN. */
static INLINE V lifted_exp(V x, enum sense sense, const base *o, int infinite)
{
    V k, p, q, d = (sense == NEGATED ? -x : x) - o->shift;
    if (infinite) d = sel(eq(sense == NEGATED ? -x : x, o->shift), K(0), d);
    if (sense == TEMPERED) { /* d/temperature, with what its rounding loses: of x it would be thousands of units */
        const V u = d * o->inverse, low = (fnma(u, o->t, d) - u * o->t_low) * o->inverse;
        const pair whole = exp_reduced_sum(max(o->lowest, u), sel(gt(u, o->lowest), low, K(0)), &k);
        q = whole.h + whole.l;
    } else {
        q = exp_reduced(max(o->lowest, d), &k);
    }
    p = pow2(k + o->bias);
    return fma(p, q, p);
}

/* the exponentials of a row into `to`, where there is room for them; their sum */
static INLINE pair exponentials(const panel *p, mode way, memory from, const base *o, enum sense sense,
                                const memory *to)
{
    sums s;
    SUM(s, i, n, {
        const V e = present(way, n, lifted_exp(get(p, way, from, i, n), sense, o, !way.own), K(0));
        if (to) put(p, way, *to, i, n, e);
        ADD(e);
    });
    pair r = total(p, way, &s);
    /* nothing but -inf, or several +inf, which count as 1 each */
    const M none = gt(abs(o->top), K(LARGEST)) & (lt(o->top, K(0)) | gt(r.h, K(C(0x1.8p64f, 0x1.8p512))));
    r.h = sel(none, K(NOT_A_NUMBER), r.h);
    return r;
}

/* The factor comes last: e and the sum may be large powers of two, which must have gone by then. */
static INLINE V quotient_of(V e, pair inverse, const V *factor)
{
    const V y = fma(e, inverse.h, e * inverse.l);
    return factor ? y * *factor : y;
}
static INLINE void finish(const panel *p, mode way, memory y, pair sum, const V *factor)
{
    const pair inverse = quotient(single(K(1)), sum);
    EACH(i, n, put(p, way, y, i, n, quotient_of(get(p, way, y, i, n), inverse, factor)););
}

/* Rows of small numbers, which most are, need no shift and no maximum: they are tried first, in one pass less. That they
   were not so small shows at the end: 0 then, and x must still be there. The bits are those of the general way, for its
   shifts are powers of two. */
#define SMALL 40
static INLINE int softmax_of_small(const panel *p, mode way, memory x, memory y, const V *factor)
{
    if (p->length < (way.along ? LANES : 1) || lanes_of(gt(abs(get(p, way, x, 0, full_lanes(p, way))), K(SMALL))))
        return 0;
    sums s;
    V largest = K(0);
    SUM(s, i, n, {
        V k;
        const V v = get(p, way, x, i, n), q = exp_reduced(v, &k), power = pow2(k + K(MAGIC));
        const V e = present(way, n, fma(power, q, power), K(0));
        put(p, way, y, i, n, e);
        ADD(e);
        largest = max(abs(v), largest);
    });
    if (lanes_of(gt(largest, K(SMALL)))) return 0;
    finish(p, way, y, total(p, way, &s), factor);
    return 1;
}

/* y = e^x / sum, times a factor if there is one. Kernels that cannot keep the exponentials in the result (ANY) compute them
   twice; they alone know about infinite maxima, for this costs the others 8 %, and so they return 0 and leave such rows. */
static INLINE int softmax_in(const panel *p, mode way, memory x, memory y, enum sense sense, double temperature,
                             const V *factor)
{
    if (sense == PLAIN && way.own && x.at != y.at && softmax_of_small(p, way, x, y, factor)) return 1;
    const base o = base_of(p, way, x, sense, temperature);
    if (way.own && lanes_of(gt(abs(o.top), K(LARGEST)))) return 0;
    const pair sum = exponentials(p, way, x, &o, sense, way.own ? &y : NULL);
    if (way.own) {
        finish(p, way, y, sum, factor);
        return 1;
    }
    const pair inverse = quotient(single(K(1)), sum);
    EACH(i, n, put(p, way, y, i, n, quotient_of(lifted_exp(get(p, way, x, i, n), sense, &o, 1), inverse, factor)););
    return 1;
}
/* The limit at temperature 0: equal shares of 1 for the maxima, or the minima if it is -0. */
static INLINE int softmax_at_zero(const panel *p, mode way, int negated)
{
    const V top = greatest(p, way, p->in[0], negated);
    V count = K(0);
    EACH(i, n, {
        const V v = get(p, way, p->in[0], i, n);
        count = count + present(way, n, sel(eq(v, v), sel(eq(negated ? -v : v, top), K(1), K(0)), v), K(0));
    });
    const V all = over_lanes(way, count);
    const M none = gt(abs(top), K(LARGEST)) & (lt(top, K(0)) | gt(all, K(1)));
    const V share = sel(none, K(NOT_A_NUMBER), K(1) / all);
    EACH(i, n, {
        const V v = get(p, way, p->in[0], i, n);
        put(p, way, p->out[0], i, n, sel(eq(negated ? -v : v, top), K(1), K(0)) * share);
    });
    return 1;
}
static INLINE int softmax_forward(const panel *p, mode way)
{
    const double temperature = p->parameters[0];
    if (temperature == 1) return softmax_in(p, way, p->in[0], p->out[0], PLAIN, 1, NULL);
    if (temperature == 0) return softmax_at_zero(p, way, 1 / temperature < 0);
    return softmax_in(p, way, p->in[0], p->out[0], TEMPERED, temperature, NULL);
}
static INLINE int softmin_forward(const panel *p, mode way)
{
    return softmax_in(p, way, p->in[0], p->out[0], NEGATED, 1, NULL);
}

/* g, y: factor y (g - sum of g y) */
static INLINE void softmax_backward_in(const panel *p, mode way, V factor)
{
    sums s;
    SUM(s, i, n, ADD_PAIR(two_product(get(p, way, p->in[0], i, n), get(p, way, p->in[1], i, n))););
    const pair dot = total(p, way, &s);
    EACH(i, n, {
        const V y = get(p, way, p->in[1], i, n);
        put(p, way, p->out[0], i, n, y * minus_pair(get(p, way, p->in[0], i, n), dot) * factor);
    });
}
static INLINE int softmax_backward(const panel *p, mode way)
{
    softmax_backward_in(p, way, B((REAL)(1 / p->parameters[0])));
    return 1;
}
static INLINE int softmin_backward(const panel *p, mode way)
{
    softmax_backward_in(p, way, K(-1));
    return 1;
}

/* ---- logarithms: log of the sum = max + log(count + rest), of the maxima and of the others ---- */

typedef struct {
    V top, count, rest, log;
} logarithm;

static INLINE logarithm log_of_sum(const panel *p, mode way, memory x, V divisor)
{
    const base o = base_of(p, way, x, PLAIN, 1);
    sums s;
    V count = K(0);
    SUM(s, i, n, {
        const V v = present(way, n, get(p, way, x, i, n), K(-INFINITE));
        const M is_top = eq(v, o.top);
        ADD(sel(is_top, K(0), present(way, n, lifted_exp(v, PLAIN, &o, 1), K(0))));
        count = count + present(way, n, sel(is_top, K(1), K(0)), K(0));
    });
    const pair others = total(p, way, &s);
    logarithm r;
    r.top = o.top;
    r.count = over_lanes(way, count);
    r.rest = (others.h + others.l) / lifted_exp(o.top, PLAIN, &o, 1);
    pair sum = two_sum(r.count, r.rest);
    sum = quotient(sum, single(divisor));
    r.log = log_of(sum, K(0));
    /* the logarithm of 1 + rest halves its argument on the way, which would cost a subnormal its last bit */
    r.log = sel(eq(r.count, divisor) & lt(r.rest, K(C(0x1p-30f, 0x1p-60))), r.rest / divisor, r.log);
    return r;
}
static INLINE int log_softmax_forward(const panel *p, mode way)
{
    const logarithm l = log_of_sum(p, way, p->in[0], K(1));
    const M none = gt(abs(l.top), K(LARGEST)) & (lt(l.top, K(0)) | gt(l.count, K(1)));
    const V log = sel(none, K(NOT_A_NUMBER), l.log);
    EACH(i, n, {
        const V v = get(p, way, p->in[0], i, n);
        put(p, way, p->out[0], i, n, sel(eq(v, l.top), K(0), v - l.top) - log);
    });
    return 1;
}
#if DOUBLE
static INLINE int logsumexp_forward(const panel *p, mode way)
{
    const logarithm l = log_of_sum(p, way, p->in[0], K(1));
    put_one(p, way, p->out[0], l.top + l.log);
    return 1;
}
#else
/* Most rows need neither a maximum nor a double: the logarithm of the plain sum is within 2 ULP unless it is small, for the
   sum's half ULP is absolute then, or the sum is not of normal numbers. Whoever calls looks at NaN again, in doubles. */
#define GREATEST_TERM 80
static INLINE int logsumexp_forward(const panel *p, mode way)
{
    sums s;
    V largest = K(0); /* which takes no part in the choice */
    SUM(s, i, n, {
        V k;
        const V v = get(p, way, p->in[0], i, n), c = max(K(-GREATEST_TERM), min(K(GREATEST_TERM), v));
        const V q = exp_reduced(c, &k), power = pow2(k + K(MAGIC));
        ADD(sel(lt(v, K(-GREATEST_TERM)), K(0), present(way, n, fma(power, q, power), K(0))));
        largest = max(v, largest);
    });
    for (int c = way.along ? LANES / 2 : 0; c; c /= 2) largest = max(moved(largest, c), largest);
    const V y = log_of(total(p, way, &s), K(0));
    const M sure = lt(largest, K(GREATEST_TERM)) & (gt(y, K(1)) | (lt(y, K(-1)) & gt(y, K(-30))));
    put_one(p, way, p->out[0], sel(sure, y, K(NOT_A_NUMBER)));
    return 1;
}
#endif
/* Around 0 the maximum and the logarithm would cancel: rows of small numbers take log1p of the mean of e^x - 1, in pairs,
   for these may cancel among themselves (1e-9 and -1e-9 give 5e-19). */
static INLINE int logmeanexp_forward(const panel *p, mode way)
{
    const memory x = p->in[0];
    const V n_of_row = B((REAL)p->length);
    const V largest = max(greatest(p, way, x, 0), greatest(p, way, x, 1));
    const M small = lt(largest, K(SMALL)), large = gt(largest, K(SMALL)) | eq(largest, K(SMALL));
    V y = K(0);
    if (lanes_of(small)) {
        sums s;
        SUM(s, i, n, {
            V k;
            const V v = get(p, way, x, i, n), c = sel(eq(v, v), max(K(-SMALL), min(K(SMALL), v)), v);
            const pair q = exp_reduced_sum(c, K(0), &k);
            const V power = pow2(k + K(MAGIC));
            const pair e = sum_of(single(power - K(1)), scaled_pair(q, power));
            const pair own = {present(way, n, e.h, K(0)), present(way, n, e.l, K(0))};
            ADD_PAIR(own);
        });
        y = log_of(plus(1, quotient(total(p, way, &s), single(n_of_row))), K(0));
    }
    if (lanes_of(large)) {
        const logarithm l = log_of_sum(p, way, x, n_of_row);
        y = sel(small, y, l.top + l.log);
    }
    put_one(p, way, p->out[0], y);
    return 1;
}

/* g, y: g - e^y sum of g */
static INLINE int log_softmax_backward(const panel *p, mode way)
{
    sums s;
    SUM(s, i, n, ADD(get(p, way, p->in[0], i, n)););
    const pair sum = total(p, way, &s);
    EACH(i, n, {
        const V g = get(p, way, p->in[0], i, n), y = get(p, way, p->in[1], i, n);
        V k;
        /* no output is above 0, but a caller may err */
        const V c = max(K(-EXP_LIMIT), min(K(EXP_OVERFLOW), y));
        const pair q = exp_reduced_sum(c, K(0), &k), e = plus(1, q), whole = product(e, sum);
        const V scale = sel(lt(y, K(-EXP_LIMIT)), K(0), value_of(exp2_of(k)));
        const pair share = {whole.h * scale, whole.l * scale};
        put(p, way, p->out[0], i, n, minus_pair(g, share));
    });
    return 1;
}
/* g, x: g softmax(x); those of logmeanexp are the same */
static INLINE int logsumexp_backward(const panel *p, mode way)
{
    const V g = get_one(p, way, p->in[0]);
    return softmax_in(p, way, p->in[1], p->out[0], PLAIN, 1, &g);
}
#define logmeanexp_backward logsumexp_backward
