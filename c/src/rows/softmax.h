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
    each top, shift, lowest, bias; /* the maximum, of -x if the sense is that; what is subtracted; .. */
    V t, t_low, inverse;           /* temperature */
} base;

static INLINE void base_of(const panel *p, mode way, memory m, enum sense sense, double temperature, base *o)
{
    /* 0 x inf would spoil what rounding loses */
    const double finite = temperature - temperature == 0 ? temperature : 1;
    o->t = B((REAL)finite);
    o->t_low = DOUBLE ? K(0) : B((REAL)(finite - (REAL)finite));
    o->inverse = B((REAL)(1 / temperature));
    const int is_below_zero = sense == TEMPERED && temperature < 0;
    greatest(p, way, m, sense == NEGATED || is_below_zero, o->top);
    EACH_ROW(v, {
        const V x = is_below_zero ? -o->top[v] : o->top[v], u = sense == TEMPERED ? x * o->inverse : x;
        const M far = gt(abs(u), K(SHIFT_FROM));
        o->shift[v] = sel(far, x, K(0));
        const V left = sel(far, K(0), u);
        o->lowest[v] = left - K(NEGLIGIBLE);
        V k;
        (void)exp_reduced(left, &k);
        o->bias[v] = (K(LIFT) - k) + K(MAGIC);
    });
}
/* e^x 2^LIFT/2^k(max); below 2 2^LIFT. An infinite maximum is at distance 0 from itself if `infinite`, else NaN. */
static INLINE V lifted_exp(V x, enum sense sense, const base *o, size_t row, int infinite)
{
    V k, p, q, d = (sense == NEGATED ? -x : x) - o->shift[row];
    if (infinite) d = sel(eq(sense == NEGATED ? -x : x, o->shift[row]), K(0), d);
    if (sense == TEMPERED) { /* d/temperature, with what its rounding loses: of x it would be thousands of units */
        const V u = d * o->inverse, low = (fnma(u, o->t, d) - u * o->t_low) * o->inverse;
        const pair whole = exp_reduced_sum(max(o->lowest[row], u), sel(gt(u, o->lowest[row]), low, K(0)), &k);
        q = whole.h + whole.l;
    } else {
        q = exp_reduced(max(o->lowest[row], d), &k);
    }
    p = pow2(k + o->bias[row]);
    return fma(p, q, p);
}

/* the exponentials of the rows into `to`, where there is room for them; their sums */
static INLINE void exponentials(const panel *p, mode way, memory from, const base *o, enum sense sense,
                                const memory *to, sums *sum)
{
    SUM(*sum, i, {
        const V e = present(i, lifted_exp(get(p, way, from, i), sense, o, i.row, !way.own), K(0));
        if (to) put(p, way, *to, i, e);
        ADD(e);
    });
    total(p, way, sum);
    /* nothing but -inf, or several +inf, which count as 1 each */
    EACH_ROW(v, {
        const V top = o->top[v];
        const M several = gt(sum->h[v], K(C(0x1.8p64f, 0x1.8p512)));
        const M none = gt(abs(top), K(LARGEST)) & (lt(top, K(0)) | several);
        sum->h[v] = sel(none, K(NOT_A_NUMBER), sum->h[v]);
    });
}

/* The factors come last: e and the sum may be large powers of two, which must have gone by then. */
static INLINE V quotient_of(V e, const sums *inverse, const V *factor, size_t row)
{
    const V y = fma(e, inverse->h[row], e * inverse->l[row]);
    return factor ? y * factor[row] : y;
}
static INLINE void invert(const panel *p, mode way, sums *sum)
{
    EACH_ROW(v, set_pair(sum, v, quotient(single(K(1)), pair_of(sum, v))););
}
static INLINE void finish(const panel *p, mode way, memory y, sums *sum, const V *factor)
{
    invert(p, way, sum);
    EACH_BACK(i, put(p, way, y, i, quotient_of(get(p, way, y, i), sum, factor, i.row)););
}

/* Rows of small numbers, which most are, need no shift and no maximum: they are tried first, in one pass less. That they
   were not so small shows at the end: 0 then, and x must still be there. The bits are those of the general way, for its
   shifts are powers of two. */
#define SMALL 40
static INLINE int softmax_of_small(const panel *p, mode way, memory x, memory y, const V *factor)
{
    /* a look at the first vector spares most rows of large numbers this pass */
    if (p->length < (way.along ? LANES : 1)) return 0;
    const spot first = end_at(p, way, 0, 0, lanes_in(p, way, 0));
    if (lanes_of(gt(abs(get(p, way, x, first)), K(SMALL)))) return 0;
    sums sum;
    V largest = K(0);
    SUM(sum, i, {
        V k;
        const V v = get(p, way, x, i), q = exp_reduced(v, &k), power = pow2(k + K(MAGIC));
        const V e = present(i, fma(power, q, power), K(0));
        put(p, way, y, i, e);
        ADD(e);
        largest = max(abs(v), largest);
    });
    if (lanes_of(gt(largest, K(SMALL)))) return 0;
    total(p, way, &sum);
    finish(p, way, y, &sum, factor);
    return 1;
}

/* y = e^x / sum, times a factor if there is one. Kernels that cannot keep the exponentials in the result (ANY) compute them
   twice; they alone know about infinite maxima, for this costs the others 8 %, and so they return 0 and leave such rows. */
static INLINE int softmax_in(const panel *p, mode way, memory x, memory y, enum sense sense, double temperature,
                             const V *factor)
{
    /* of one element a row, y may lie on the factors, which are read again if this returns 0 */
    const int may_try = sense == PLAIN && way.own && x.at != y.at && (!factor || p->length > 1);
    if (may_try && softmax_of_small(p, way, x, y, factor)) return 1;
    base o;
    sums sum;
    base_of(p, way, x, sense, temperature, &o);
    if (way.own && any_beyond(p, way, o.top, K(LARGEST))) return 0;
    exponentials(p, way, x, &o, sense, way.own ? &y : NULL, &sum);
    if (way.own) {
        finish(p, way, y, &sum, factor);
        return 1;
    }
    invert(p, way, &sum);
    EACH(i, {
        const V e = lifted_exp(get(p, way, x, i), sense, &o, i.row, 1);
        put(p, way, y, i, quotient_of(e, &sum, factor, i.row));
    });
    return 1;
}
/* The limit at temperature 0: equal shares of 1 for the maxima, or the minima if it is -0. */
static INLINE int softmax_at_zero(const panel *p, mode way, int negated)
{
    each top, share;
    greatest(p, way, p->in[0], negated, top);
    EACH_PART(c, share[c] = K(0););
    EACH(i, {
        const V v = get(p, way, p->in[0], i);
        const V counted = sel(eq(v, v), sel(eq(negated ? -v : v, top[i.row]), K(1), K(0)), v);
        share[i.part] = share[i.part] + present(i, counted, K(0));
    });
    over_rows(p, way, PLUS, share);
    EACH_ROW(v, {
        const M none = gt(abs(top[v]), K(LARGEST)) & (lt(top[v], K(0)) | gt(share[v], K(1)));
        share[v] = sel(none, K(NOT_A_NUMBER), K(1) / share[v]);
    });
    EACH(i, {
        const V v = get(p, way, p->in[0], i);
        put(p, way, p->out[0], i, sel(eq(negated ? -v : v, top[i.row]), K(1), K(0)) * share[i.row]);
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

/* g, y: y (g - sum of g y)/temperature */
static INLINE int softmax_backward(const panel *p, mode way)
{
    const V factor = B((REAL)(1 / p->parameters[0]));
    sums dot;
    /* in pairs: of y = 1, 1e-20 the first gradient is 1e-20 of g, which a double has no room for beside it */
    SUM_OF_PAIRS(dot, i, ADD_PAIR(two_product(get(p, way, p->in[0], i), get(p, way, p->in[1], i))););
    total_of_pairs(p, way, &dot);
    EACH_BACK(i, {
        const V y = get(p, way, p->in[1], i);
        put(p, way, p->out[0], i, y * minus_pair(get(p, way, p->in[0], i), pair_of(&dot, i.row)) * factor);
    });
    return 1;
}
#define softmin_backward softmax_backward /* at temperature -1, which rows without parameters have */

/* ---- logarithms: log of the sum = max + log(count + rest), of the maxima and of the others ---- */

typedef struct {
    base of;    /* with the maxima, `top` */
    each count; /* of elements that are the maximum */
    each log;   /* of the sum over e^top */
} logarithm;

static INLINE void log_of_sum(const panel *p, mode way, memory x, V divisor, logarithm *r)
{
    sums others;
    base_of(p, way, x, PLAIN, 1, &r->of);
    EACH_PART(c, r->count[c] = K(0););
    SUM(others, i, {
        const V v = present(i, get(p, way, x, i), K(-INFINITE));
        const M is_top = eq(v, r->of.top[i.row]);
        ADD(sel(is_top, K(0), present(i, lifted_exp(v, PLAIN, &r->of, i.row, 0), K(0))));
        r->count[i.part] = r->count[i.part] + present(i, sel(is_top, K(1), K(0)), K(0));
    });
    total(p, way, &others);
    over_rows(p, way, PLUS, r->count);
    EACH_ROW(v, {
        const V rest = (others.h[v] + others.l[v]) / lifted_exp(r->of.top[v], PLAIN, &r->of, v, 1);
        const V log = log_of(quotient(two_sum(r->count[v], rest), single(divisor)), K(0));
        /* the logarithm of 1 + rest halves its argument on the way, which would cost a subnormal its last bit */
        const M tiny = eq(r->count[v], divisor) & lt(rest, K(C(0x1p-30f, 0x1p-60)));
        r->log[v] = sel(tiny, rest / divisor, log);
    });
}
static INLINE int log_softmax_forward(const panel *p, mode way)
{
    logarithm r;
    log_of_sum(p, way, p->in[0], K(1), &r);
    const V *top = r.of.top;
    EACH_ROW(v, {
        const M none = gt(abs(top[v]), K(LARGEST)) & (lt(top[v], K(0)) | gt(r.count[v], K(1)));
        r.log[v] = sel(none, K(NOT_A_NUMBER), r.log[v]);
    });
    EACH_BACK(i, {
        const V v = get(p, way, p->in[0], i);
        put(p, way, p->out[0], i, sel(eq(v, top[i.row]), K(0), v - top[i.row]) - r.log[i.row]);
    });
    return 1;
}
#if DOUBLE
static INLINE int logsumexp_forward(const panel *p, mode way)
{
    logarithm r;
    log_of_sum(p, way, p->in[0], K(1), &r);
    EACH_ROW(v, r.log[v] = r.of.top[v] + r.log[v];);
    put_ones(p, way, p->out[0], r.log);
    return 1;
}
/* Around 0 the maximum and the logarithm would cancel: rows of small numbers take log1p of the mean of e^x - 1, in pairs,
   for these may cancel among themselves (1e-9 and -1e-9 give 5e-19). */
static INLINE int logmeanexp_forward(const panel *p, mode way)
{
    const memory x = p->in[0];
    const V n_of_row = B((REAL)p->length);
    each y, largest;
    unsigned some_small = 0, some_large = 0;
    greatest(p, way, x, 0, largest);
    greatest(p, way, x, 1, y);
    EACH_ROW(v, {
        largest[v] = max(largest[v], y[v]);
        some_small |= lanes_of(lt(largest[v], K(SMALL)));
        some_large |= lanes_of(gt(largest[v], K(SMALL)) | eq(largest[v], K(SMALL)));
        y[v] = K(0);
    });
    if (some_small) {
        sums s;
        SUM(s, i, {
            V k;
            const V v = get(p, way, x, i), c = sel(eq(v, v), max(K(-SMALL), min(K(SMALL), v)), v);
            const pair q = exp_reduced_sum(c, NOTHING, &k);
            const V power = pow2(k + K(MAGIC));
            const pair e = sum_of(two_sum(power, K(-1)), scaled_pair(q, power)); /* 2^-54 - 1 is no double */
            const pair own = {present(i, e.h, K(0)), present(i, e.l, K(0))};
            ADD_EXTENDED(own);
        });
        total(p, way, &s);
        EACH_ROW(v, {
            const pair mean = plus(1, quotient(pair_of(&s, v), single(n_of_row)));
            y[v] = log_of(fast_two_sum(mean.h, mean.l), K(0)); /* e^-30 leaves h eleven bits */
        });
    }
    if (some_large) {
        logarithm r;
        log_of_sum(p, way, x, n_of_row, &r);
        EACH_ROW(v, y[v] = sel(lt(largest[v], K(SMALL)), y[v], r.of.top[v] + r.log[v]););
    }
    put_ones(p, way, p->out[0], y);
    return 1;
}
#else
/* Most rows need neither a maximum nor a double: the logarithm of the plain sum is within 2 ULP from 1 on, and 3 from 0.25 on,
   for the sum's half ULP is absolute; and where the sum is of normal numbers. Whoever calls looks at NaN again, in doubles. */
#define GREATEST_TERM 80
static INLINE int log_of_plain_sum(const panel *p, mode way, int is_mean, V least)
{
    const V n_of_row = B((REAL)p->length);
    sums s;
    each largest; /* which takes no part in the choice */
    EACH_PART(c, largest[c] = K(0););
    SUM(s, i, {
        V k;
        const V v = get(p, way, p->in[0], i), c = max(K(-GREATEST_TERM), min(K(GREATEST_TERM), v));
        const V q = exp_reduced(c, &k), power = pow2(k + K(MAGIC));
        ADD(sel(lt(v, K(-GREATEST_TERM)), K(0), present(i, fma(power, q, power), K(0))));
        largest[i.part] = max(v, largest[i.part]);
    });
    total(p, way, &s);
    over_rows(p, way, GREATEST, largest);
    EACH_ROW(v, {
        const pair sum = pair_of(&s, v);
        const V y = log_of(is_mean ? quotient(sum, single(n_of_row)) : sum, K(0));
        const M sure = lt(largest[v], K(GREATEST_TERM)) & (gt(y, least) | (lt(y, -least) & gt(y, K(-30))));
        largest[v] = sel(sure, y, K(NOT_A_NUMBER));
    });
    put_ones(p, way, p->out[0], largest);
    return 1;
}
static INLINE int logsumexp_forward(const panel *p, mode way) { return log_of_plain_sum(p, way, 0, K(1)); }
static INLINE int logmeanexp_forward(const panel *p, mode way) { return log_of_plain_sum(p, way, 1, K(0.25)); }
#endif

/* g, y: g - e^y S, S being the sum of g. As (g - 2^k S) - 2^k S q: where the two cancel, as g = 1 and y = -4e-9 do, the first
   difference is exact. */
static INLINE int log_softmax_backward(const panel *p, mode way)
{
    sums sum;
    /* in pairs, as above: of g = -1, -1e-20 */
    SUM_OF_PAIRS(sum, i, ADD_PAIR(single(get(p, way, p->in[0], i))););
    total_of_pairs(p, way, &sum);
    EACH_BACK(i, {
        const V g = get(p, way, p->in[0], i), y = get(p, way, p->in[1], i);
        V k; /* no output is above 0, but a caller may err */
        const V q = exp_reduced(max(K(-EXP_LIMIT), min(K(EXP_OVERFLOW), y)), &k);
        const V power = sel(lt(y, K(-EXP_LIMIT)), K(0), value_of(exp2_of(k))), share = sum.h[i.row] * power;
        put(p, way, p->out[0], i, fnma(share, q, fnma(sum.l[i.row], power, g - share)));
    });
    return 1;
}
/* g, x: g softmax(x); those of logmeanexp are the same */
static INLINE int logsumexp_backward(const panel *p, mode way)
{
    each g;
    get_ones(p, way, p->in[0], g);
    return softmax_in(p, way, p->in[1], p->out[0], PLAIN, 1, g);
}
#define logmeanexp_backward logsumexp_backward
