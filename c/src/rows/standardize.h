/* standardize.h - (x - mean)/sqrt(var + eps): the mean and the deviations as pairs, for a mean far larger than the
   deviations is what makes other implementations fail. */

typedef struct {
    kept mean, inverse; /* of each row; 1/sqrt(var + eps) */
} moments;

static INLINE pair deviation(V v, pair mean)
{
    pair d = two_sum(v, -mean.h);
    d.l = d.l - mean.l; /* as large as the high part, where deviations are small beside the mean */
    return d;
}
/* the means, from the sums */
static INLINE void means_of(const panel *p, mode way, sums *s, kept *means)
{
    total(p, way, s);
    EACH_ROW(v, set_pair(means, v, quotient(pair_of(s, v), single(B((REAL)p->length)))););
}
/* For backward, where terms cancel, with deviations in pairs. */
static INLINE void moments_of(const panel *p, mode way, memory x, double eps, int in_pairs, sums *s, moments *m)
{
    SUM(*s, i, ADD(get(p, way, x, i)););
    means_of(p, way, s, &m->mean);
    if (in_pairs) {
        SUM(*s, i, {
            /* apart, for the product drops the square of the low part: 50 ULP where x is 1000 +- 0.01 */
            const pair o = deviation(get(p, way, x, i), pair_of(&m->mean, i.row)), d = fast_two_sum(o.h, o.l);
            const pair used = {present(i, d.h, K(0)), present(i, d.l, K(0))};
            ADD_PAIR(product(used, used));
        });
    } else {
        SUM(*s, i, {
            const V d = present(i, minus_pair(get(p, way, x, i), pair_of(&m->mean, i.row)), K(0));
            ADD(d * d);
        });
    }
    means_of(p, way, s, &m->inverse);
    const pair e = {B((REAL)eps), B(DOUBLE ? 0 : (REAL)(eps - (REAL)eps))};
    EACH_ROW(v, {
        const pair variance = add(pair_of(&m->inverse, v), e);
        /* the root of a pair: one Newton step from that of its high part */
        const V h = square_root(variance.h), l = (fnma(h, h, variance.h) + variance.l) / (h + h);
        const pair root = {h, sel(gt(h, K(0)), l, K(0))};
        set_pair(&m->inverse, v, quotient(single(K(1)), root));
    });
}
static INLINE int standardize_forward(const panel *p, mode way)
{
    sums s;
    moments m;
    moments_of(p, way, p->in[0], p->parameters[0], 0, &s, &m);
    EACH_BACK(i, {
        const V d = minus_pair(get(p, way, p->in[0], i), pair_of(&m.mean, i.row));
        put(p, way, p->out[0], i, fma(d, m.inverse.h[i.row], d * m.inverse.l[i.row]));
    });
    return 1;
}
/* g, x: (g - mean of g - y mean of g y)/sqrt(var + eps) */
static INLINE int standardize_backward(const panel *p, mode way)
{
    const memory g = p->in[0], x = p->in[1];
    sums s;
    moments m;
    kept mean, slope;
    moments_of(p, way, x, p->parameters[0], 1, &s, &m);
    SUM(s, i, ADD(get(p, way, g, i)););
    means_of(p, way, &s, &mean);
    SUM(s, i, {
        const pair d = deviation(get(p, way, x, i), pair_of(&m.mean, i.row));
        ADD_PAIR(product_by(d, get(p, way, g, i)));
    });
    means_of(p, way, &s, &slope);
    EACH_ROW(v, {
        const pair inverse = pair_of(&m.inverse, v);
        set_pair(&slope, v, mul(mul(pair_of(&slope, v), inverse), inverse));
    });
    EACH_BACK(i, {
        const pair d = deviation(get(p, way, x, i), pair_of(&m.mean, i.row));
        const pair centred = deviation(get(p, way, g, i), pair_of(&mean, i.row));
        const pair sum = sum_of(centred, neg(product(d, pair_of(&slope, i.row)))), by = pair_of(&m.inverse, i.row);
        put(p, way, p->out[0], i, fma(sum.h, by.h, fma(sum.h, by.l, sum.l * by.h)));
    });
    return 1;
}
