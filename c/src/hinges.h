/* hinges.h - APL, f(x) = max(0, x) + sum of a max(0, b - x). f and f' are sums that may cancel: what each product and
   each addition rounds off is summed beside them, as if in twice the digits (Ogita, Rump and Oishi 2005, Dot2). Unlike a sum
   of renormalised pairs (16 ns an element for five hinges against 2) one vector does not wait for itself. */

/* one vector of one sum: the hinges' heights, or their slopes */
static INLINE pair hinged(pair sum, V x, const double *ab, size_t count, size_t step, size_t i, size_t m, int slope)
{
    for (size_t s = 0; s < count; s++) {
        const double *a = ab + 2 * s * (step ? SUM_BLOCK : 1), *b = a + (step ? SUM_BLOCK : 1);
#define AT(p) (!step ? B(*(p)) : m < LANES ? load_some((p) + i, m) : load((p) + i))
        V ai = AT(a), bi = AT(b), lost = K(0), term;
#undef AT
        if (slope) { /* a NaN is on no side */
            term = ai * sel(lt(bi, x) | eq(bi, x), K(0), K(-1));
        } else {
            pair t = two_sum(bi, -x);
            M closed = lt(t.h, K(0)) | eq(t.h, K(0));
            t.h = sel(closed, K(0), t.h), t.l = sel(closed, K(0), t.l);
            term = ai * t.h;
            lost = fma(ai, t.l, fma(ai, t.h, -term));
        }
        pair next = two_sum(sum.h, term);
        sum.h = next.h, sum.l = sum.l + (next.l + lost);
    }
    return sum;
}

static INLINE void hinges_in(const double *x, const double *ab, size_t count, size_t step, int part, int slope,
                             double *high, double *low, size_t n)
{
    for (size_t i = 0; i < n; i += LANES) {
        const size_t m = n - i;
#define AT(p) (m < LANES ? load_some((p) + i, m) : load((p) + i))
        V at = AT(x);
        pair sum = {sel(lt(at, K(0)) | eq(at, K(0)), K(0), slope ? sel(eq(at, at), K(1), at) : at), K(0)};
        if (!(part & FIRST_HINGES)) sum.h = AT(high), sum.l = AT(low);
#undef AT
        sum = hinged(sum, at, ab, count, step, i, m, slope);
        if (part & LAST_HINGES) { /* what is infinite has lost nothing */
            pair y = fast_two_sum(sum.h, sum.l);
            V rounded = part & ROUND_TO_ODD ? odd(y.h, y.l) : y.h;
            sum.h = sel(eq(at, at), sel(lt(abs(sum.h), K(INFINITE)), rounded, sum.h), at);
        }
        if (m < LANES) {
            store_some(high + i, sum.h, m), store_some(low + i, sum.l, m);
        } else {
            store(high + i, sum.h), store(low + i, sum.l);
        }
    }
}
static void hinges(const double *x, const double *ab, size_t count, size_t step, int part, int slope, double *high,
                   double *low, size_t n)
{
    if (slope)
        hinges_in(x, ab, count, step, part, 1, high, low, n);
    else
        hinges_in(x, ab, count, step, part, 0, high, low, n);
}
