/* pair.h - a number as the unevaluated sum h + l of two of the unit's reals, |l| <= ulp(h)/2: twice the precision.
   See Dekker 1971, Numer. Math. 18; Joldes, Muller and Popescu 2017, ACM TOMS 44. */
typedef struct {
    V h, l;
} pair;

/* v + -0 is v for every v, and the compiler drops the addition, as it may not for 0: that makes 0 of -0 */
#define NOTHING K(-0.0)

static INLINE pair single(V v)
{
    pair r = {v, NOTHING};
    return r;
}
static INLINE pair constant_pair(REAL h, REAL l)
{
    pair r = {K(h), K(l)};
    return r;
}
static INLINE pair two_sum(V a, V b)
{
    V s = a + b, t = s - a;
    pair r = {s, (a - (s - t)) + (b - t)};
    return r;
}
static INLINE pair two_product(V a, V b)
{
    V p = a * b;
    pair r = {p, fma(a, b, -p)};
    return r;
}
/* |a| >= |b|, or a == 0 */
static INLINE pair fast_two_sum(V a, V b)
{
    V s = a + b;
    pair r = {s, b - (s - a)};
    return r;
}
static INLINE pair add(pair a, pair b)
{
    pair h = two_sum(a.h, b.h), l = two_sum(a.l, b.l);
    h = fast_two_sum(h.h, h.l + l.h);
    return fast_two_sum(h.h, h.l + l.l);
}
static INLINE pair mul(pair a, pair b)
{
    pair p = two_product(a.h, b.h);
    return fast_two_sum(p.h, fma(a.h, b.l, fma(a.l, b.h, p.l)));
}
static INLINE pair quotient(pair a, pair b)
{
    V q = a.h / b.h;
    V r = fnma(q, b.l, fnma(q, b.h, a.h) + a.l); /* the remainder's first term is exact */
    return fast_two_sum(q, r / b.h);
}
static INLINE pair neg(pair a)
{
    pair r = {-a.h, -a.l};
    return r;
}
/* exact: f is a power of two, or 0 */
static INLINE pair scaled_pair(pair a, V f)
{
    pair r = {a.h * f, a.l * f};
    return r;
}
static INLINE pair sel_pair(M m, pair a, pair b)
{
    pair r = {sel(m, a.h, b.h), sel(m, a.l, b.l)};
    return r;
}

/* n/d rounded once more or less (0.51 ULP), and what that loses: one reciprocal, and the remainder, which fma makes exact,
   put back */
static INLINE pair ratio_pair(pair n, pair d)
{
    V r = K(1) / d.h, q = n.h * r, remainder = fnma(q, d.h, n.h) + fnma(q, d.l, n.l);
    pair y = {fma(remainder, r, q), K(0)};
    y.l = fma(remainder, r, q - y.h);
    return y;
}
static INLINE V ratio(pair n, pair d) { return ratio_pair(n, d).h; }
/* the product without its last renormalisation */
static INLINE pair product(pair a, pair b)
{
    V h = a.h * b.h;
    pair r = {h, fma(a.h, b.h, -h) + fma(a.h, b.l, a.l * b.h)};
    return r;
}
static INLINE pair product_by(pair a, V b)
{
    V h = a.h * b;
    pair r = {h, fma(a.h, b, -h) + a.l * b};
    return r;
}
/* the sum likewise; |a.h + b.h| must not be much smaller than both */
static INLINE pair sum_of(pair a, pair b)
{
    pair s = two_sum(a.h, b.h);
    s.l = s.l + (a.l + b.l);
    return s;
}
static INLINE pair sum_with(pair a, V b)
{
    pair s = two_sum(a.h, b);
    s.l = s.l + a.l;
    return s;
}
/* a sum that overflows, or has infinite terms, has no rest */
static INLINE pair finite_sum(pair a)
{
    pair r = {a.h, sel(lt(abs(a.h), K(INFINITE)), a.l, K(0))};
    return r;
}
/* h + l, or h where that is infinite and l has no meaning */
static INLINE V closed(V h, V l) { return sel(lt(abs(h), K(INFINITE)), h + l, h); }
/* c + a for a constant c >= |a.h| */
static INLINE pair plus(REAL c, pair a)
{
    pair s = fast_two_sum(K(c), a.h);
    s.l = s.l + a.l;
    return s;
}
