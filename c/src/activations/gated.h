/* gated.h - x times a gate that opens from 0 to 1.

   With e = e^-|x| = 2^k (1 + q) every one of them is a rational function of x and e, one division and no cancellation
   on either side of 0. Far below 0 the value is about x e: the 2^k is multiplied in last. */

/* |x| up to where e is 0, with the sign of x: keeps inf times 0 out of the formulas */
static INLINE V limited(V x) { return max(K(-EXP_LIMIT), min(K(EXP_LIMIT), x)); }

BODY(silu)
{
    NO_PARAMETERS;
    V k, c = limited(x), q = exp_reduced(-abs(c), &k);
    scale w = exp2_of(k);
    V two_k = w.a * w.b, e = fma(two_k, q, two_k);
    M below = lt(x, K(0));
    scale gate = unless(gt(x, K(0)), w);

    o->y = scaled(sel(below, fma(c, q, c), x) / fma(two_k, q, K(1) + two_k), gate);

    V square = fma(e, K(2) + e, K(1)); /* (1 + e)^2 */
    V n = (K(1) + c) + e;
    V ratio = sel(below, fma(n, q, n), e * ((c - K(1)) - e)) / square;
    o->d = sel(below, ratio, K(1) + ratio);
    with_scale(o, unless(gt(x, K(0)), w));
}

BODY(gelu)
{
    NO_PARAMETERS;
    V a = min(K(NORMAL_LIMIT), abs(x)), X = a / (a + K(4)), t = fma(K(2), X, K(-1));
    V square = a * a, k, q = exp_reduced_sum(K(-0.5) * square, K(-0.5) * fma(a, a, -square), &k);
    scale w = exp2_of(k);
    M below = lt(x, K(0));

    V y = X * normal_tail(t), tail = scaled(fma(y, q, y), w); /* a Phi(-a) */
    o->y = sel(below, -tail, x - tail);

    V d = normal_tail_minus_density(a, t);
    d = fma(d, q, d);
    o->d = sel(below, d, K(1) - scaled(d, w));
    with_scale(o, unless(gt(x, K(0)), w));
}

/* tanh(log(1 + e^x)) = n/(n + 2), n = e^x (e^x + 2) */
BODY(mish)
{
    NO_PARAMETERS;
    V k, c = limited(x), q = exp_reduced(-abs(c), &k);
    scale w = exp2_of(k);
    V two_k = w.a * w.b, e = fma(two_k, q, two_k), ee = e * e;
    M below = lt(x, K(0));

    /* below 0: x e (2 + e)/(2 + 2e + e^2); above: x - 2 x e^2/(1 + 2e + 2e^2) */
    V two_e = fma(two_k, q, K(2) + two_k);
    V m = sel(below, fma(e, K(2) + e, K(2)), fma(e, fma(K(2), e, K(2)), K(1)));
    V ratio = sel(below, c * fma(two_e, q, two_e), (c + c) * ee) / m;
    o->y = sel(below, scaled(ratio, w), x - ratio);

    /* below 0: e (4 + 4x + e (6 + 4x + e (4 + e)))/m^2; above: 1 + 2e^2 (2x (1 + e) - m)/m^2 */
    V c4 = K(4) * c;
    V n = fma(e, fma(e, K(4) + e, K(6) + c4), K(4) + c4);
    V m2 = fma(e, fma(e, fma(e, K(4) + e, K(8)), K(8)), K(4));
    V r = sel(below, fma(n, q, n), (ee + ee) * (fma(c + c, e, c + c) - m)) / sel(below, m2, m * m);
    o->d = sel(below, r, K(1) + r);
    with_scale(o, unless(gt(x, K(0)), w));
}
