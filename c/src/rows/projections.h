/* projections.h - sparsemax and entmax15: y is what of x is above a threshold tau, which makes the row add up to 1. tau is
   found by Newton's method from the left, where it cannot overshoot, on pairs of numbers: an element just above tau is as
   accurate as any other. Nothing is sorted, so rows of any length and layout take the same few passes. */

/* x - shift is exact wherever it counts: within 2 of the maximum */
typedef struct {
    each top, shift, left; /* left = top - shift */
    each bad;              /* NaN for rows that have no result, else 0 */
} apex;

static INLINE void apex_of(const panel *p, mode way, memory m, apex *a)
{
    first_greatest(p, way, m, NULL, a->top, NULL);
    EACH_ROW(v, {
        const V top = a->top[v];
        const M far = gt(abs(top), K(4));
        a->shift[v] = sel(far, top, K(0));
        a->left[v] = sel(far, K(0), top);
        a->bad[v] = sel(eq(top, top), K(0), top);
    });
    if (!any_beyond(p, way, a->top, K(LARGEST))) return;
    each maxima;
    EACH_PART(c, maxima[c] = K(0););
    EACH(i, {
        const M is_top = eq(get(p, way, m, i), a->top[i.row]);
        maxima[i.part] = maxima[i.part] + present(i, sel(is_top, K(1), K(0)), K(0));
    });
    over_rows(p, way, PLUS, maxima);
    EACH_ROW(v, {
        const V top = a->top[v];
        const M lost = gt(abs(top), K(LARGEST)) & (gt(maxima[v], K(1)) | lt(top, K(0)));
        a->bad[v] = sel(lost, K(NOT_A_NUMBER), a->bad[v]);
    });
}
static INLINE V shifted(V x, spot i, const apex *a)
{
    return sel(eq(x, a->top[i.row]), a->left[i.row], x - a->shift[i.row]);
}
/* factor (x - shift) - tau, 0 for what is not above */
static INLINE pair over_tau(V x, spot i, const apex *a, REAL factor, const sums *tau)
{
    const pair t = two_sum(shifted(x, i, a) * K(factor), -tau->h[i.row]);
    const pair u = fast_two_sum(t.h, t.l - tau->l[i.row]);
    const M is_above = gt(present(i, u.h, K(0)), K(0));
    return sel_pair(is_above, u, single(K(0)));
}
/* Newton's method on a piecewise linear function (Michelot 1986): tau is right when the elements above stay the same. They
   become fewer until then; where the excess cancels to its last bits an element as large as tau might come back, and go
   again for ever (1e-45, 1e-45, 1). Rows that are done keep their tau while others beside them go on. */
static INLINE int sparsemax_forward(const panel *p, mode way)
{
    const memory x = p->in[0];
    apex a;
    sums tau;
    each count, before;
    apex_of(p, way, x, &a);
    EACH_ROW(v, {
        set_pair(&tau, v, two_sum(a.left[v], K(-1)));
        before[v] = K(INFINITE);
    });
    for (;;) {
        sums s;
        unsigned going = 0;
        EACH_PART(c, count[c] = K(0););
        SUM(s, i, {
            const V v = get(p, way, x, i);
            const M is_above = gt(over_tau(v, i, &a, 1, &tau).h, K(0));
            ADD(sel(is_above, shifted(v, i, &a), K(0)));
            count[i.part] = count[i.part] + sel(is_above, K(1), K(0));
        });
        over_rows(p, way, PLUS, count);
        EACH_ROW(v, going |= lanes_of(lt(count[v], before[v])););
        if (!going) break;
        total(p, way, &s);
        EACH_ROW(v, {
            const M fewer = lt(count[v], before[v]);
            const pair excess = two_sum(s.h[v], K(-1)), numerator = {excess.h, excess.l + s.l[v]};
            set_pair(&tau, v, sel_pair(fewer, quotient(numerator, single(count[v])), pair_of(&tau, v)));
            before[v] = sel(fewer, count[v], before[v]);
        });
    }
    EACH(i, put(p, way, p->out[0], i, over_tau(get(p, way, x, i), i, &a, 1, &tau).h + a.bad[i.row]););
    return 1;
}
/* g, y: g - the mean of g, where y is not 0 */
static INLINE int sparsemax_backward(const panel *p, mode way)
{
    sums mean;
    each count;
    EACH_PART(c, count[c] = K(0););
    SUM(mean, i, {
        const V y = get(p, way, p->in[1], i);
        const M used = gt(abs(y), K(0));
        ADD(sel(used, get(p, way, p->in[0], i), y));
        count[i.part] = count[i.part] + sel(used, K(1), K(0));
    });
    total(p, way, &mean);
    over_rows(p, way, PLUS, count);
    EACH_ROW(v, set_pair(&mean, v, quotient(pair_of(&mean, v), single(count[v]))););
    EACH(i, {
        const V y = get(p, way, p->in[1], i);
        const pair d = two_sum(get(p, way, p->in[0], i), -mean.h[i.row]);
        put(p, way, p->out[0], i, sel(gt(abs(y), K(0)), d.h + (d.l - mean.l[i.row]), y + y));
    });
    return 1;
}

/* On the norm of (x/2 - tau)+, which is convex and, unlike its square, nearly linear in tau: rows of a million equal
   elements take two steps. Rows that have converged keep their tau while others beside them go on. */
static INLINE int entmax15_forward(const panel *p, mode way)
{
    const memory x = p->in[0];
    apex a;
    sums tau;
    each active;
    unsigned going;
    apex_of(p, way, x, &a);
    EACH_ROW(v, {
        set_pair(&tau, v, two_sum(a.left[v] * K(0.5), K(-1)));
        active[v] = K(1);
    });
    do {
        sums squares, firsts;
        SUM(squares, i, {
            const pair u = over_tau(get(p, way, x, i), i, &a, 0.5, &tau);
            ADD_PAIR(mul(u, u));
        });
        SUM(firsts, i, ADD(over_tau(get(p, way, x, i), i, &a, 0.5, &tau).h););
        total(p, way, &squares);
        total(p, way, &firsts);
        going = 0;
        EACH_ROW(v, {
            const pair f = pair_of(&squares, v), excess = two_sum(f.h, K(-1)), now = pair_of(&tau, v);
            const V norm = square_root(f.h), e = excess.h + (excess.l + f.l);
            const V step = norm / (norm + K(1)) * (e / firsts.h[v]);
            const pair next = two_sum(now.h, step);
            set_pair(&tau, v, sel_pair(gt(active[v], K(0)), fast_two_sum(next.h, next.l + now.l), now));
            active[v] = sel(gt(step, K(C(0x1p-22f, 0x1p-50))), active[v], K(0)); /* the next would be its square */
            going |= lanes_of(gt(active[v], K(0)));
        });
    } while (going);
    EACH(i, {
        const pair u = over_tau(get(p, way, x, i), i, &a, 0.5, &tau);
        put(p, way, p->out[0], i, mul(u, u).h + a.bad[i.row]);
    });
    return 1;
}
/* g, y: s (g - sum of s g / sum of s), s = sqrt(y); 0 for a row of zeros, which masks leave */
static INLINE int entmax15_backward(const panel *p, mode way)
{
    sums mean, weights;
    SUM(mean, i, { ADD_PAIR(two_product(square_root(get(p, way, p->in[1], i)), get(p, way, p->in[0], i))); });
    SUM(weights, i, ADD(square_root(get(p, way, p->in[1], i))););
    total(p, way, &mean);
    total(p, way, &weights);
    EACH_ROW(v, {
        const pair weight = pair_of(&weights, v);
        set_pair(&mean, v, quotient(pair_of(&mean, v), sel_pair(eq(weight.h, K(0)), single(K(1)), weight)));
    });
    EACH(i, {
        const pair d = two_sum(get(p, way, p->in[0], i), -mean.h[i.row]);
        put(p, way, p->out[0], i, square_root(get(p, way, p->in[1], i)) * (d.h + (d.l - mean.l[i.row])));
    });
    return 1;
}
