/* standardize.h - (x - mean)/sqrt(var + eps): the mean and the deviations as pairs, for a mean far larger than the
   deviations is what makes other implementations fail. */

typedef struct {
    pair mean, inverse; /* of the row; 1/sqrt(var + eps) */
} moments;

static INLINE pair deviation(V v, pair mean)
{
    const pair d = two_sum(v, -mean.h);
    return fast_two_sum(d.h, d.l - mean.l);
}
static INLINE pair mean_of(const panel *p, mode way, sums *s)
{
    return quotient(total(p, way, s), single(B((REAL)p->length)));
}
/* For backward, where terms cancel, with deviations in pairs. */
static INLINE moments moments_of(const panel *p, mode way, memory x, double eps, int in_pairs)
{
    moments r;
    sums s;
    SUM(s, i, n, ADD(get(p, way, x, i, n)););
    r.mean = mean_of(p, way, &s);
    if (in_pairs) {
        SUM(s, i, n, {
            const pair d = deviation(get(p, way, x, i, n), r.mean);
            const pair used = {present(way, n, d.h, K(0)), present(way, n, d.l, K(0))};
            ADD_PAIR(mul(used, used));
        });
    } else {
        SUM(s, i, n, {
            const V d = present(way, n, minus_pair(get(p, way, x, i, n), r.mean), K(0));
            ADD(d * d);
        });
    }
    const pair e = {B((REAL)eps), B(DOUBLE ? 0 : (REAL)(eps - (REAL)eps))}, v = add(mean_of(p, way, &s), e);
    /* the root of a pair: one Newton step from that of its high part */
    const V h = square_root(v.h), l = (fnma(h, h, v.h) + v.l) / (h + h);
    const pair root = {h, sel(gt(h, K(0)), l, K(0))};
    r.inverse = quotient(single(K(1)), root);
    return r;
}
static INLINE int standardize_forward(const panel *p, mode way)
{
    const moments m = moments_of(p, way, p->in[0], p->parameters[0], 0);
    EACH(i, n, {
        const V d = minus_pair(get(p, way, p->in[0], i, n), m.mean);
        put(p, way, p->out[0], i, n, fma(d, m.inverse.h, d * m.inverse.l));
    });
    return 1;
}
/* g, x: (g - mean of g - y mean of g y)/sqrt(var + eps) */
static INLINE int standardize_backward(const panel *p, mode way)
{
    const memory g = p->in[0], x = p->in[1];
    const moments m = moments_of(p, way, x, p->parameters[0], 1);
    sums s;
    SUM(s, i, n, ADD(get(p, way, g, i, n)););
    const pair mean = mean_of(p, way, &s);
    SUM(s, i, n, {
        const pair d = deviation(get(p, way, x, i, n), m.mean);
        ADD_PAIR(mul(single(get(p, way, g, i, n)), d));
    });
    const pair slope = mul(mul(mean_of(p, way, &s), m.inverse), m.inverse);
    EACH(i, n, {
        const pair d = deviation(get(p, way, x, i, n), m.mean);
        const pair centred = deviation(get(p, way, g, i, n), mean);
        put(p, way, p->out[0], i, n, mul(add(centred, neg(mul(d, slope))), m.inverse).h);
    });
    return 1;
}
