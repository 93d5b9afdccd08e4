/* standardize.h - (x - mean)/sqrt(var + eps): the mean and the deviations with twice the bits, for a mean far larger than the
   deviations is what makes other implementations fail. */

/* 1/sqrt(var + eps) */
static INLINE pair inverse_deviation(extended var, double eps)
{
    const pair e = {B((REAL)eps), B(DOUBLE ? 0 : (REAL)(eps - (REAL)eps))}, variance = add(pair_of_extended(var), e);
    /* the root of a pair: one Newton step from that of its high part */
    const V h = square_root(variance.h), l = (fnma(h, h, variance.h) + variance.l) / (h + h);
    const pair root = {h, sel(gt(h, K(0)), l, K(0))};
    return quotient(single(K(1)), root);
}
static INLINE int standardize_forward(const panel *p, mode way)
{
    const memory x = p->in[0];
    sums s;
    each_extended means;
    kept mean, inverse;
    SUM(s, i, ADD(get(p, way, x, i)););
    means_of(p, way, &s, means);
    EACH_ROW(v, set_pair(&mean, v, pair_of_extended(means[v])););
    SUM(s, i, {
        const V d = present(i, minus_pair(get(p, way, x, i), pair_of(&mean, i.row)), K(0));
        ADD(d * d);
    });
    means_of(p, way, &s, means);
    EACH_ROW(v, set_pair(&inverse, v, inverse_deviation(means[v], p->parameters[0])););
    EACH_BACK(i, {
        const V d = minus_pair(get(p, way, x, i), pair_of(&mean, i.row));
        put(p, way, p->out[0], i, fma(d, inverse.h[i.row], d * inverse.l[i.row]));
    });
    return 1;
}
/* g, x: (g - mean of g - y mean of g y)/sqrt(var + eps), where terms cancel */
static INLINE int standardize_backward(const panel *p, mode way)
{
    const memory g = p->in[0], x = p->in[1];
    sums s;
    each_extended mean, mean_of_g, inverse, slope;
    SUM_TWICE(s, i, {
        ADD(get(p, way, x, i));
        ADD_TO_SECOND(extend(get(p, way, g, i)));
    });
    means_of(p, way, &s, mean);
    SECOND_SUM(EXTENDED, s);
    means_of(p, way, &s, mean_of_g);
    SUM_TWICE(s, i, {
        const extended d = present_extended(i, deviation(get(p, way, x, i), mean[i.row]));
        ADD_EXTENDED(extended_times(d, d));
        ADD_TO_SECOND(extended_by(d, get(p, way, g, i)));
    });
    means_of(p, way, &s, inverse); /* the variance, so far */
    SECOND_SUM(EXTENDED, s);
    means_of(p, way, &s, slope);
    EACH_ROW(v, {
        const extended by = extended_pair(inverse_deviation(inverse[v], p->parameters[0]));
        slope[v] = extended_times(extended_times(slope[v], by), by);
        inverse[v] = by;
    });
    EACH_BACK(i, {
        const extended d = deviation(get(p, way, x, i), mean[i.row]);
        const extended centred = deviation(get(p, way, g, i), mean_of_g[i.row]);
        const extended sum = extended_minus(centred, extended_times(d, slope[i.row]));
        put(p, way, p->out[0], i, narrowed(extended_times(sum, inverse[i.row])));
    });
    return 1;
}
