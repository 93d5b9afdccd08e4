/* projections.h - sparsemax and entmax15: y is what of x is above a threshold tau, which makes the row add up to 1. tau is
   found by Newton's method from the left, where it cannot overshoot, on pairs of numbers: an element just above tau is as
   accurate as any other. Nothing is sorted, so rows of any length and layout take the same few passes. */

/* x - shift is exact wherever it counts: within 2 of the maximum */
typedef struct {
    V top, shift, left; /* left = top - shift */
    V bad;              /* NaN for rows that have no result, else 0 */
} apex;

static INLINE apex apex_of(const panel *p, mode way, memory m)
{
    apex a;
    V maxima = K(0), nans = K(0);
    a.top = greatest(p, way, m, 0);
    EACH(i, n, {
        const V v = get(p, way, m, i, n);
        maxima = maxima + present(way, n, sel(eq(v, a.top), K(1), K(0)), K(0));
        nans = nans + sel(eq(v, v), K(0), K(1));
    });
    const M far = gt(abs(a.top), K(4));
    a.shift = sel(far, a.top, K(0));
    a.left = sel(far, K(0), a.top);
    const M lost = gt(abs(a.top), K(LARGEST)) & (gt(over_lanes(way, maxima), K(1)) | lt(a.top, K(0)));
    a.bad = sel(lost | gt(over_lanes(way, nans), K(0)), K(NOT_A_NUMBER), K(0));
    return a;
}
/* factor (x - shift) - tau, 0 for what is not above */
static INLINE pair over_tau(mode way, size_t n, V v, const apex *a, REAL factor, pair tau)
{
    const pair t = two_sum(sel(eq(v, a->top), a->left, v - a->shift) * K(factor), -tau.h);
    const pair u = fast_two_sum(t.h, t.l - tau.l);
    const M is_above = gt(present(way, n, u.h, K(0)), K(0));
    return sel_pair(is_above, u, single(K(0)));
}
static INLINE V count_of(const panel *p, mode way, memory m, const apex *a, pair tau)
{
    V count = K(0);
    EACH(i, n, {
        const pair u = over_tau(way, n, get(p, way, m, i, n), a, 1, tau);
        count = count + sel(gt(u.h, K(0)), K(1), K(0));
    });
    return over_lanes(way, count);
}

/* Newton's method on a piecewise linear function (Michelot 1986): tau is right when the elements above stay the same. */
static INLINE int sparsemax_forward(const panel *p, mode way)
{
    const memory x = p->in[0];
    const apex a = apex_of(p, way, x);
    pair tau = two_sum(a.left, K(-1));
    V count = count_of(p, way, x, &a, tau), before;
    do {
        sums s;
        SUM(s, i, n, {
            const V v = get(p, way, x, i, n);
            const pair u = over_tau(way, n, v, &a, 1, tau);
            ADD(sel(gt(u.h, K(0)), sel(eq(v, a.top), a.left, v - a.shift), K(0)));
        });
        const pair sum = total(p, way, &s), excess = two_sum(sum.h, K(-1));
        const pair numerator = {excess.h, excess.l + sum.l};
        tau = quotient(numerator, single(count));
        before = count;
        count = count_of(p, way, x, &a, tau);
    } while (lanes_of(lt(count, before) | gt(count, before)));
    EACH(i, n, put(p, way, p->out[0], i, n, over_tau(way, n, get(p, way, x, i, n), &a, 1, tau).h + a.bad););
    return 1;
}
/* g, y: g - the mean of g, where y is not 0 */
static INLINE int sparsemax_backward(const panel *p, mode way)
{
    sums s;
    V count = K(0);
    SUM(s, i, n, {
        const V y = get(p, way, p->in[1], i, n);
        const M used = gt(abs(y), K(0));
        ADD(sel(used, get(p, way, p->in[0], i, n), y));
        count = count + sel(used, K(1), K(0));
    });
    const pair mean = quotient(total(p, way, &s), single(over_lanes(way, count)));
    EACH(i, n, {
        const V y = get(p, way, p->in[1], i, n);
        const pair d = two_sum(get(p, way, p->in[0], i, n), -mean.h);
        put(p, way, p->out[0], i, n, sel(gt(abs(y), K(0)), d.h + (d.l - mean.l), y + y));
    });
    return 1;
}

/* On the norm of (x/2 - tau)+, which is convex and, unlike its square, nearly linear in tau: rows of a million equal
   elements take two steps. Rows that have converged keep their tau while others of the panel go on. */
static INLINE int entmax15_forward(const panel *p, mode way)
{
    const memory x = p->in[0];
    const apex a = apex_of(p, way, x);
    pair tau = two_sum(a.left * K(0.5), K(-1));
    V active = K(1);
    do {
        sums squares, firsts;
        SUM(squares, i, n, {
            const pair u = over_tau(way, n, get(p, way, x, i, n), &a, 0.5, tau);
            ADD_PAIR(mul(u, u));
        });
        SUM(firsts, i, n, ADD(over_tau(way, n, get(p, way, x, i, n), &a, 0.5, tau).h););
        const pair f = total(p, way, &squares), excess = two_sum(f.h, K(-1));
        const V norm = square_root(f.h), e = excess.h + (excess.l + f.l);
        const V step = norm / (norm + K(1)) * (e / total(p, way, &firsts).h);
        const M going = gt(active, K(0));
        const pair next = two_sum(tau.h, step);
        tau = sel_pair(going, fast_two_sum(next.h, next.l + tau.l), tau);
        active = sel(gt(step, K(C(0x1p-22f, 0x1p-50))), active, K(0)); /* the next would be its square */
    } while (lanes_of(gt(active, K(0))));
    EACH(i, n, {
        const pair u = over_tau(way, n, get(p, way, x, i, n), &a, 0.5, tau);
        put(p, way, p->out[0], i, n, mul(u, u).h + a.bad);
    });
    return 1;
}
/* g, y: s (g - sum of s g / sum of s), s = sqrt(y); 0 for a row of zeros, which masks leave */
static INLINE int entmax15_backward(const panel *p, mode way)
{
    sums weighted, weights;
    SUM(weighted, i, n,
        { ADD_PAIR(two_product(square_root(get(p, way, p->in[1], i, n)), get(p, way, p->in[0], i, n))); });
    SUM(weights, i, n, ADD(square_root(get(p, way, p->in[1], i, n))););
    const pair weight = total(p, way, &weights);
    const pair mean = quotient(total(p, way, &weighted), sel_pair(eq(weight.h, K(0)), single(K(1)), weight));
    EACH(i, n, {
        const pair d = two_sum(get(p, way, p->in[0], i, n), -mean.h);
        put(p, way, p->out[0], i, n, square_root(get(p, way, p->in[1], i, n)) * (d.h + (d.l - mean.l)));
    });
    return 1;
}
