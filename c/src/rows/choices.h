/* choices.h - maxout and crelu: nothing rounds. */

static INLINE V whether(M m, V v) { return sel(eq(v, v), sel(m, K(1), K(0)), v); }

/* ---- maxout ---- */

/* the maximum of a row, NaN if one is; +0 if zeros of both signs are */
static INLINE V greatest_or_nan(const panel *p, mode way, memory m)
{
    sums nans;
    start(p, way, &nans);
    EACH(i)
    {
        const V v = get(p, way, m, i);
        nans.h[CHAIN(i)] = nans.h[CHAIN(i)] + sel(eq(v, v), K(0), K(1));
    }
    const V top = greatest(p, way, m, 0);
    return sel(gt(total(p, way, &nans).h, K(0)), K(NOT_A_NUMBER), top + K(0));
}
static INLINE void maxout_forward(const panel *p, mode way)
{
    put_one(p, way, p->out[0], greatest_or_nan(p, way, p->in[0]));
}
/* the index of the first element equal to `top`, in each row; rows to 2^24 elements in floats */
static INLINE V first_of(const panel *p, mode way, memory m, V top)
{
    V found[CHAINS];
    const int used = chains_used(p, way);
    for (int c = 0; c < used; c++) found[c] = K(LARGEST);
    EACH(i)
    {
        const V v = present(p, way, i, get(p, way, m, i), K(NOT_A_NUMBER));
        found[CHAIN(i)] = min(sel(eq(v, top), index_of(way, i), K(LARGEST)), found[CHAIN(i)]);
    }
    for (int c = CHAIN_COUNT / 2; c; c /= 2)
        for (int k = 0; k < c && k + c < used; k++) found[k] = min(found[k], found[k + c]);
    if (!way.along || LANES == 1) return found[0];
    REAL all[LANES];
    store(all, found[0]);
    for (int c = LANES / 2; c; c /= 2)
        for (int k = 0; k < c; k++) all[k] = all[k] > all[k + c] ? all[k + c] : all[k];
    return B(all[0]);
}
/* g, x: the IEEE product of g with 1 at the first maximum and 0 elsewhere; NaN where the maximum is */
static INLINE void maxout_backward(const panel *p, mode way)
{
    const V g = get_one(p, way, p->in[0]), top = greatest_or_nan(p, way, p->in[1]);
    const V first = first_of(p, way, p->in[1], top);
    EACH(i) put(p, way, p->out[0], i, g * sel(eq(top, top), sel(eq(index_of(way, i), first), K(1), K(0)), top));
}

/* ---- crelu ---- */

static INLINE void crelu_in(const panel *p, mode way, const memory *y, const memory *d)
{
    EACH(i)
    {
        const V v = get(p, way, p->in[0], i);
        if (y) {
            put(p, way, y[0], i, max(K(0), v) + K(0)); /* +0 for -0 */
            put(p, way, y[1], i, max(K(0), -v) + K(0));
        }
        if (d) {
            put(p, way, d[0], i, whether(gt(v, K(0)), v));
            put(p, way, d[1], i, -whether(lt(v, K(0)), v) + K(0));
        }
    }
}
static INLINE void crelu_forward(const panel *p, mode way) { crelu_in(p, way, p->out, NULL); }
static INLINE void crelu_derivative(const panel *p, mode way) { crelu_in(p, way, NULL, p->out); }
static INLINE void crelu_value_and_derivative(const panel *p, mode way) { crelu_in(p, way, p->out, p->out + 2); }
static INLINE void crelu_second_derivative(const panel *p, mode way)
{
    EACH(i)
    {
        const V v = get(p, way, p->in[0], i), zero = sel(eq(v, v), K(0), v);
        put(p, way, p->out[0], i, zero);
        put(p, way, p->out[1], i, zero);
    }
}
/* two halves of g, x: the IEEE products with both derivatives */
static INLINE void crelu_backward(const panel *p, mode way)
{
    EACH(i)
    {
        const V v = get(p, way, p->in[2], i);
        const V first = get(p, way, p->in[0], i) * whether(gt(v, K(0)), v);
        const V second = get(p, way, p->in[1], i) * whether(lt(v, K(0)), v);
        put(p, way, p->out[0], i, first - second);
    }
}
