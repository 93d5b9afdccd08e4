/* gated.h - x times a gate that opens from 0 to 1.

   With e = e^-|x| = 2^k p every one of them is a rational function of x and e, with no cancellation on either side of 0.
   Far below 0 the value is about x e: the 2^k is multiplied in last. Sums of 1 and e are kept as pairs, for it is their
   roundings that add up; the quotients take one division. */

/* e^-|x| = 2^k p, and |x| up to where that is 0, with the sign of x: keeps inf times 0 out of the formulas */
typedef struct {
    V limited, two_k;
    pair q, p, e;
    scale w;
} exponential;

static INLINE exponential exp_minus_abs(V x)
{
    exponential r;
    V k;
    r.limited = max(K(-EXP_LIMIT), min(K(EXP_LIMIT), x));
    r.q = exp_reduced_sum(-abs(r.limited), NOTHING, &k);
    r.w = exp2_of(k);
    r.two_k = value_of(r.w);
    r.p = plus(1, r.q);
    r.e = scaled_pair(r.p, r.two_k);
    return r;
}
/* 2 sigma (1 - sigma) (c - s tanh(|v|/2)), with e^-|v| = 2^k (1 + q): the second derivative of x sigma(v) for c = v' + x v''/2,
   s = |x| v'^2/2. All in pairs, for the bracket has a zero. */
static INLINE V gate_second(pair q, scale tail, pair c, pair s)
{
    V two_k = value_of(tail);
    pair p = plus(1, q), m = plus(1, scaled_pair(p, two_k));
    pair n = sum_of(fast_two_sum(K(1), -two_k), scaled_pair(neg(q), two_k));
    pair half = quotient(fast_two_sum(n.h, n.l), m), bracket = sum_of(c, neg(product(s, half)));
    tail.k = tail.k + K(1);
    return scaled((bracket.h + bracket.l) * ratio(p, product(m, m)), tail);
}

/* a/2, or, where a is EXP_LIMIT and sigma(-a) nothing, less: a large beta times that would overflow */
static INLINE V half_of(V a) { return sel(lt(a, K(EXP_LIMIT)), K(0.5) * a, K(0.5)); }

/* The derivative of x sigma(u) for u proportional to x, a being |u|, and rest what it rounds off, or NULL: with
   sigma(-|u|) = 2^-k/m as in sigmoids.h it is 2^-k B/m below 0 and 1 - 2^-k B/m above, B = 1 - a sigma(a) =
   (1 - a) + a 2^-k/m, whose zero is that of f'. What 1/m rounds off multiplies B + a 2^-k/m; rest adds -rest (1 - 2^-k/m)
   to B. Put into B itself, they cost a rounding there, and the worst inputs of silu and gelu_quick have 2.2 and 2.7 ULP.
   What B rounds off counts where `far` says that the zero is far from 0, for a quarter beside it B is still small; or NULL. */
static INLINE V slope_of_gate(logistic t, V a, const V *rest, const M *far, M above)
{
    V z = K(1) / t.m, low = z * fnma(z, t.lost, fnma(z, t.m, K(1))), part = a * t.two_k; /* 1/m = z + low */
    V b = fma(part, z, K(1) - a), lost = K(0);
    if (far) { /* the sum is exact where it is small */
        V share = part * z;
        b = sel(*far, (K(1) - a) + share, b), lost = sel(*far, fma(part, z, -share), K(0));
    }
    V more = low * fma(part, z, b);
    if (rest) more = fma(z, lost - fnma(*rest * t.two_k, z, *rest), more);
    V d = fma(z, b, more);
    return sel(above, fnma(d, t.two_k, K(1)), d);
}

/* x sigma(x) = x 2^-k/m below 0 and x - a 2^-k/m above: one division, no product to round. */
BODY(silu)
{
    NO_PARAMETERS;
    M above = gt(x, K(0));
    V a = min(K(EXP_LIMIT), abs(x)), limited = copysign(a, x);
    logistic t = logistic_of(abs(x), NOTHING);
    V quotient = limited / t.m;
    o->y = sel(above, fnma(quotient, t.two_k, x), scaled_normal(quotient, t.w)); /* -0 gives -0 */
    o->d = slope_of_gate(t, a, NULL, NULL, above);
    exponential e = exp_minus_abs(x);
    o->d2 = gate_second(e.q, e.w, single(K(1)), single(half_of(a)));
    with_scale(o, unless(above, t.w));
    M below = lt(x, K(0));
    with_logistic(o, sel(below, max(K(-LARGEST), x), x), below, t, NOTHING);
}

#define ONE_OVER_ROOT_2_PI 0.398942280401432677939946059934
/* With a = |x|: a Phi(-a), Phi(-a) - a phi(a) and (2 - a^2) phi(a), over 2^k */
typedef struct {
    V value, rest;
    pair slope, curve;
    scale w;
} normal_parts;

static INLINE normal_parts normal_parts_of(V x)
{
    normal_parts o;
    V a = min(K(NORMAL_LIMIT), abs(x)), square = a * a, k;
    pair q = exp_reduced_sum(K(-0.5) * square, K(-0.5) * fma(a, a, -square), &k);
    pair one_q = plus(1, q), four = two_sum(a, K(4));
    pair one_t = ratio_pair(single(K(2) * a), four);
    V t = one_t.h - K(1);
    o.w = exp2_of(k);
    pair value = product(product(normal_tail(t), one_q), one_t);
    value = fast_two_sum(value.h, value.l);
    o.value = value.h, o.rest = value.l;
    o.slope = product(product(normal_tail_minus_density(t), normal_zero_minus(a)), one_q);
    pair two_minus = sum_with(neg(two_product(a, a)), K(2));
    o.curve = product(product(two_minus, one_q), constant_pair(0x1.9884533d43651p-2, -0x1.cbc0d30ebfd15p-56));
    return o;
}

BODY(gelu)
{
    NO_PARAMETERS;
    M below = lt(x, K(0));
    normal_parts t = normal_parts_of(x);
    V tail = scaled_normal(t.value, t.w);
    o->y = sel(below, -tail, x - tail);
    pair d = t.slope;
    o->d = sel(below, d.h + d.l, (K(1) - scaled(d.h, t.w)) - scaled(d.l, t.w));
    o->d2 = scaled(t.curve.h + t.curve.l, t.w);
    with_scale(o, unless(gt(x, K(0)), t.w));
    V rest = ((x - o->y) - tail) - scaled(t.rest, t.w);
    with_part(o, sel(below, -t.value, o->y), sel(below, -t.rest, rest), unless(gt(x, K(0)) | eq(x, K(0)), t.w));
}

/* 2T' + x T'', T = tanh(log(1 + e^x)), over m^3: below 0  4e ((e + 1) 2m + x (2 + 2e - 3e^2 - 2e^3)), above 0 the same in
   e^-x times e: 4e^2 ((1 + e) 2m + x (2e^3 + 2e^2 - 3e - 2)) */
static INLINE V mish_second(exponential t)
{
    M below = lt(t.limited, K(0));
    /* m = 2 + 2e + e^2 below, 1 + 2e + 2e^2 above */
    pair m_below = sum_with(product(t.e, plus(2, t.e)), K(2));
    pair m_above = sum_with(product(scaled_pair(t.e, K(2)), plus(1, t.e)), K(1)), m = sel_pair(below, m_below, m_above);
    pair e = t.e, two = single(K(2)), three = single(K(3)), twice = scaled_pair(e, K(2));
    pair lower = sum_of(two, product(e, sum_of(two, neg(product(e, sum_of(three, twice))))));
    pair upper = sum_of(neg(two), product(e, sum_of(neg(three), product(e, sum_of(two, twice)))));
    pair n = sum_of(product(sum_of(two, twice), m), product_by(sel_pair(below, lower, upper), t.limited));
    V part = ratio(n, product(product(m, m), m));
    return scaled(K(4) * part * t.p.h * sel(below, K(1), e.h), t.w);
}

/* a^2 + b^2 for a >= b */
static INLINE pair sum_of_squares(pair a, pair b)
{
    V square = a.h * a.h, h = fma(b.h, b.h, square), lost = fma(b.h, b.h, square - h) + fma(a.h, a.h, -square);
    pair sum = {h, fma(K(2), fma(a.l, a.h, b.l * b.h), lost)};
    return sum;
}

/* tanh(log(1 + e^x)) = (S^2 - b^2)/D, D = S^2 + b^2, where e^x = a/b with a, b = 2^-k, P below 0 and P, 2^-k above;
   P = 1 + q and S = P + 2^-k as in sigmoids.h. Below that is a (S + P)/D, above x - 2 b^2/D x. Every rounding before the
   quotient is kept: without one of them the worst of 2^32 is 2.3 ULP. */
BODY(mish)
{
    NO_PARAMETERS;
    M above = gt(x, K(0));
    logistic s = logistic_of(abs(x), NOTHING);
    pair P = fast_two_sum(K(1), s.q), two = fast_two_sum(K(2), s.two_k), b = sel_pair(above, single(s.two_k), P);
    pair S = {s.m, s.lost}, D = sum_of_squares(S, b);
    pair n = sel_pair(above, single(s.two_k * (s.two_k + s.two_k)), fast_two_sum(two.h, fma(K(2), s.q, two.l)));
    V limited = max(K(-EXP_LIMIT), min(K(EXP_LIMIT), x)), y = limited * ratio(n, D);
    o->y = sel(above, x - y, scaled_normal(y, s.w)); /* -0 gives -0 */

    /* f', with z = 1/D: below 0 it is a z (S + P + 4 x S P^2 z), above 1 + 2 b^2 z (2 x S P z - 1) */
    S.l = s.m_rest, D = sum_of_squares(S, b); /* what else is lost costs 1.1 ULP */
    V z = K(1) / D.h, z_low = z * fnma(z, D.l, fnma(z, D.h, K(1)));
    pair steep = product(product_by(product(S, P), limited), sel_pair(above, single(K(0.5)), P));
    V h = steep.h * z, h_low = fma(steep.h, z, -h) + fma(steep.l, z, steep.h * z_low);
    pair bracket = two_sum(sel(above, K(-0.25), K(0.25) * n.h), h);
    bracket.l = bracket.l + fma(sel(above, K(0), K(0.25)), n.l, h_low);
    V d = fma(z, bracket.h, fma(z, bracket.l, z_low * bracket.h));
    o->d = sel(above, fma(K(8) * s.two_k * s.two_k, d, K(1)), K(4) * d);
    o->d2 = mish_second(exp_minus_abs(x));
    with_scale(o, unless(above, s.w));
}
