/* choices.h - hardmax, maxout and crelu: nothing rounds. */

static INLINE V whether(M m, V v) { return sel(eq(v, v), sel(m, K(1), K(0)), v); }

/* ---- maxout ---- */

/* the maximum of a row, NaN if one is; +0 if zeros of both signs are */
static INLINE V greatest_or_nan(const panel *p, mode way, memory m)
{
    V nans = K(0);
    EACH(i, n, {
        const V v = get(p, way, m, i, n);
        nans = nans + sel(eq(v, v), K(0), K(1));
    });
    const V top = greatest(p, way, m, 0);
    return sel(gt(over_lanes(way, nans), K(0)), K(NOT_A_NUMBER), top + K(0));
}
static INLINE int maxout_forward(const panel *p, mode way)
{
    put_one(p, way, p->out[0], greatest_or_nan(p, way, p->in[0]));
    return 1;
}
/* the index of the first element equal to `top`, in each row */
static INLINE V first_of(const panel *p, mode way, memory m, V top)
{
    V found = K(LARGEST);
    EACH(i, n, {
        const V v = present(way, n, get(p, way, m, i, n), K(NOT_A_NUMBER));
        found = min(sel(eq(v, top), index_of(way, i), K(LARGEST)), found);
    });
    for (int c = way.along ? LANES / 2 : 0; c; c /= 2) found = min(moved(found, c), found);
    return found;
}
/* g, x: the IEEE product of g with 1 at the first maximum and 0 elsewhere; NaN where the maximum is */
static INLINE int maxout_backward(const panel *p, mode way)
{
    const V g = get_one(p, way, p->in[0]), top = greatest_or_nan(p, way, p->in[1]);
    const V first = first_of(p, way, p->in[1], top);
    EACH(i, n, put(p, way, p->out[0], i, n, g * sel(eq(top, top), sel(eq(index_of(way, i), first), K(1), K(0)), top)););
    return 1;
}

/* 1 at the first maximum, 0 elsewhere; NaN throughout if there is one */
static INLINE int hardmax_forward(const panel *p, mode way)
{
    const V top = greatest_or_nan(p, way, p->in[0]), first = first_of(p, way, p->in[0], top);
    EACH(i, n, put(p, way, p->out[0], i, n, sel(eq(top, top), whether(eq(index_of(way, i), first), K(0)), top)););
    return 1;
}
static INLINE int hardmax_backward(const panel *p, mode way)
{
    const V top = greatest_or_nan(p, way, p->in[1]);
    EACH(i, n, put(p, way, p->out[0], i, n, sel(eq(top, top), K(0), top)););
    return 1;
}

/* ---- crelu ---- */

static INLINE void crelu_in(const panel *p, mode way, const memory *y, const memory *d)
{
    EACH(i, n, {
        const V v = get(p, way, p->in[0], i, n);
        if (y) {
            put(p, way, y[0], i, n, max(K(0), v) + K(0)); /* +0 for -0 */
            put(p, way, y[1], i, n, max(K(0), -v) + K(0));
        }
        if (d) {
            put(p, way, d[0], i, n, whether(gt(v, K(0)), v));
            put(p, way, d[1], i, n, -whether(lt(v, K(0)), v) + K(0));
        }
    });
}
static INLINE int crelu_forward(const panel *p, mode way)
{
    crelu_in(p, way, p->out, NULL);
    return 1;
}
static INLINE int crelu_derivative(const panel *p, mode way)
{
    crelu_in(p, way, NULL, p->out);
    return 1;
}
static INLINE int crelu_value_and_derivative(const panel *p, mode way)
{
    crelu_in(p, way, p->out, p->out + 2);
    return 1;
}
static INLINE int crelu_second_derivative(const panel *p, mode way)
{
    EACH(i, n, {
        const V v = get(p, way, p->in[0], i, n), zero = sel(eq(v, v), K(0), v);
        put(p, way, p->out[0], i, n, zero);
        put(p, way, p->out[1], i, n, zero);
    });
    return 1;
}
/* two halves of g, x: the IEEE products with both derivatives */
static INLINE int crelu_backward(const panel *p, mode way)
{
    EACH(i, n, {
        const V v = get(p, way, p->in[2], i, n);
        const V first = get(p, way, p->in[0], i, n) * whether(gt(v, K(0)), v);
        const V second = get(p, way, p->in[1], i, n) * whether(lt(v, K(0)), v);
        put(p, way, p->out[0], i, n, first - second);
    });
    return 1;
}
