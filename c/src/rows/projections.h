/* projections.h - sparsemax and entmax15: y is what of x is above a threshold tau, which makes the row add up to 1. tau is
   found by Newton's method from the left, where it cannot overshoot, on pairs of numbers: an element just above tau is as
   accurate as any other. Nothing is sorted, so rows of any length and layout take the same few passes. */

/* x - shift is exact wherever it counts: within 2 of the maximum */
typedef struct {
    each top, shift, left; /* left = top - shift */
    each bad;              /* NaN for rows that have no result, else 0 */
} apex;

/* the rest, once a->top has the maxima, which sparsemax finds together with more */
static INLINE void apex_of(const panel *p, mode way, memory m, apex *a)
{
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
static INLINE pair over_tau(V x, spot i, const apex *a, REAL factor, const kept *tau)
{
    const pair u = pair_deviation(shifted(x, i, a) * K(factor), pair_of(tau, i.row));
    const M is_above = gt(present(i, u.h, K(0)), K(0));
    return sel_pair(is_above, u, single(K(0)));
}
/* What is greater than this is above tau: tau's high part, or the number before it if the low part is negative. */
static INLINE V limit_of(pair tau)
{
    const V before = fnma(abs(tau.h), K(C(0x1.1p-24f, 0x1.1p-53)), tau.h);
    return sel(lt(tau.l, K(0)), before, tau.h);
}
/* The maxima, and a tau that is not too large, both from one look at the rows: the largest (sum - 1)/k of the first k of the
   greatest elements. 256 rows side by side take seven steps from the maximum - 1, and one or two from here. Each part of a
   row keeps some: all that are wanted where it is the whole row, few where a row has 16 (lanes, for which a branch would be
   taken nearly always) or 4 of them. That equal ones of several parts go at once makes the guess smaller. For short rows in
   parts the steps cost less than the guess. */
enum { FEW = 6 };
static INLINE void first_guess(const panel *p, mode way, memory m, V *top, V *guess)
{
    const int flat = is_flat(p, way), depth = way.along ? 2 : flat ? 3 : FEW;
    each few[FEW], next, sum;
    EACH_ROW(v, guess[v] = K(-INFINITE););
    if ((way.along || flat) && p->length < 128) {
        first_greatest(p, way, m, NULL, top, NULL);
        return;
    }
    EACH_PART(c, {
        top[c] = K(-INFINITE);
        for (int k = 0; k < depth; k++) few[k][c] = K(-INFINITE);
    });
    EACH(i, {
        const V x = present(i, get(p, way, m, i), K(-INFINITE));
        const M is_one = gt(x, few[depth - 1][i.part]);
        top[i.part] = greater_or_nan(x, top[i.part]);
        if (way.along || lanes_of(is_one)) {
            V v = sel(is_one, x, K(-INFINITE));
            for (int k = 0; k < depth; k++) {
                const V other = few[k][i.part];
                few[k][i.part] = max(v, other);
                v = min(other, v); /* as v > other again: gcc 12 cannot compile v < other here for ppc64le */
            }
        }
    });
    greatest_of_parts(p, way, top, top);
    EACH_ROW(v, sum[v] = K(-1););
    for (int k = 0; k < FEW; k++) {
        EACH_PART(c, next[c] = few[0][c];);
        over_rows(p, way, GREATEST, next);
        EACH_ROW(v, {
            sum[v] = sum[v] + next[v];
            guess[v] = max(sum[v] / K(k + 1), guess[v]);
        });
        EACH_PART(c, {
            const M taken = eq(few[0][c], next[row_of(p, way, c)]);
            for (int j = 0; j < depth; j++)
                few[j][c] = sel(taken, j + 1 < depth ? few[j + 1][c] : K(-INFINITE), few[j][c]);
        });
    }
    /* less what rounding may have added: those that count are within 1 of the greatest */
    EACH_ROW(v, guess[v] = fnma(K(C(0x1p-19f, 0x1p-48)), abs(top[v]) + K(1), guess[v]););
}
/* Newton's method on a piecewise linear function (Michelot 1986): tau is right when the elements above stay the same. They
   become fewer until then; where the excess cancels to its last bits an element as large as tau might come back, and go
   again for ever (1e-45, 1e-45, 1). Rows that are done keep their tau while others beside them go on. */
static INLINE int sparsemax_forward(const panel *p, mode way)
{
    const memory x = p->in[0];
    apex a;
    kept tau;
    each count, before, least, limit;
    unsigned going, open[sizeof(each) / sizeof(V)];
    first_guess(p, way, x, a.top, limit);
    apex_of(p, way, x, &a);
    EACH_ROW(v, {
        const V guess = limit[v] - a.shift[v]; /* NaN where both are infinite, and not greater then */
        const pair lowest = two_sum(a.left[v], K(-1));
        set_pair(&tau, v, sel_pair(gt(guess, lowest.h), single(guess), lowest));
        before[v] = K(INFINITE);
        open[v] = 1;
    });
    do {
        sums s;
        EACH_PART(c, {
            count[c] = K(0);
            least[c] = K(INFINITE);
        });
        EACH_ROW(v, limit[v] = limit_of(pair_of(&tau, v)););
        SUM_OF_PAIRS(s, i, {
            if (open[i.row]) {
                const V v = shifted(get(p, way, x, i), i, &a);
                const M is_above = gt(present(i, v, limit[i.row]), limit[i.row]);
                ADD_PAIR(single(sel(is_above, v, K(0))));
                count[i.part] = count[i.part] + sel(is_above, K(1), K(0));
                least[i.part] = min(least[i.part], sel(is_above, v, K(INFINITE)));
            }
        });
        over_rows(p, way, PLUS, count);
        over_rows(p, way, LEAST, least);
        total_of_pairs(p, way, &s);
        going = 0;
        EACH_ROW(v, {
            if (!open[v]) continue;
            const M fewer = lt(count[v], before[v]);
            const pair excess = two_sum(s.h[v], K(-1)), numerator = {excess.h, excess.l + s.l[v]};
            const pair next = sel_pair(fewer, quotient(numerator, single(count[v])), pair_of(&tau, v));
            const V now = limit_of(next);
            set_pair(&tau, v, next);
            before[v] = sel(fewer, count[v], before[v]);
            going |= open[v] = lanes_of(fewer & (lt(least[v], now) | eq(least[v], now)));
        });
        if (is_flat(p, way)) EACH_ROW(v, open[v] = going;); /* a row has elements in many vectors */
    } while (going);
    EACH_BACK(i, put(p, way, p->out[0], i, over_tau(get(p, way, x, i), i, &a, 1, &tau).h + a.bad[i.row]););
    return 1;
}
/* g, y: g - the mean of g, where y is not 0 */
static INLINE int sparsemax_backward(const panel *p, mode way)
{
    sums mean;
    each count;
    EACH_PART(c, count[c] = K(0););
    SUM_OF_PAIRS(mean, i, {
        const V y = get(p, way, p->in[1], i);
        const M used = gt(abs(y), K(0));
        ADD_PAIR(single(sel(used, get(p, way, p->in[0], i), y)));
        count[i.part] = count[i.part] + sel(used, K(1), K(0));
    });
    total_of_pairs(p, way, &mean);
    over_rows(p, way, PLUS, count);
    EACH_ROW(v, set_pair(&mean, v, quotient(pair_of(&mean, v), single(count[v]))););
    EACH_BACK(i, {
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
    kept tau, squares;
    each active;
    unsigned going;
    first_greatest(p, way, x, NULL, a.top, NULL);
    apex_of(p, way, x, &a);
    EACH_ROW(v, {
        set_pair(&tau, v, two_sum(a.left[v] * K(0.5), K(-1)));
        active[v] = K(1);
    });
    do {
        sums s;
        SUM_OF_PAIRS_TWICE(s, i, {
            const pair u = over_tau(get(p, way, x, i), i, &a, 0.5, &tau);
            ADD_PAIR(mul(u, u));
            ADD_PAIR_TO_SECOND(single(u.h));
        });
        total_of_pairs(p, way, &s);
        EACH_ROW(v, set_pair(&squares, v, pair_of(&s, v)););
        SECOND_SUM(IN_PAIRS, s);
        total_of_pairs(p, way, &s);
        going = 0;
        EACH_ROW(v, {
            const pair f = pair_of(&squares, v), excess = two_sum(f.h, K(-1)), now = pair_of(&tau, v);
            const V norm = square_root(f.h), e = excess.h + (excess.l + f.l);
            const V step = norm / (norm + K(1)) * (e / s.h[v]);
            const pair next = two_sum(now.h, step);
            set_pair(&tau, v, sel_pair(gt(active[v], K(0)), fast_two_sum(next.h, next.l + now.l), now));
            active[v] = sel(gt(step, K(C(0x1p-22f, 0x1p-50))), active[v], K(0)); /* the next would be its square */
            going |= lanes_of(gt(active[v], K(0)));
        });
    } while (going);
    EACH_BACK(i, {
        const pair u = over_tau(get(p, way, x, i), i, &a, 0.5, &tau);
        put(p, way, p->out[0], i, mul(u, u).h + a.bad[i.row]);
    });
    return 1;
}
/* g, y: s (g - sum of s g / sum of s), s = sqrt(y); 0 for a row of zeros, which masks leave */
static INLINE int entmax15_backward(const panel *p, mode way)
{
    sums s;
    kept mean;
    SUM_OF_PAIRS(s, i, { ADD_PAIR(two_product(square_root(get(p, way, p->in[1], i)), get(p, way, p->in[0], i))); });
    total_of_pairs(p, way, &s);
    EACH_ROW(v, set_pair(&mean, v, pair_of(&s, v)););
    SUM_OF_PAIRS(s, i, ADD_PAIR(single(square_root(get(p, way, p->in[1], i)))););
    total_of_pairs(p, way, &s);
    EACH_ROW(v, {
        const pair weight = pair_of(&s, v);
        set_pair(&mean, v, quotient(pair_of(&mean, v), sel_pair(eq(weight.h, K(0)), single(K(1)), weight)));
    });
    EACH_BACK(i, {
        const pair d = two_sum(get(p, way, p->in[0], i), -mean.h[i.row]);
        put(p, way, p->out[0], i, square_root(get(p, way, p->in[1], i)) * (d.h + (d.l - mean.l[i.row])));
    });
    return 1;
}
