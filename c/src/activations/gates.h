/* gates.h - gates in double only: x times tanh, erf and log1p of sigmoids and the like.
   As in gated.h: e = e^-|v| = 2^k p, the power of two multiplied in last, pairs where roundings would add up. */

/* x tanh(t), t = e^x = 2^k p, as x t R with R = tanh(t)/t, which is 1 to the last bit before t underflows;
   f' = t (R + x S), f'' = t S (2 + x (1 - 2 t tanh t)), S = sech(t)^2 */
BODY(tanhexp)
{
    NO_PARAMETERS;
    M below = lt(x, K(0));
    V k, c = max(K(-EXP_LIMIT), min(K(8), x));         /* tanh(e^8) is 1, and S t far below the smallest number */
    pair q = exp_pair(single(c), &k), e0 = plus(1, q); /* t is multiplied by up to 1500 in the exponent of S */
    scale w = exp2_of(k);
    V two_k = value_of(w);
    pair t = scaled_pair(e0, two_k);
    M tiny = lt(t.h, K(0x1p-30));
    t = sel_pair(tiny, single(K(0x1p-30)), t);
    hyperbolic g = hyperbolic_of(t.h + t.h, t.l + t.l);
    V R = sel(tiny, K(1), ratio(single(g.tanh), t)), S = scaled(g.sech2, g.w);
    w.k = sel(below, k, K(0));
    V limited = sel(below, c, x);
    V inner = sel(tiny, K(1), S);
    o->y = sel(below, scaled(limited * (e0.h * R), w), x * g.tanh);
    pair steep = product_by(scaled_pair(g.sech2_pair, value_of(g.w)), limited);
    pair both_terms = sum_of(quotient(g.tanh_pair, t), steep);
    V bracket = sel(tiny, fma(limited, inner, R), both_terms.h + both_terms.l);
    o->d = sel(below, e0.h * bracket, fma(min(K(8), x) * t.h, S, g.tanh));
    with_scale(o, w);
    pair turn = sum_with(product(scaled_pair(t, sel(tiny, K(0), K(-2))), g.tanh_pair), K(1));
    pair curve = sum_with(product_by(turn, sel(below, limited, min(K(8), x))), K(2));
    V both = (curve.h + curve.l) * g.sech2 * sel(below, e0.h, t.h);
    o->d2 = scaled(sel(tiny, (curve.h + curve.l) * e0.h, both), exp2_of(w.k + sel(tiny, K(0), g.w.k)));
}

/* log1p(e^-|x|) = 2^k s, e^-|x| = 2^k p, as softplus */
typedef struct {
    pair p, s;
    V two_k, bounded; /* x up to where e^-|x| is 0 */
    scale w;
} softplus_parts;

static INLINE softplus_parts softplus_parts_of(V x)
{
    softplus_parts o;
    V k;
    o.bounded = max(K(-EXP_LIMIT), min(K(EXP_LIMIT), x));
    o.p = plus(1, exp_reduced_sum(-abs(o.bounded), NOTHING, &k));
    o.w = exp2_of(k);
    o.two_k = value_of(o.w);
    pair h = quotient(o.p, plus(2, scaled_pair(o.p, o.two_k)));
    V s = h.h * o.two_k, z = s * s, twice = h.h + h.h;
    o.s = fast_two_sum(twice, fma(twice, z * atanh_polynomial(z), h.l + h.l));
    return o;
}

/* x erf(s), s = log1p(e^x): f' = erf(s) + x G, f'' = G (2 + x (1 - sigma - 2 s sigma)), G = 2/sqrt(pi) e^(-s^2) sigma.
   erf(s) = s E(s^2) below 1 (tools/coefficients/erf.sollya: 2^-56), 1 - 2 Phi(-sqrt(2) s) above. */
BODY(serf)
{
    NO_PARAMETERS;
    M below = lt(x, K(0));
    softplus_parts t = softplus_parts_of(x);
    pair full = scaled_pair(t.s, t.two_k), s = sel_pair(below, full, sum_with(full, t.bounded));
    s = fast_two_sum(s.h, s.l);
    V z = s.h * s.h;
    V c = K(0x1.bcc7673e2e32p-35);
    c = fma(c, z, K(-0x1.290ef2aba090fp-30));
    c = fma(c, z, K(0x1.f253bae72eb8fp-27));
    c = fma(c, z, K(-0x1.5e94fcc839227p-23));
    c = fma(c, z, K(0x1.b9cd799776869p-20));
    c = fma(c, z, K(-0x1.f4d05fc887746p-17));
    c = fma(c, z, K(0x1.f9a30b576b8ccp-14));
    c = fma(c, z, K(-0x1.c02db2f9c2b97p-11));
    c = fma(c, z, K(0x1.565bcd07fa605p-8));
    c = fma(c, z, K(-0x1.b82ce3125647ap-6));
    c = fma(c, z, K(0x1.ce2f21a041df3p-4));
    c = fma(c, z, K(-0x1.812746b0379cap-2));
    pair E = last_step(c, z, K(0x1.20dd750429b6dp0)), near = product(sel_pair(below, t.s, s), E); /* over 2^k below 0 */

    V k, a = min(K(NORMAL_LIMIT), s.h * K(1.41421356237309504880)); /* erfc(s) = 2 Phi(-a) */
    pair limited = {min(K(38), s.h), sel(lt(s.h, K(38)), s.l, K(0))}, square = product(limited, limited);
    pair q = exp_reduced_sum(-square.h, -square.l, &k), g = plus(1, q);
    V erfc =
        scaled(K(4) * ratio(product(normal_tail(fma(K(2), a / (a + K(4)), K(-1))), g), two_sum(a, K(4))), exp2_of(k));
    pair erf = sel_pair(lt(s.h, K(1)), near, two_sum(K(1), -erfc));

    /* G over both powers of two: sigma is 2^k times low below 0, 1/(1 + e) above */
    pair m = plus(1, scaled_pair(t.p, t.two_k)), one = single(K(1));
    pair sigma = quotient(sel_pair(below, t.p, one), m), other = quotient(sel_pair(below, one, t.p), m);
    pair G = product(product(constant_pair(0x1.20dd750429b6dp0, 0x1.1ae3a914fed8p-56), g), sigma);
    scale w = {sel(below, t.w.k, K(0))};
    V two_k = value_of(exp2_of(k));
    o->y = scaled(sel(below, t.bounded, x) * (erf.h + erf.l), w);
    pair slope = sum_of(product_by(scaled_pair(G, two_k), t.bounded), erf);
    o->d = slope.h + slope.l;
    with_scale(o, w);
    pair sigma_full = sel_pair(below, scaled_pair(sigma, t.two_k), sigma),
         one_minus = sel_pair(below, other, scaled_pair(other, t.two_k));
    pair curve = sum_of(one_minus, product(s, scaled_pair(sigma_full, K(-2))));
    pair bracket = sum_with(product_by(curve, t.bounded), K(2));
    scale both = {w.k + k};
    o->d2 = scaled((G.h + G.l) * (bracket.h + bracket.l), both);
}

/* x tanh(g), g = gelu(x): f' = tanh(g) + x g' S, f'' = S (2 g' + x (g'' - 2 g'^2 tanh(g))), S = sech(g)^2. Far below 0
   tanh(g) is g R, R = tanh(g)/g. */
BODY(phish)
{
    NO_PARAMETERS;
    M below = lt(x, K(0));
    normal_parts n = normal_parts_of(x);
    V tail = scaled(n.value, n.w), bounded = max(K(-NORMAL_LIMIT), min(K(EXP_LIMIT), x));
    pair g = sel_pair(below, single(tail), two_sum(abs(x), -tail)); /* |gelu(x)| */
    g.l = sel(lt(g.h, K(EXP_LIMIT)), g.l, K(0));
    M tiny = lt(g.h, K(0x1p-30));
    hyperbolic t = hyperbolic_of(g.h + g.h, g.l + g.l);
    V small = -n.value * sel(tiny, K(1), t.tanh / g.h); /* tanh(gelu)/2^k */
    scale w = {sel(below, n.w.k, K(0))};
    V two_k = value_of(n.w);
    pair true_slope = scaled_pair(n.slope, two_k), one = single(K(1));
    pair slope = sel_pair(below, n.slope, sum_of(one, neg(true_slope)));
    o->y = sel(below, scaled(bounded * small, w), sel(eq(x, K(0)), K(0), x * t.tanh)); /* no less than 0: +0 for -0 */
    /* x^2/2 + 0.4 x^3: the square of a float may be a tie but for the cube, which a double does not hold */
    o->y = sel(lt(abs(x), K(0x1p-50)), o->y * sel(below, K(0x1.fffffffffffffp-1), K(0x1.0000000000001p0)), o->y);
    /* in pairs: the terms cancel, and left of the zero at -1.1 they would be off by 4.5 ULP */
    pair own = {n.value, n.rest}, near = product(own, quotient(t.tanh_pair, sel_pair(tiny, single(K(1)), g)));
    pair T = sel_pair(below, neg(sel_pair(tiny, own, near)), t.tanh_pair);
    pair d = sum_of(product(product_by(slope, bounded), scaled_pair(t.sech2_pair, value_of(t.w))), T);
    o->d = d.h + d.l;
    o->d = sel(lt(abs(x), K(0x1p-60)), x, o->d); /* exact where the terms would be subnormal */
    w.k = sel(lt(abs(x), K(0x1p-60)), K(0), w.k);
    with_scale(o, w);

    pair curve = sel_pair(below, n.curve, scaled_pair(n.curve, two_k));
    pair bend =
        product(product(slope, sel_pair(below, true_slope, slope)), scaled_pair(t.tanh_pair, copysign(K(2), x)));
    pair bracket = sum_of(scaled_pair(slope, K(2)), product_by(sum_of(curve, neg(bend)), bounded));
    scale both = {w.k + t.w.k};
    o->d2 = scaled(t.sech2 * (bracket.h + bracket.l), both);
}

/* Phi(u), u = (x - mu)/sigma; sigma = 0 gives what IEEE arithmetic gives */
BODY(laplace)
{
    V sigma = p[1].high;
    pair off = two_sum(x, -p[0].high);
    M finite = lt(abs(off.h), K(0x1p900));
    V h = off.h / sigma;
    V l = sel(finite & lt(abs(h), K(0x1p900)) & lt(abs(sigma), K(INFINITE)), (fnma(h, sigma, off.h) + off.l) / sigma,
              K(0));
    M below = lt(h, K(0));
    V k, a = abs(h), inside = min(K(66), a), rest = sel(eq(inside, a), l * copysign(K(1), h), K(0));
    pair square = two_product(inside, inside);
    pair q = exp_reduced_sum(K(-0.5) * square.h, fma(K(-0.5), square.l, -(inside * rest)), &k), e = plus(1, q);
    scale w = exp2_of(max(K(-2147), k)); /* as far as a scale reaches, and beyond what far_product takes for 0 */
    pair four = two_sum(inside, K(4));
    four.l = four.l + rest;
    V t = fma(K(2), ratio(single(inside), four), K(-1));
    V tail = ratio(product(scaled_pair(normal_tail(t), K(2)), e), four); /* Phi(-a)/2^k */
    o->y = sel(below, scaled(tail, w), K(1) - scaled(tail, w));
    V density = sel(eq(sigma, K(0)), sigma, e.h + e.l) * K(ONE_OVER_ROOT_2_PI); /* 0/0 for sigma = 0 */
    o->d = density / sigma;
    with_scale(o, w);
    V signed_a = copysign(inside, h), d = scaled(o->d, w);
    /* sigma is unit 2^j, the square of unit neither overflows nor vanishes, and e^(-66^2/2)/sigma^2 is always 0 */
    V j = exponent(min(K(0x1p1000), abs(sigma))), unit = sigma * two_to_the(-j);
    o->d2 = scaled(-signed_a * (density / unit) / unit, exp2_of(max(K(-2140), k - j - j)));
    o->dp[0] = -d;
    o->dp[1] = -signed_a * d;
    o->y = unless_nan(x, o->y);
}
