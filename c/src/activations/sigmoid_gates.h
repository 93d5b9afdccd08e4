/* sigmoid_gates.h - gates made of sigmoids, in floats and in doubles. */

/* a quotient by one reciprocal, which in floats is good enough */
static INLINE pair divided(pair a, pair b) { return DOUBLE ? quotient(a, b) : ratio_pair(a, b); }

/* x L, L = log1p(sigma(x)) = 2 atanh(r), r = sigma/(2 + sigma) = e/(2 + 3e) below 0 and 1/(3 + 2e) above;
   L' = e/((1 + e)(1 + 2e)) or e/((1 + e)(2 + e)), L'' = L' (1 - 2 sigma - sigma^2)/(1 + sigma) */
BODY(logish)
{
    NO_PARAMETERS;
    M below = lt(x, K(0));
    exponential t = exp_minus_abs(x);
    scale w = unless(gt(x, K(0)), t.w);
    V two_k = t.two_k;
    pair one = single(K(1)), two_e = scaled_pair(t.e, K(2));
    pair three = sum_of(two_e, t.e);
    pair denominator = sel_pair(below, sum_with(three, K(2)), plus(3, two_e));
    pair r = divided(sel_pair(below, t.p, one), denominator); /* over 2^k below 0 */
    V full = sel(below, r.h * two_k, r.h), z = full * full, twice = r.h + r.h;
    pair L = fast_two_sum(twice, fma(twice, z * atanh_polynomial(z), r.l + r.l));
    o->y = scaled_normal(sel(below, t.limited, x) * (L.h + L.l), w);
    pair parts = product(plus(1, t.e), sel_pair(below, plus(1, two_e), plus(2, t.e)));
    V bounded = t.limited;
    pair slope = divided(t.p, fast_two_sum(parts.h, parts.l)); /* L'/2^k */
    pair d = sum_of(product_by(scaled_pair(slope, sel(below, K(1), two_k)), bounded), L);
    o->d = d.h + d.l;
    with_scale(o, w);
    /* below 0 sigma = e/(1 + e): (1 + e)^2 (1 - 2 sigma - sigma^2) = 1 - 2e^2, (1 + e)(1 + sigma) = 1 + 2e;
       above, sigma = 1/(1 + e): e^2 - 2 and 2 + e */
    pair ee = product(t.e, t.e);
    pair n = sel_pair(below, sum_of(one, scaled_pair(ee, K(-2))), sum_with(ee, K(-2)));
    pair bracket =
        sum_with(product_by(quotient(fast_two_sum(n.h, n.l), fast_two_sum(parts.h, parts.l)), bounded), K(2));
    o->d2 = scaled(slope.h * (bracket.h + bracket.l), t.w);
}

/* x sigma above 0, (e^x - 1) sigma below, where f' = e (e^2 + 2e - 1)/(1 + e)^2, f'' = e (e^3 + 3e^2 + 5e - 1)/(1 + e)^3 */
BODY(elish)
{
    NO_PARAMETERS;
    M above = gt(x, K(0));
    V k;
    silu_body(x, p, o);
    pair q = exp_reduced_sum(max(K(-EXP_LIMIT), min(K(0), x)), NOTHING, &k), e0 = plus(1, q);
    scale w = exp2_of(k);
    V two_k = value_of(w);
    pair e = scaled_pair(e0, two_k), m = plus(1, e);
    V expm1 = fma(two_k, q.h, fma(two_k, q.l, two_k - K(1)));
    if (DOUBLE)
        o->y = sel(lt(x, K(0)), scaled(expm1 * ratio(e0, m), w), o->y);
    else
        o->y = sel(lt(x, K(0)), scaled(ratio(product(sum_with(scaled_pair(q, two_k), two_k - K(1)), e0), m), w), o->y);
    pair n = sum_of(sum_with(scaled_pair(e, K(2)), K(-1)), product(e, e));
    pair cubic = sum_with(product(sum_with(product(sum_with(e, K(3)), e), K(5)), e), K(-1));
    V d = ratio(product(n, e0), product(m, m));
    o->d = sel(above, o->d, d);
    o->d2 = sel(above, o->d2, scaled(e0.h * ratio(cubic, product(product(m, m), m)), w));
    w.k = sel(above, o->w.k, k);
    with_scale(o, w);
}
/* the same with clip((x + 1)/2, 0, 1) for sigma */
BODY(hard_elish)
{
    NO_PARAMETERS;
    M flat = gt(x, K(-1)), above = gt(x, K(0)), far = gt(x, K(1));
    V k;
    pair q = exp_reduced_sum(max(K(-1), min(K(0), x)), NOTHING, &k);
    V two_k = value_of(exp2_of(k)), e = fma(two_k, q.h, two_k), expm1 = fma(two_k, q.h, fma(two_k, q.l, two_k - K(1)));
    V h = (x + K(1)) * K(0.5), zero = unless_nan(x, K(0));
    V lower = expm1 * h, slope = fma(e, x + K(1), expm1);
    if (!DOUBLE) { /* e^x (x + 2) - 1 = (e^x - 1) (x + 2) + (x + 1); in single floats both are off by 2.1 ULP */
        pair E = sum_with(scaled_pair(q, two_k), two_k - K(1));
        pair d = sum_of(product(E, two_sum(K(2), x)), two_sum(K(1), x));
        lower = fma(E.h, h, E.l * h), slope = d.h + d.l;
    }
    o->y = sel(flat, sel(far, x, sel(above, x * h, sel(eq(x, K(0)), x, lower))), zero);
    o->d = sel(flat, sel(far, K(1), sel(above, x + K(0.5), K(0.5) * slope)), zero);
    o->d2 = sel(flat, sel(far, K(0), sel(above, K(1), K(0.5) * e * (x + K(3)))), zero);
}

/* the derivative of silu; f' = sigma (1 - sigma) (2 - |x| T), f'' = -sigma (1 - sigma) sign(x) (3 T + |x| (1 - 3 T^2)/2),
   T = tanh(|x|/2) */
BODY(dsilu)
{
    NO_PARAMETERS;
    result s;
    silu_body(x, p, &s);
    V a = min(K(EXP_LIMIT), abs(x));
    hyperbolic t = hyperbolic_of(a, NOTHING);
    V quarter = K(0.25) * t.sech2;
    o->y = scaled(s.d, s.w);
    pair slope = sum_with(neg(product_by(t.tanh_pair, a)), K(2));
    o->d = DOUBLE ? (slope.h + slope.l) * quarter : fma(slope.h, quarter, slope.l * quarter);
    with_scale(o, t.w);
    pair T = t.tanh_pair,
         n = sum_of(product_by(sum_with(product(T, product_by(T, K(-3))), K(1)), K(0.5) * a), product_by(T, K(3)));
    o->d2 = scaled(-copysign(K(1), x) * (n.h + n.l) * quarter, t.w);
}
