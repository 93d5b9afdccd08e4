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
    V top, shift, rest, lowest, bias; /* the maximum; what is subtracted; .. */
    V t, t_low, inverse;              /* temperature */
} base;

/* x/temperature, with what its rounding loses */
static INLINE pair tempered(V x, const base *o)
{
    const V u = x * o->inverse;
    pair r = {u, sel(lt(abs(u), K(LARGEST)), (fnma(u, o->t, x) - u * o->t_low) * o->inverse, K(0))};
    return r;
}

static INLINE base base_of(const panel *p, mode way, memory m, enum sense sense, double temperature)
{
    base o;
    o.t = B((REAL)temperature);
    o.t_low = DOUBLE ? K(0) : B((REAL)(temperature - (REAL)temperature));
    o.inverse = B((REAL)(1 / temperature));
    const int negated = sense == NEGATED || (sense == TEMPERED && temperature < 0);
    pair top = single(greatest(p, way, m, negated));
    if (sense == TEMPERED) top = tempered(negated ? -top.h : top.h, &o);
    const M far = gt(abs(top.h), K(SHIFT_FROM));
    o.top = top.h;
    o.shift = sel(far, top.h, K(0));
    o.rest = sel(far, top.l, K(0));
    const V left = sel(far, K(0), top.h);
    o.lowest = left - K(NEGLIGIBLE);
    V k;
    (void)exp_reduced(left, &k);
    o.bias = (K(LIFT) - k) + K(MAGIC);
    return o;
}
/* e^x 2^LIFT/2^k(max); below 2 2^LIFT */
static INLINE V lifted_exp(V x, enum sense sense, const base *o)
{
    V k, p, q;
    if (sense == TEMPERED) {
        const pair u = tempered(x, o);
        const pair d = two_sum(sel(eq(u.h, o->shift), K(0), u.h - o->shift), u.l - o->rest);
        const pair whole = exp_reduced_sum(max(o->lowest, d.h), sel(gt(d.h, o->lowest), d.l, K(0)), &k);
        q = whole.h + whole.l;
    } else {
        const V u = sense == NEGATED ? -x : x;
        /* an infinite maximum is at distance 0 from itself */
        q = exp_reduced(max(o->lowest, sel(eq(u, o->shift), K(0), u - o->shift)), &k);
    }
    p = pow2(k + o->bias);
    return fma(p, q, p);
}

/* the exponentials of a row into `to`, where there is room for them; their sum */
static INLINE pair exponentials(const panel *p, mode way, memory from, const base *o, enum sense sense,
                                const memory *to)
{
    sums s;
    start(p, way, &s);
    EACH(i)
    {
        const V e = present(p, way, i, lifted_exp(get(p, way, from, i), sense, o), K(0));
        if (to) put(p, way, *to, i, e);
        add_to(&s, way, i, e);
    }
    pair r = total(p, way, &s);
    /* nothing but -inf, or several +inf, which count as 1 each */
    const M none = gt(abs(o->top), K(LARGEST)) & (lt(o->top, K(0)) | gt(r.h, K(C(0x1.8p64f, 0x1.8p512))));
    r.h = sel(none, K(NOT_A_NUMBER), r.h);
    return r;
}

/* y = factor e^x / sum. Kernels that cannot keep the exponentials in the result compute them twice. */
static INLINE void softmax_in(const panel *p, mode way, memory x, memory y, enum sense sense, double temperature,
                              V factor)
{
    const base o = base_of(p, way, x, sense, temperature);
    const pair inverse = quotient(single(factor), exponentials(p, way, x, &o, sense, way.own ? &y : NULL));
    EACH(i)
    {
        const V e = way.own ? get(p, way, y, i) : lifted_exp(get(p, way, x, i), sense, &o);
        put(p, way, y, i, fma(e, inverse.h, e * inverse.l));
    }
}
static INLINE void softmax_forward(const panel *p, mode way)
{
    if (p->parameters[0] == 1)
        softmax_in(p, way, p->in[0], p->out[0], PLAIN, 1, K(1));
    else
        softmax_in(p, way, p->in[0], p->out[0], TEMPERED, p->parameters[0], K(1));
}
static INLINE void softmin_forward(const panel *p, mode way)
{
    softmax_in(p, way, p->in[0], p->out[0], NEGATED, 1, K(1));
}

/* g, y: factor y (g - sum of g y) */
static INLINE void softmax_backward_in(const panel *p, mode way, V factor)
{
    sums s;
    start(p, way, &s);
    EACH(i) add_product_to(&s, way, i, get(p, way, p->in[0], i), get(p, way, p->in[1], i));
    const pair dot = total(p, way, &s);
    EACH(i)
    {
        const V y = get(p, way, p->in[1], i);
        const pair d = two_sum(get(p, way, p->in[0], i), -dot.h);
        put(p, way, p->out[0], i, y * (d.h + (d.l - dot.l)) * factor);
    }
}
static INLINE void softmax_backward(const panel *p, mode way)
{
    softmax_backward_in(p, way, B((REAL)(1 / p->parameters[0])));
}
static INLINE void softmin_backward(const panel *p, mode way) { softmax_backward_in(p, way, K(-1)); }

/* ---- logarithms: log of the sum = max + log(count + rest), of the maxima and of the others ---- */

typedef struct {
    V top, count, rest, log;
} logarithm;

static INLINE logarithm log_of_sum(const panel *p, mode way, memory x, V divisor)
{
    const base o = base_of(p, way, x, PLAIN, 1);
    sums s, maxima_found;
    start(p, way, &s);
    start(p, way, &maxima_found);
    EACH(i)
    {
        const V v = present(p, way, i, get(p, way, x, i), K(-INFINITE));
        const M is_top = eq(v, o.top);
        add_to(&s, way, i, sel(is_top, K(0), present(p, way, i, lifted_exp(v, PLAIN, &o), K(0))));
        maxima_found.h[CHAIN(i)] = maxima_found.h[CHAIN(i)] + present(p, way, i, sel(is_top, K(1), K(0)), K(0));
    }
    const pair others = total(p, way, &s);
    logarithm r;
    r.top = o.top;
    r.count = total(p, way, &maxima_found).h;
    r.rest = (others.h + others.l) / lifted_exp(o.top, PLAIN, &o);
    pair sum = two_sum(r.count, r.rest);
    sum = quotient(sum, single(divisor));
    r.log = log_of(sum);
    /* the logarithm of 1 + rest halves its argument on the way, which would cost a subnormal its last bit */
    r.log = sel(eq(r.count, divisor) & lt(r.rest, K(C(0x1p-30f, 0x1p-60))), r.rest / divisor, r.log);
    return r;
}
static INLINE void log_softmax_forward(const panel *p, mode way)
{
    const logarithm l = log_of_sum(p, way, p->in[0], K(1));
    const M none = gt(abs(l.top), K(LARGEST)) & (lt(l.top, K(0)) | gt(l.count, K(1)));
    const V log = sel(none, K(NOT_A_NUMBER), l.log);
    EACH(i)
    {
        const V v = get(p, way, p->in[0], i);
        put(p, way, p->out[0], i, sel(eq(v, l.top), K(0), v - l.top) - log);
    }
}
static INLINE void logsumexp_forward(const panel *p, mode way)
{
    const logarithm l = log_of_sum(p, way, p->in[0], K(1));
    put_one(p, way, p->out[0], l.top + l.log);
}
static INLINE void logmeanexp_forward(const panel *p, mode way)
{
    const logarithm l = log_of_sum(p, way, p->in[0], B((REAL)p->length));
    put_one(p, way, p->out[0], l.top + l.log);
}

/* g, y: g - e^y sum of g */
static INLINE void log_softmax_backward(const panel *p, mode way)
{
    sums s;
    start(p, way, &s);
    EACH(i) add_to(&s, way, i, get(p, way, p->in[0], i));
    const pair sum = total(p, way, &s);
    EACH(i)
    {
        const V g = get(p, way, p->in[0], i), y = get(p, way, p->in[1], i);
        V k;
        const pair q = exp_reduced_sum(max(K(-EXP_LIMIT), y), K(0), &k), e = plus(1, q);
        const pair whole = product(e, sum);
        const V scale = sel(lt(y, K(-EXP_LIMIT)), K(0), value_of(exp2_of(k)));
        const V high = whole.h * scale, low = whole.l * scale;
        const pair d = two_sum(g, -high);
        put(p, way, p->out[0], i, d.h + (d.l - low));
    }
}
/* g, x: g softmax(x); those of logmeanexp are the same */
static INLINE void logsumexp_backward(const panel *p, mode way)
{
    softmax_in(p, way, p->in[1], p->out[0], PLAIN, 1, get_one(p, way, p->in[0]));
}
#define logmeanexp_backward logsumexp_backward
