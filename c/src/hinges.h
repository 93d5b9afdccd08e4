/* hinges.h - the hinges of APL, in pairs of doubles: f and f' are sums that may cancel. */

static INLINE V unless_infinite(V h, V l) { return sel(lt(abs(h), K(INFINITE)), l, K(0)); }

/* the sum of two pairs, which stays infinite where it is */
static INLINE pair add_hinge(pair a, pair b)
{
    pair s = two_sum(a.h, b.h), t = two_sum(a.l, b.l), v, r;
    v.h = s.h + unless_infinite(s.h, s.l + t.h);
    v.l = unless_infinite(v.h, (s.l + t.h) - (v.h - s.h));
    r.h = v.h + unless_infinite(v.h, t.l + v.l);
    r.l = unless_infinite(r.h, (t.l + v.l) - (r.h - v.h));
    return r;
}

static void hinges(const double *x, const double *a, const double *b, size_t step, double *const sums[4], size_t n)
{
    for (size_t i = 0; i < n; i += LANES) {
        const size_t m = n - i;
#define AT(p) (m < LANES ? load_some((p) + i, m) : load((p) + i))
        V ai = step ? AT(a) : B(a[0]), bi = step ? AT(b) : B(b[0]);
        pair t = two_sum(bi, -AT(x));
        M closed = lt(t.h, K(0)) | eq(t.h, K(0));
        t.h = sel(closed, K(0), t.h);
        t.l = sel(closed, K(0), unless_infinite(t.h, t.l));
        pair p = two_product(ai, t.h), d = {ai * sel(closed, K(0), K(-1)), K(0)}, y, slope;
        p.l = unless_infinite(p.h, fma(ai, t.l, p.l));
        y.h = AT(sums[0]), y.l = AT(sums[1]), slope.h = AT(sums[2]), slope.l = AT(sums[3]);
        y = add_hinge(y, p), slope = add_hinge(slope, d);
        const V results[4] = {y.h, y.l, slope.h, slope.l};
        for (int k = 0; k < 4; k++) {
            if (m < LANES)
                store_some(sums[k] + i, results[k], m);
            else
                store(sums[k] + i, results[k]);
        }
#undef AT
    }
}
