/* choices.h - hardmax, maxout and crelu: nothing rounds. */

/* as `each`, of a wide panel */
typedef V wide[WIDE_PANEL + 9];

static INLINE V whether(M m, V v) { return sel(eq(v, v), sel(m, K(1), K(0)), v); }

/* ---- maxout ---- */

/* the greatest so far; once NaN it stays so, for max(v, NaN) is NaN */
static INLINE V greater_or_nan(V v, V so_far) { return sel(eq(v, v), max(v, so_far), v); }

/* from those of its parts, which may stand in `top`, the maximum of a row: +0 if zeros of both signs are, or NaN */
static INLINE void greatest_of_parts(const panel *p, mode way, const V *own, V *top)
{
    wide nans;
    EACH_PART(c, {
        nans[c] = sel(eq(own[c], own[c]), K(0), K(1));
        top[c] = own[c];
    });
    over_rows(p, way, GREATEST, top);
    over_rows(p, way, PLUS, nans);
    EACH_ROW(v, top[v] = sel(gt(nans[v], K(0)), K(NOT_A_NUMBER), top[v] + K(0)););
}
/* the same from a row; unless NULL, the position of the first element equal to it too */
static INLINE void first_greatest(const panel *p, mode way, memory m, const V *numbers, V *top, V *first)
{
    wide own;
    EACH_PART(c, {
        own[c] = K(-INFINITE);
        if (first) first[c] = numbers[c];
    });
    EACH(i, {
        const V v = present(i, get(p, way, m, i), K(-INFINITE));
        if (first) first[i.part] = sel(gt(v, own[i.part]), position(p, way, numbers, i), first[i.part]);
        own[i.part] = greater_or_nan(v, own[i.part]);
    });
    greatest_of_parts(p, way, own, top);
    if (first) {
        EACH_PART(c, first[c] = sel(eq(own[c], top[row_of(p, way, c)]), first[c], K(LARGEST)););
        over_rows(p, way, LEAST, first);
    }
}
static INLINE int maxout_forward(const panel *p, mode way)
{
    wide top;
    first_greatest(p, way, p->in[0], NULL, top, NULL);
    put_ones(p, way, p->out[0], top);
    return 1;
}
/* g, x: the IEEE product of g with 1 at the first maximum and 0 elsewhere; NaN where the maximum is */
static INLINE int maxout_backward(const panel *p, mode way)
{
    wide g, top, numbers, first;
    get_ones(p, way, p->in[0], g);
    positions(p, way, numbers);
    first_greatest(p, way, p->in[1], numbers, top, first);
    EACH(i, {
        const V here = sel(eq(position(p, way, numbers, i), first[i.row]), K(1), K(0));
        put(p, way, p->out[0], i, g[i.row] * sel(eq(top[i.row], top[i.row]), here, top[i.row]));
    });
    return 1;
}

/* 1 at the first maximum, 0 elsewhere; NaN throughout if there is one */
static INLINE int hardmax_forward(const panel *p, mode way)
{
    wide top, numbers, first;
    positions(p, way, numbers);
    first_greatest(p, way, p->in[0], numbers, top, first);
    EACH(i, {
        const V here = sel(eq(position(p, way, numbers, i), first[i.row]), K(1), K(0));
        put(p, way, p->out[0], i, sel(eq(top[i.row], top[i.row]), here, top[i.row]));
    });
    return 1;
}
/* 0, but for rows of NaN */
static INLINE int hardmax_backward(const panel *p, mode way)
{
    wide known;
    EACH_PART(c, known[c] = K(0););
    EACH(i, {
        const V v = present(i, get(p, way, p->in[1], i), K(0));
        known[i.part] = sel(eq(v, v), known[i.part], v);
    });
    over_rows(p, way, PLUS, known);
    EACH(i, put(p, way, p->out[0], i, known[i.row]););
    return 1;
}

/* ---- crelu ---- */

static INLINE void crelu_in(const panel *p, mode way, const memory *y, const memory *d)
{
    EACH(i, {
        const V v = get(p, way, p->in[0], i);
        if (y) {
            put(p, way, y[0], i, max(K(0), v) + K(0)); /* +0 for -0 */
            put(p, way, y[1], i, max(K(0), -v) + K(0));
        }
        if (d) {
            put(p, way, d[0], i, whether(gt(v, K(0)), v));
            put(p, way, d[1], i, -whether(lt(v, K(0)), v) + K(0));
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
    EACH(i, {
        const V v = get(p, way, p->in[0], i), zero = sel(eq(v, v), K(0), v);
        put(p, way, p->out[0], i, zero);
        put(p, way, p->out[1], i, zero);
    });
    return 1;
}
/* two halves of g, x: the IEEE products with both derivatives */
static INLINE int crelu_backward(const panel *p, mode way)
{
    EACH(i, {
        const V v = get(p, way, p->in[2], i);
        const V first = get(p, way, p->in[0], i) * whether(gt(v, K(0)), v);
        const V second = get(p, way, p->in[1], i) * whether(lt(v, K(0)), v);
        put(p, way, p->out[0], i, first - second);
    });
    return 1;
}
