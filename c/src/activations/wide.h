/* wide.h - exponentials with a parameter inside, in double only. */

/* alpha > 0: (e^u - 1 + alpha^2)/alpha, u = alpha x, below 0 in pairs, for e^u may be all that is left. alpha < 0:
   log1p(v)/-alpha, v = -alpha (x + alpha), NaN where v < -1. */
BODY(soft_exponential)
{
    V alpha = p[0].high, rest, u = times(x, p[0], &rest), k;
    M none = eq(alpha, K(0)), positive = gt(alpha, K(0));
    V h = max(K(-EXP_LIMIT), min(K(EXP_OVERFLOW), u)), l = sel(eq(h, u), rest, K(0));
    pair q = exp_reduced_sum(h, l, &k);
    pair one_q = plus(1, q);
    V one = sel(gt(u, K(EXP_OVERFLOW)), K(INFINITE), one_q.h + one_q.l), e = scaled(one, exp2_of(k)), expm1;
    parameter inverse_alpha = {K(1) / alpha, K(0), K(0)};
    V large = times_expm1(q, k, inverse_alpha, &expm1),
      grown = sel(lt(expm1, K(INFINITE)), expm1 / alpha, sel(gt(u, K(EXP_OVERFLOW)), K(INFINITE), large));

    const V two_k = value_of(exp2_of(max(K(-1000), min(K(0), k))));
    const pair left = sum_of(sum_of(two_sum(two_k, K(-1)), scaled_pair(q, two_k)), two_product(alpha, alpha));
    const M cancels = lt(u, K(0)) & lt(alpha, K(2));
    const V above_0 = sel(cancels, sel(eq(alpha, K(1)), e, ratio(left, single(alpha))), grown + alpha);

    /* 1 + v over 2^j, for x may be 5e-324 at alpha = -1, the logarithm, and v may overflow */
    pair off = two_sum(x, alpha), scaled_off = off;
    V j = K(0), one_over = K(1);
    M far = gt(abs(u), K(0x1p500)), least = lt(abs(x), K(0x1p-900));
    if (lanes_of(far | least)) {
        j = sel(far, K(960), sel(least, K(-60), K(0)));
        one_over = two_to_the(-j);
        scaled_off = scaled_pair(off, one_over);
    }
    pair one_v = sum_with(product_by(scaled_off, -alpha), one_over);
    one_v.l = sel(lt(abs(one_v.h), K(INFINITE)), one_v.l, K(0));
    one_v = fast_two_sum(one_v.h, one_v.l);
    V part = K(1) / one_v.h, inverse = part * one_over, log1p = log_of(one_v, j), logarithm = log1p / -alpha;
    V outside = sel(lt(one_v.h, K(0)), x * K(0) / K(0), part);

    M small = lt(abs(u), K(0x1p-55)) & lt(abs(alpha), K(0x1p-28));
    o->y = sel(none, x, sel(small, x + alpha, sel(positive, above_0, logarithm)));
    o->d = sel(none, unless_nan(x, K(1)), sel(positive, one, outside));
    scale w = {sel(none, K(0), sel(positive, k, -j))};
    with_scale(o, w);
    o->d2 = sel(none, unless_nan(x, K(0)), alpha * sel(positive, e, inverse * (outside * one_over)));

    /* 1 + (u e^u - e^u + 1)/alpha^2, where small 1 + x^2 (1/2 + u/3 + u^2/8 + ..) */
    V grows = sel(lt(abs(h), K(0.5)), x * x * slope_series(h), fma(h - K(1), e, K(1)) / alpha / alpha);
    /* 1/(1 + v) + R(v)/alpha^2, R = log1p(v) - v/(1 + v) = v^2/2 - 2v^3/3 ..; where it cancels v^2/alpha^2 is (x + alpha)^2,
       and R/v^2 = ((2 + v)/(2 + 2v) + s A(s^2)) 2/(2 + v)^2, s = v/(2 + v) = tanh(log1p(v)/2) */
    V v = -alpha * off.h, two_v = v + K(2), s = v / two_v;
    V near = fma(s, atanh_polynomial(s * s), K(0.5) * two_v * inverse) * (off.h / two_v) * (off.h / two_v) * K(2);
    V whole = (log1p + (inverse - K(1))) / alpha / alpha;
    V shrinks = inverse + sel(gt(v, K(-0.5)) & lt(v, K(1)), near, whole);
    o->dp[0] = sel(none, fma(K(0.5) * x, x, K(1)), sel(positive, K(1) + grows, shrinks));
}

/* far below 0, where e^x is gone: (beta - alpha_n) x - alpha_n */
static INLINE V xielu_far(V x, V an, V beta)
{
    pair slope = two_sum(beta, -an);
    V line = slope.h * x, whole_line = fma(slope.h, x, fma(slope.l, x, -an));
    return sel(eq(slope.h, K(0)), -an, sel(lt(abs(line), K(INFINITE)), whole_line, line));
}

/* alpha_n (e^x - 1 - x) + beta x below 0: e^x - 1 - x = x^2 (1/2 + x/6 + ..) near 0 */
BODY(xielu)
{
    V ap = p[0].high, an = p[1].high, beta = p[2].high, k;
    M above = gt(x, K(0));
    V c = max(K(-EXP_LIMIT), min(K(0), x));
    pair q = exp_reduced_sum(c, NOTHING, &k);
    V two_k = value_of(exp2_of(k));
    static const double coefficients[] = {1.0 / 121645100408832000.0,
                                          1.0 / 6402373705728000.0,
                                          1.0 / 355687428096000.0,
                                          1.0 / 20922789888000.0,
                                          1.0 / 1307674368000.0,
                                          1.0 / 87178291200.0,
                                          1.0 / 6227020800.0,
                                          1.0 / 479001600.0,
                                          1.0 / 39916800.0,
                                          1.0 / 3628800.0,
                                          1.0 / 362880.0,
                                          1.0 / 40320.0,
                                          1.0 / 5040.0,
                                          1.0 / 720.0,
                                          1.0 / 120.0,
                                          1.0 / 24.0,
                                          1.0 / 6.0};
    V s = K(1.0 / 2432902008176640000.0);
    for (int i = 0; i < 17; i++) s = fma(s, c, K(coefficients[i]));
    pair expm1_pair = sum_with(scaled_pair(q, two_k), two_k - K(1)); /* two_k = 1 is the series' */
    pair series = product(two_product(c, c), last_step(s, c, K(0.5)));
    pair curved_pair = sel_pair(gt(c, K(-1)), series, sum_with(expm1_pair, sel(above, K(0), -x)));
    V curved = curved_pair.h + curved_pair.l;
    pair lower = finite_sum(sum_of(product_by(curved_pair, an), two_product(beta, x)));
    /* an e^x + (beta - an), of which the second may be 0: an (e^x - 1) has lost e^x by -40 */
    pair e = scaled_pair(plus(1, q), sel(lt(x, K(-EXP_LIMIT)), K(0), two_k)), rest = two_sum(beta, -an);
    pair slope_below = finite_sum(sum_of(product_by(e, an), rest));
    V below = sel(lt(x, K(-40)), xielu_far(x, an, beta), lower.h + lower.l);
    pair square = two_product(x, x), parabola = sum_of(product_by(square, ap), two_product(beta, x));
    M moderate = lt(abs(x), K(0x1p400)) & lt(abs(parabola.h), K(0x1p900));
    V rising = sel(eq(ap, K(0)), beta, fma(K(2) * ap, x, beta)), steep = sel(eq(ap, K(0)), beta, fma(ap, x, beta));
    V slope = sel(moderate, parabola.h + parabola.l, x * steep);
    pair line = sum_with(two_product(ap + ap, x), beta);
    o->y = sel(above, slope, sel(eq(x, K(0)), copysign(below, x), below));
    o->lost_y = sel(above & moderate, (parabola.h - slope) + parabola.l, K(0));
    o->lost_d = sel(above & moderate, (line.h - rising) + line.l, K(0));
    o->d = sel(above, rising, unless_nan(x, slope_below.h + slope_below.l));
    o->d2 = sel(above, K(2) * ap, unless_nan(x, scaled(an * (K(1) + q.h), exp2_of(k))));
    o->dp[0] = sel(above, x * x, unless_nan(x, K(0)));
    o->dp[1] = sel(above, K(0), curved);
    o->dp[2] = x;
}
