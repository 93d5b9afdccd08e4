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

/* max(0, x), or its slope */
static INLINE V rectified(V x, int slope)
{
    return sel(lt(x, K(0)) | eq(x, K(0)), K(0), slope ? sel(eq(x, x), K(1), x) : x);
}

static INLINE V some_of(const double *p, size_t n) { return n < LANES ? load_some(p, n) : load(p); }

/* One vector in pairs. What is infinite has lost nothing. */
static INLINE void in_pairs(const double *g, const double *x, const double *ab, size_t count, size_t step, size_t i,
                            int part, int dtype, int slope, double *high, double *low, size_t n)
{
    const size_t m = n - i;
    const V at = some_of(x + i, m);
    pair sum = {rectified(at, slope), K(0)};
    if (!(part & FIRST_HINGES)) sum = (pair){some_of(high + i, m), some_of(low + i, m)};
    sum = hinged(sum, at, ab, count, step, i, m, slope);
    if (part & LAST_HINGES) {
        const pair y = fast_two_sum(sum.h, sum.l);
        const V rounded = dtype == ACTC_F64 ? y.h : odd(y.h, y.l);
        sum.h = sel(eq(at, at), sel(lt(abs(sum.h), K(INFINITE)), rounded, sum.h), at);
        if (g) sum.h = sum.h * some_of(g + i, m);
    }
    if (m < LANES) {
        store_some(high + i, sum.h, m), store_some(low + i, sum.l, m);
    } else {
        store(high + i, sum.h), store(low + i, sum.l);
    }
}

/* Narrower types need the second half of the digits where the first one lies in the middle between two numbers of the
   type, or close: one element in 27 of a = 0.2 and -0.1, b = 0 and 1, for decimal fractions come near to what they mean.
   In plain doubles the error is at most that of count + 4 roundings of `size`, the sum of the terms' magnitudes: an element
   is closed where that is less than 2^16 units in the last place, and the sum farther than those from any middle. A few
   vectors at a time, for one waits for itself. Returns a bit for each element that is open; where x is -inf it is. */
enum { HINGED_AT_ONCE = 4 };
static INLINE uint32_t in_doubles(const double *g, const double *x, const double *ab, size_t count, format to,
                                  int slope, double *y)
{
    const V roundings = B((double)(count + 4) * 0x1p-16);
    V sum[HINGED_AT_ONCE], size[HINGED_AT_ONCE];
    uint32_t open = 0;
    for (int k = 0; k < HINGED_AT_ONCE; k++) {
        const V at = load(x + k * LANES);
        sum[k] = size[k] = slope ? sel(lt(K(0), at), K(1), K(0)) : sel(lt(at, K(0)), K(0), at) + K(0);
    }
    for (size_t s = 0; s < count; s++) {
        const V a = B(slope ? -ab[2 * s] : ab[2 * s]), b = B(ab[2 * s + 1]), positive = abs(a);
        for (int k = 0; k < HINGED_AT_ONCE; k++) {
            const V at = load(x + k * LANES), height = slope ? sel(lt(at, b), K(1), K(0)) : max(K(0), b - at);
            sum[k] = fma(a, height, sum[k]), size[k] = fma(positive, height, size[k]);
        }
    }
    for (int k = 0; k < HINGED_AT_ONCE; k++) {
        const V at = load(x + k * LANES), all = slope ? sel(eq(at, at), sum[k], at) : sum[k];
        const V v = g ? all * load(g + k * LANES) : all;
        const M far = gt(size[k] * roundings, abs(all)) | eq(at, K(-INFINITE));
        open |= (uint32_t)lanes_of(far | near_middle(v, (BITS)1 << 16, to)) << k * LANES;
        store(y + k * LANES, v);
    }
    return open;
}

/* Whether nothing underflows or overflows on the way: 0, or numbers whose products and differences are far from the ends. */
static INLINE int are_moderate(const double *ab, size_t count)
{
    for (size_t i = 0; i < 2 * count; i++) {
        const double v = ab[i] < 0 ? -ab[i] : ab[i];
        if (!(v == 0 || (v > 0x1p-400 && v < 0x1p400))) return 0;
    }
    return 1;
}

/* Those of them that are open again, side by side in pairs. */
static INLINE int again(const double *g, const double *x, const double *ab, size_t count, int dtype, int slope,
                        double *y, const uint8_t *which, size_t n)
{
    double some_g[SUM_BLOCK], some_x[SUM_BLOCK], high[SUM_BLOCK], low[SUM_BLOCK];
    int infinite = 0;
    for (size_t i = 0; i < n; i++) {
        some_x[i] = x[which[i]], infinite |= some_x[i] == -INFINITE;
        if (g) some_g[i] = g[which[i]];
    }
    for (size_t i = 0; i < n; i += LANES)
        in_pairs(g ? some_g : g, some_x, ab, count, 0, i, ALL_HINGES, dtype, slope, high, low, n);
    for (size_t i = 0; i < n; i++) y[which[i]] = high[i];
    return infinite;
}

/* What is compiled for size goes in pairs alone: the same bits, and 2 KB less. */
#ifdef __OPTIMIZE_SIZE__
#define PAIRS_ALONE 1
#else
#define PAIRS_ALONE FOR_SIZE
#endif

static INLINE int hinges_of(const double *g, const double *x, const double *ab, size_t count, size_t step, int part,
                            int dtype, int slope, double *high, double *low, size_t n)
{
    const format to = dtype == ACTC_F16 ? format_f16 : dtype == ACTC_BF16 ? format_bf16 : format_f32;
    uint8_t which[SUM_BLOCK];
    size_t i = 0, doubtful = 0;
    unsigned infinite = 0;
    if (!PAIRS_ALONE && !step && part == ALL_HINGES && dtype != ACTC_F64 && are_moderate(ab, count))
        for (; i + HINGED_AT_ONCE * LANES <= n; i += HINGED_AT_ONCE * LANES) {
            uint32_t open = in_doubles(g ? g + i : g, x + i, ab, count, to, slope, high + i);
            for (size_t at = i; open; open >>= 1, at++)
                if (open & 1) which[doubtful++] = (uint8_t)at;
        }
    if (doubtful) infinite = (unsigned)again(g, x, ab, count, dtype, slope, high, which, doubtful);
    for (; i < n; i += LANES) {
        infinite |= lanes_of(eq(some_of(x + i, n - i), K(-INFINITE)));
        in_pairs(g, x, ab, count, step, i, part, dtype, slope, high, low, n);
    }
    return infinite != 0;
}
/* gcc would make 16 KB of the rare loops in `again` */
static UNVECTORISED int hinges(const double *g, const double *x, const double *ab, size_t count, size_t step, int part,
                               int dtype, int slope, double *high, double *low, size_t n)
{
    return slope ? hinges_of(g, x, ab, count, step, part, dtype, 1, high, low, n)
                 : hinges_of(NULL, x, ab, count, step, part, dtype, 0, high, low, n);
}
