/* narrow_gates.h - the functions of gates.h in pairs of floats, without what only second derivatives need. */

/* tanh(a) for a = u/2, 0 <= u <= 40, to 2^-26 */
static INLINE pair tanh_of_pair(pair u)
{
    V k;
    pair q = exp_reduced_sum(-u.h, -u.l, &k);
    V two_k = two_to_the(k);
    pair e = scaled_pair(q, two_k);
    return ratio_pair(sum_of(fast_two_sum(K(1), -two_k), neg(e)), sum_of(fast_two_sum(K(1), two_k), e));
}

/* x tanh(t) and tanh(t) + x t' (1 - tanh(t)^2), for t = value 2^k and t' = slope 2^k, both with the sign of `sign`. Where t
   is small the power of two is multiplied in last. The derivative has zeros, and so wants tanh in pairs: for small t as
   t (1 + t^2 P(t^2)) (tools/coefficients/tanh.sollya: 2^-30). */
static INLINE void times_tanh(V x, V limited, V sign, pair value, pair slope, scale w, result *o)
{
    V two_k = value_of(w);
    pair t = scaled_pair(value, two_k);
    M inside = lt(t.h, K(20)), below_1 = lt(t.h, K(1)), small = lt(t.h, K(0.171875));
    pair u = {min(K(20), t.h), sel(inside, t.l, K(0))};
    V z = t.h * t.h;
    hyperbolic light = light_hyperbolic_of(u.h, NOTHING);
    pair curved = {value.h, fma(value.h * z, light.curve, value.l)}, T = sel_pair(below_1, curved, light.tanh_pair);
    scale tail = {sel(below_1, w.k, K(0))};
    o->y = scaled_normal(fma(x * sign, T.h, limited * sign * T.l), tail);

    V P = K(-0x1.b23082p-5f);
    P = fma(P, z, K(0x1.110b58p-3f));
    P = fma(P, z, K(-0x1.555554p-2f));
    pair near = fast_two_sum(value.h, fma(value.h * z, P, value.l));
    T = sel_pair(small, near, tanh_of_pair(scaled_pair(u, K(2))));
    tail.k = sel(small, w.k, K(0));
    pair whole = scaled_pair(T, sel(small, two_k, K(1))), S = sum_with(neg(product(whole, whole)), K(1));
    pair steep = product_by(product(scaled_pair(slope, sel(small, K(1), two_k)), S), limited);
    pair d = sum_of(scaled_pair(T, sign), steep);
    o->d = d.h + d.l;
    with_scale(o, tail);
}
BODY(tanhexp)
{
    NO_PARAMETERS;
    M below = lt(x, K(0));
    V k, c = max(K(-EXP_LIMIT), min(K(4), x)); /* tanh(e^4) is 1 */
    pair e0 = plus(1, exp_reduced_sum(c, NOTHING, &k));
    V factor = two_to_the(sel(below, K(0), k));
    pair t = scaled_pair(e0, factor);
    scale w = {sel(below, k, K(0))};
    times_tanh(sel(below, c, x), c, K(1), t, t, w, o);
    o->y = sel(eq(x, K(0)), x, o->y);
}
BODY(phish)
{
    NO_PARAMETERS;
    M below = lt(x, K(0)), near_0 = lt(abs(x), K(0x1p-40f));
    normal_parts n = normal_parts_of(x);
    V c = max(K(-NORMAL_LIMIT), min(K(NORMAL_LIMIT), x));
    V two_k = value_of(n.w);
    pair tail = {n.value, n.rest}, upper = sum_with(neg(scaled_pair(tail, two_k)), c);
    pair value = sel_pair(below, tail, upper); /* |gelu| */
    pair slope = sel_pair(below, n.slope, sum_with(neg(scaled_pair(n.slope, two_k)), K(1)));
    scale w = {sel(below, n.w.k, K(0))};
    times_tanh(sel(below, c, x), c, copysign(K(1), x), value, slope, w, o);
    o->y = sel(eq(x, K(0)), K(0), o->y); /* no less than 0: +0 for -0 */
    o->d = sel(near_0, x, o->d);         /* exact where the terms would be subnormal */
    o->w.k = sel(near_0, K(0), o->w.k);
}

/* Coefficients of erf: tools/coefficients/erf.sollya (2^-27.6 of it) */
BODY(serf)
{
    NO_PARAMETERS;
    M below = lt(x, K(0));
    V k, c = max(K(-EXP_LIMIT), min(K(EXP_LIMIT), x));
    pair e0 = plus(1, exp_reduced_sum(-abs(c), NOTHING, &k)), one = single(K(1));
    scale tail = exp2_of(k), w = {sel(below, k, K(0))};
    V two_k = value_of(tail);
    pair e = scaled_pair(e0, two_k), h = ratio_pair(e0, plus(2, e)); /* log1p(e) = 2 atanh(h 2^k) */
    V part = h.h * two_k, part_2 = part * part, twice = h.h + h.h;
    pair s0 = fast_two_sum(twice, fma(twice, part_2 * atanh_polynomial(part_2), h.l + h.l));
    pair full = scaled_pair(s0, two_k), s = sel_pair(below, full, sum_with(full, max(K(0), c)));
    s = fast_two_sum(s.h, s.l);
    M far = gt(s.h, K(6)); /* erf(6) is 1 */
    s.h = min(K(6), s.h), s.l = sel(far, K(0), s.l);

    V z = s.h * s.h, E = K(0x1.5cfafap-14f);
    E = fma(E, z, K(-0x1.ab15a6p-11f));
    E = fma(E, z, K(0x1.54fc4p-8f));
    E = fma(E, z, K(-0x1.b81764p-6f));
    E = fma(E, z, K(0x1.ce2e9ep-4f));
    E = fma(E, z, K(-0x1.812746p-2f));
    pair root = constant_pair(0x1.20dd76p0f, -0x1.f7ac92p-25f), sum = last_step(E, z, root.h);
    sum.l = sum.l + root.l;
    pair near = product(sel_pair(below, s0, s), sum); /* over 2^k below 0 */

    /* 1 - 2 Phi(-a) above 1, where nearly plain floats will do for Phi; a = sqrt(2) s */
    V j, a = s.h * K(1.41421356237309504880f), twice_a = a + a;
    pair i = ratio_pair(single(K(1)), two_sum(a, K(4))), square = product(s, s);
    pair g = plus(1, exp_reduced_sum(-square.h, -square.l, &j));
    V two_j = two_to_the(j), t = fma(twice_a, i.l, fma(twice_a, i.h, K(-1)));
    V erfc = normal_tail(t).h * i.h * (K(4) * g.h * two_j);
    pair erf = sel_pair(lt(s.h, K(1)), near, two_sum(K(1), -erfc));
    V bounded = sel(below, c, x);
    o->y = sel(eq(x, K(0)), x, scaled_normal(fma(bounded, erf.h, c * erf.l), w));

    /* x G over 2^k, G = 2/sqrt(pi) e^(-s^2) sigma */
    pair sigma = ratio_pair(sel_pair(below, e0, one), plus(1, e));
    pair G = product(product(root, scaled_pair(g, two_j)), sigma), d = sum_of(erf, product_by(G, c));
    o->d = d.h + d.l;
    with_scale(o, w);
}

/* Phi(u), u = (x - mu)/sigma; sigma = 0 gives what IEEE arithmetic gives */
BODY(laplace)
{
    parameter mu = p[0], sigma = p[1];
    pair off = two_sum(x, -mu.high);
    V inverse = K(1) / sigma.high;
    V q = off.h * inverse, lost = off.l - mu.low;
    V more = (fnma(q, sigma.low, fnma(q, sigma.high, off.h)) + lost) * inverse;
    pair u = fast_two_sum(q, sel(lt(abs(q), K(0x1p60f)), more, K(0)));
    M below_mu = lt(u.h, K(0));
    V k, a = abs(u.h), inside = min(K(NORMAL_LIMIT), a), rest = sel(eq(inside, a), u.l * copysign(K(1), u.h), K(0));
    pair square = two_product(inside, inside);
    pair e = plus(1, exp_reduced_sum(K(-0.5) * square.h, fma(K(-0.5), square.l, -(inside * rest)), &k));
    scale w = exp2_of(k);
    pair four = two_sum(inside, K(4));
    four.l = four.l + rest;
    pair i = ratio_pair(single(K(1)), four);
    V twice = inside + inside, t = fma(twice, i.l, fma(twice, i.h, K(-1)));
    pair tail = product(product(scaled_pair(normal_tail(t), K(2)), e), i); /* Phi(-a)/2^k */
    V y = tail.h + tail.l;
    o->y = unless_nan(x, sel(below_mu, scaled(y, w), K(1) - scaled(y, w)));
    pair density = product(e, split_pair(ONE_OVER_ROOT_2_PI, 0)), slope = ratio_pair(density, both(sigma));
    o->d = sel(eq(sigma.high, K(0)), x * K(0) / K(0), slope.h);
    with_scale(o, w);
}
