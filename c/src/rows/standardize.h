/* standardize.h - (x - mean)/sqrt(var + eps): the mean and the deviations with twice the bits, for a mean far larger than the
   deviations is what makes other implementations fail. */

/* 1/sqrt(var + eps) */
static INLINE extended inverse_deviation(extended var, double eps)
{
    return extended_inverse_root(extended_plus_double(var, eps));
}
/* v - mean, to the bits of a double: forward has no use for more */
#if DOUBLE
typedef V difference;
#define difference_from minus_pair
#define present_difference(i, d) present(i, d, K(0))
#define ADD_SQUARE(d) ADD((d) * (d))
#define standard(d, by) fma(d, (by).h, (d) * (by).l)
#else
typedef extended difference;
#define difference_from deviation
#define present_difference present_extended
#define ADD_SQUARE(d) ADD_EXTENDED(extended_times(d, d))
#define standard(d, by) narrowed(extended_times(d, by))
#endif
static INLINE int standardize_forward(const panel *p, mode way)
{
    const memory x = p->in[0];
    sums s;
    each_extended mean, inverse;
    SUM(s, i, ADD(get(p, way, x, i)););
    means_of(p, way, &s, mean);
    SUM(s, i, {
        const difference d = present_difference(i, difference_from(get(p, way, x, i), mean[i.row]));
        ADD_SQUARE(d);
    });
    means_of(p, way, &s, inverse);
    EACH_ROW(v, inverse[v] = inverse_deviation(inverse[v], p->parameters[0]););
    EACH_BACK(i, {
        const difference d = difference_from(get(p, way, x, i), mean[i.row]);
        put(p, way, p->out[0], i, standard(d, inverse[i.row]));
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
        const extended by = inverse_deviation(inverse[v], p->parameters[0]);
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
