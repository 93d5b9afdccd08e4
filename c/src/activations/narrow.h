/* narrow.h - what floats do in place of bodies that were written for doubles: the same mathematics in pairs of floats, where
   ranges are shorter and parameters have low parts; or in plain floats, where that is good to 2 ULP. */

static INLINE pair both(parameter p)
{
    pair r = {p.high, p.low};
    return r;
}
/* ---- in pieces: see algebraic.h ---- */

BODY(smelu)
{
    parameter b = p[0];
    M more = above(x, minus(b)), less = below(x, b);
    V zero = unless_nan(x, K(0)), b4 = K(4) * b.high, inverse = K(1) / b4;
    pair t = fast_two_sum(b.high, x);
    t = fast_two_sum(t.h, t.l + b.low);
    V w = t.h * inverse, rest = (fnma(w, b4, t.h) + fnma(w, K(4) * b.low, t.l)) * inverse; /* t/(4 beta) */
    V parabola = fma(t.h, w, fma(t.h, rest, t.l * w));
    o->y = sel(more, sel(less, parabola, x), zero);
    o->d = sel(more, sel(less, K(2) * (w + rest), K(1)), zero);
}
BODY(star_relu)
{
    M above_0 = gt(x, K(0)), none = eq(p[0].high, K(0));
    pair line = two_product(p[0].high, x);
    V y = fma(line.h, x, p[1].high), rest = fma(fma(p[0].low, x, line.l), x, p[1].low); /* 1.0 ULP */
    o->y = sel(above_0, sel(none, p[1].high + K(0), closed(y, rest)), unless_nan(x, p[1].high));
    /* times a gradient before it becomes subnormal or overflows; a small slope leaves more room below, less above */
    M tiny = above_0 & lt(x, K(0x1p-40f)), large = gt(x, K(0x1p40f));
    V d = K(2) * fma(x, p[0].high, x * p[0].low);
    scale w = {K(0)};
    if (lanes_of(tiny | large)) {
        M gentle = lt(abs(p[0].high), K(1));
        V k = sel(tiny, sel(gentle, K(120), K(60)), sel(large, sel(gentle, K(-4), K(-100)), K(0)));
        d = K(2) * scale_by(x * two_to_the(k), p[0]);
        w.k = sel(above_0, -k, K(0));
    }
    with_rare_scale(o, w);
    o->d = sel(above_0, sel(none, K(0), d), unless_nan(x, K(0)));
}
/* t + a (x - t) = a x + c, c = t (1 - a), which is the same for all x */
static INLINE pair intercept(parameter t, parameter a)
{
    pair rest = two_sum(K(1), -a.high);
    return product(fast_two_sum(rest.h, rest.l - a.low), both(t));
}
BODY(srelu)
{
    parameter tl = p[0], tr = p[2], a;
    M after = above(x, tl), middle = after & below(x, tr); /* else on the line of the right, or on that of the left */
    M out_of_order = gt(tl.high, tr.high) | (eq(tl.high, tr.high) & gt(tl.low, tr.low));
    a.high = sel(after, p[3].high, p[1].high), a.low = sel(after, p[3].low, p[1].low);
    pair c = sel_pair(after, intercept(tr, p[3]), intercept(tl, p[1]));
    V line = fma(a.high, x, c.h), y = sel(middle, x, line + fma(a.low, x, c.l));
    if (lanes_of(is_normal(y)) != (1u << LANES) - 1) {
        /* 0 inf is NaN, which all_normal may let pass; and 0.2 times -1e-45 is -0, but -0 + 0 would be 0 */
        M flat = eq(a.high, K(0));
        V bounded = sel(flat, K(0), x), rest = fma(a.low, bounded, c.l);
        line = fma(a.high, bounded, c.h);
        line = sel(lt(abs(line), K(INFINITE)) & (flat | gt(abs(rest), K(0))), line + rest, line);
        y = sel(middle | (eq(x, K(0)) & eq(line, K(0))), x, line);
    }
    o->y = unless_nan(x, sel(out_of_order, K(NOT_A_NUMBER), y));
    o->d = unless_nan(x, sel(out_of_order, K(NOT_A_NUMBER), sel(middle, K(1), a.high)));
}
/* h: alpha x + beta, and l: 1 if that is in (0, 1), where the last bits of the parameters tell: x = -2.5 is a kink but for them.
   There the larger terms cancel exactly, and the sign of what is left is right. */
static INLINE pair line_of_doubles(V x, parameter alpha, parameter beta)
{
    float lanes[2 * SUMMANDS][LANES], xs[LANES], ys[LANES], insides[LANES];
    store(xs, x);
    store(lanes[0], alpha.high), store(lanes[1], alpha.low), store(lanes[2], alpha.least);
    store(lanes[3], beta.high), store(lanes[4], beta.low), store(lanes[5], beta.least);
    for (int i = 0; i < LANES; i++) {
        /* both products are exact */
        const double rise = (double)xs[i] * lanes[0][i], more = xs[i] * ((double)lanes[1][i] + lanes[2][i]),
                     from = (double)lanes[3][i] + lanes[4][i] + lanes[5][i], line = rise + from, part = line - rise,
                     rest = ((rise - (line - part)) + (from - part)) + more;
        ys[i] = (float)(line + rest);
        insides[i] = line + rest > 0 && (line - 1) + rest < 0;
    }
    pair r = {load(ys), load(insides)};
    return r;
}
static OUT_OF_LINE RARE V line_alone(V x, parameter alpha, parameter beta) { return line_of_doubles(x, alpha, beta).h; }
static OUT_OF_LINE RARE V side_alone(V x, parameter alpha, parameter beta) { return line_of_doubles(x, alpha, beta).l; }

BODY(hard_sigmoid_onnx)
{
    const parameter alpha = p[0], beta = p[1];
    V bounded = sel(eq(alpha.high, K(0)), unless_nan(x, K(0)), max(K(-0x1p100f), min(K(0x1p100f), x)));
    /* alpha x + beta, and less 1, but for 2^-46 of beta. Within 2^-20 of beta from 0 y would lose digits, within 2^-42 from 1
       the sign of `past` is not sure. */
    V rest = fma(alpha.low, bounded, beta.low), y = fma(alpha.high, bounded, beta.high) + rest, own = y;
    M lost = lt(abs(y), abs(beta.high) * K(0x1p-20f));
    if (lanes_of(lost)) own = sel(lost, line_alone(bounded, alpha, beta), y);
    o->y = min(K(1), max(K(0), own)) + K(0);

    pair above = two_sum(beta.high, K(-1));
    V past = fma(alpha.high, bounded, above.h) + (above.l + rest);
    M inside = gt(y, K(0)) & lt(past, K(0)), at_0 = lt(abs(y), fma(abs(beta.high), K(0x1p-20f), K(0x1p-140f)));
    M unsure = at_0 | lt(abs(past), fma(abs(beta.high), K(0x1p-42f), K(0x1p-42f)));
    unsure = unsure & gt(abs(bounded), K(0)); /* at 0 y is beta, however near to a kink */
    if (lanes_of(unsure)) {
        V one_inside = sel(inside, K(1), K(0));
        inside = gt(sel(unsure, side_alone(bounded, alpha, beta), one_inside), K(0));
    }
    o->d = sel(inside, alpha.high, unless_nan(x, K(0)));
}
/* ---- of a square root: see algebraic.h ---- */

/* x 2^j with alpha (x 2^j)^2 small enough for the cube of the root, where a vector needs it */
static INLINE void isru_parts(V x, parameter alpha, result *o)
{
    M none = eq(alpha.high, K(0));
    V j = K(0), unit = K(1), c = x, t = alpha.high * x;
    if (lanes_of(gt(abs(t) * abs(x), K(0x1p59f)))) {
        V a = min(K(LARGEST), abs(x)), far = a * square_root(abs(alpha.high));
        j = sel(gt(far, K(0x1p30f)), max(K(-126), -exponent(min(K(LARGEST), far))), K(0));
        unit = two_to_the(j);
        c = copysign(a, x) * unit, t = alpha.high * c;
        unit = unit * unit;
    }
    /* with what t rounds off, before the sum for a rounding less, behind it where 1 + alpha x^2 may cancel */
    V t_rest = fma(alpha.low, c, fma(alpha.high, c, -t)), behind = sel(lt(alpha.high, K(0)), t_rest, K(0));
    V q = fma(behind, c, fma(t, c, fma(t_rest - behind, c, unit)));
    o->y = sel(none, x, c / square_root(sel(gt(q, K(0)), q, K(NOT_A_NUMBER))));

    /* 1/(s^2 s), of which all three are rounded: the rest of s is e/(2 s) */
    pair square = two_product(t, c), s2 = sum_with(square, unit);
    s2.l = fma(t_rest, c, s2.l);
    if (lanes_of(lt(alpha.high, K(0)))) s2 = fast_two_sum(s2.h, s2.l); /* it may cancel */
    V s = square_root(s2.h), cube = s2.h * s, e = fnma(s, s, s2.h) + s2.l, r = K(1) / cube;
    V rest = fma(s, fma(K(0.5), e, s2.l), fma(s2.h, s, -cube));
    V d = fma(r, fnma(r, rest, fnma(r, cube, K(1))), r);
    o->d = sel(none, unless_nan(x, K(1)), d);
    scale w = {sel(none, K(0), max(K(-290), j + j + j))};
    with_rare_scale(o, w);
}
BODY(isru) { isru_parts(x, p[0], o); }
BODY(isrlu)
{
    M left = lt(x, K(0));
    isru_parts(x, p[0], o);
    o->y = sel(left, o->y, x);
    o->d = sel(left, o->d, unless_nan(x, K(1)));
    o->w.k = sel(left, o->w.k, K(0));
}
/* (s - 1)/2 is x^2/(2 (s + 1)) near 0; far out s is |x| */
BODY(bent_identity)
{
    NO_PARAMETERS;
    V a = abs(x), c = min(K(0x1p40f), a), s = square_root(fma(c, c, K(1)));
    V near = fma(K(0.5) * x, x / (s + K(1)), x), middle = fma(K(0.5), s - K(1), x);
    V far = x * sel(gt(x, K(0)), K(1.5), K(0.5));
    o->y = copysign(sel(lt(a, K(1)), near, sel(lt(a, K(0x1p40f)), middle, far)), x);
    o->d = fma(K(0.5), copysign(c, x) / s, K(1));
}
/* f' = f/s as (s^2 + a s)/(2 s^2) and b/(2 (s^2 + a s)), where the root weighs half */
BODY(squareplus)
{
    M above_0 = gt(x, K(0)), none = eq(p[0].high, K(0)), far = gt(abs(x), K(0x1p62f));
    squarable a = squarable_of(abs(x));
    pair b = both(p[0]), half = scaled_pair(b, K(0.5));
    /* the low part of b goes into the sum, which is nearly s where it counts; b < 0 may cancel */
    V low = sel(lt(b.h, K(0)), b.l, K(0));
    b.l = b.l - low;
    if (a.any) b = scaled_pair(scaled_pair(b, a.two_j), a.two_j), low = low * a.two_j * a.two_j;
    V q = fma(a.a, a.a, b.h) + low, s = square_root(q);
    pair sum = fast_two_sum(s, a.a);
    sum.l = fma(K(0.5) * b.l, K(1) / sum.h, sum.l);
    V below_0 = ratio(half, sum);
    if (a.any) below_0 = sel(lt(x, K(-LARGEST)), K(0), scaled(below_0, exp2_of(a.j)));
    o->y = sel(above_0, sel(far | none, x, K(0.5) * (sum.h + sum.l)), sel(none, unless_nan(x, K(0)), below_0));

    /* a small b over a large square is brought back by a large gradient */
    V k = K(0);
    if (lanes_of(gt(abs(x), K(0x1p26f)) & lt(abs(half.h), K(1))))
        k = exponent(abs(half.h)), half = scaled_pair(half, two_to_the(-k));
    pair as = two_product(a.a, s), whole = fast_two_sum(q, as.h);
    whole.l = whole.l + (as.l + b.l);
    V d = ratio(sel_pair(above_0, whole, half), sel_pair(above_0, fast_two_sum(q + q, b.l + b.l), whole));
    o->d = sel(none, sel(above_0, K(1), unless_nan(x, K(0))), d);
    scale w = {sel(above_0 | none, K(0), a.j + a.j + k)};
    with_rare_scale(o, w);
}
/* s (s + a) = s^2 + a s: t = a/(2 (s^2 + a s)), f'(-a) = (1 - a s)/(2 s^2 (s^2 + a s)), all over powers of 2^j */
BODY(dish)
{
    NO_PARAMETERS;
    M above_0 = gt(x, K(0));
    /* far out by the exponent, not as squarable_of does: here the fourth power must not overflow */
    V a = abs(x), j = K(0), one = K(1);
    const unsigned any_far = lanes_of(gt(a, K(0x1p20f)));
    if (any_far) {
        a = min(K(LARGEST), a);
        j = sel(gt(a, K(0x1p20f)), max(K(-126), -exponent(a)), K(0)), one = two_to_the(j);
        a = a * one, one = one * one;
    }
    V q = fma(a, a, one), s = square_root(q);
    pair as = two_product(a, s), sum = fast_two_sum(q, as.h);
    sum.l = sum.l + as.l;
    V t = K(0.5) * ratio(single(a), sum);
    if (any_far) t = sel(lt(x, K(-LARGEST)), K(0), scaled_normal(t, exp2_of(j)));
    o->y = sel(above_0, x - t, sel(eq(x, K(0)), x, -t));

    /* f' has a zero: what s rounds off counts, and as with 1/s = s (s^2 + a s)/whole is had without a division */
    pair s2 = sum_with(two_product(a, a), one), both;
    s = square_root(s2.h), as = two_product(a, s), both = fast_two_sum(s2.h, as.h);
    both.l = both.l + (as.l + s2.l);
    pair whole = product(s2, both);
    V n = fnma(a, s, one), r = K(1) / whole.h, d = n * r;
    V lost = a * (K(0.5) * (fnma(s, s, s2.h) + s2.l) * (s * both.h * r));
    V rest = fnma(d, fma(s2.h, lost, whole.l), fnma(d, whole.h, n) - lost);
    d = K(0.5) * fma(rest, r, d);
    scale w2 = exp2_of(j + j);
    o->d = sel(above_0, K(1) - (any_far ? scaled(d, w2) : d), d);
    with_rare_scale(o, unless(above_0, w2));
}
/* ---- with an exponential: see wide.h ---- */

/* q of exp_reduced_sum to 2^-30, with the square of r exact (tools/coefficients/xielu.sollya) */
static INLINE pair exp_reduced_closely(V u, V *k)
{
    pair r = exp_reduction(u, NOTHING, 1, k), square = two_product(r.h, r.h), q = fast_two_sum(r.h, K(0.5) * square.h);
    V p = K(0x1.a37662p-13f);
    p = fma(p, r.h, K(0x1.6d1304p-10f));
    p = fma(p, r.h, K(0x1.110f8p-7f));
    p = fma(p, r.h, K(0x1.555518p-5f));
    p = fma(p, r.h, K(0x1.555556p-3f));
    q.l = q.l + fma(square.h * r.h, p, fma(K(0.5), square.l, fma(r.l, q.h, r.l)));
    return fast_two_sum(q.h, q.l);
}

/* Only the branches that a vector needs: parameters are mostly the same for all, alpha = 0 by default. */
BODY(soft_exponential)
{
    parameter alpha = p[0];
    M positive = gt(alpha.high, K(0)), negative = lt(alpha.high, K(0)), none = eq(alpha.high, K(0));
    scale w = {K(0)};
    o->y = sel(none, x, alpha.high);
    o->d = unless_nan(x, sel(none, K(1), alpha.high)); /* NaN for one that is NaN */
    if (lanes_of(positive)) {
        V rest, k, u = times(x, alpha, &rest), h = max(K(-EXP_LIMIT), min(K(EXP_OVERFLOW), u));
        pair q = exp_reduced_sum(h, sel(eq(h, u), rest, K(0)), &k), one_q = plus(1, q);
        V one = sel(gt(u, K(EXP_OVERFLOW)), K(INFINITE), one_q.h + one_q.l);
        /* e^u - 1 + alpha^2 over alpha; alpha apart where the square may overflow, and by the exponent where e^u may */
        M large = gt(k, K(30)), apart = large | gt(alpha.high, K(2));
        M only = eq(alpha.high, K(1)) & eq(alpha.low, K(0)); /* e^x, which may be all that is left */
        V two_k = two_to_the(sel(large, K(0), max(K(-126), k)));
        pair expm1 = sum_of(two_sum(two_k, K(-1)), scaled_pair(q, two_k));
        pair square = sel_pair(apart, single(K(0)), product(both(alpha), both(alpha)));
        pair y = ratio_pair(sel_pair(large, one_q, sum_of(expm1, square)), both(alpha));
        y = sel_pair(only, single(one), y);
        V grown = sel(gt(u, K(EXP_OVERFLOW)), K(INFINITE), scaled(y.h, exp2_of(sel(large | only, k, K(0)))));
        pair total = two_sum(grown, alpha.high);
        V rest_of = total.l + (alpha.low + sel(large, K(0), y.l));
        V value = sel(apart, closed(total.h, rest_of), grown);
        o->y = sel(positive, sel(eq(u, u), value, u), o->y);
        o->d = sel(positive, one, o->d);
        w.k = sel(positive, k, w.k);
    }
    if (lanes_of(negative)) {
        /* 1 + v, v = -alpha (x + alpha), over 2^j */
        pair off = two_sum(max(K(-LARGEST), min(K(LARGEST), x)), alpha.high), a = both(alpha);
        off.l = off.l + alpha.low;
        V j = K(0), one = K(1), d;
        M far = gt(abs(off.h * alpha.high), K(0x1p60f)), least = lt(abs(x), K(0x1p-90f));
        if (lanes_of(far | least)) {
            V off_j = sel(far & gt(abs(off.h), K(1)), K(64), sel(least, K(-30), K(0)));
            V alpha_j = sel(far & gt(abs(a.h), K(1)), K(64), K(0));
            off = scaled_pair(off, two_to_the(-off_j));
            a = scaled_pair(a, two_to_the(-alpha_j));
            one = sel(far, K(0), two_to_the(-off_j));
            j = off_j + alpha_j;
        }
        pair one_v = sum_with(neg(product(off, a)), one);
        one_v = fast_two_sum(one_v.h, one_v.l);
        d = K(1) / one_v.h;
        V y = log_of(one_v, j) / alpha.high, e = sel(far, exponent(abs(d)), K(0)); /* a gradient meets d before 2^j */
        d = d * two_to_the(-e);
        M infinite = gt(x, K(LARGEST));
        o->y = sel(negative, sel(infinite, x, -y), o->y);
        o->d = sel(negative, sel(infinite, K(0), sel(lt(one_v.h, K(0)), x * K(0) / K(0), d)), o->d);
        w.k = sel(negative, e - j, w.k);
    }
    M small = lt(abs(x * alpha.high), K(0x1p-27f)) & lt(abs(alpha.high), K(0x1p-14f));
    o->y = sel(small, sel(none, x, x + alpha.high), o->y);
    with_scale(o, w);
}

/* alpha_n (e^x - 1 - x) + beta x below 0; far below, where e^x is gone, (beta - alpha_n) x - alpha_n */
BODY(xielu)
{
    parameter ap = p[0], an = p[1], beta = p[2];
    M above_0 = gt(x, K(0)), far = lt(x, K(-30));
    V k, c = max(K(-EXP_LIMIT), min(K(0), x));
    pair q = exp_reduced_closely(c, &k);
    V two_k = value_of(exp2_of(k));
    pair expm1 = sum_with(scaled_pair(q, two_k), two_k - K(1));
    V s = K(0x1.2105c6p-13f); /* tools/coefficients/xielu.sollya */
    s = fma(s, c, K(0x1.5b9b96p-10f));
    s = fma(s, c, K(0x1.100eap-7f));
    s = fma(s, c, K(0x1.554738p-5f));
    s = fma(s, c, K(0x1.555514p-3f));
    /* alpha_n first, for c^2 may underflow */
    pair series = product(product_by(both(an), c), product_by(last_step(s, c, K(0.5)), c));
    pair curved = sel_pair(gt(c, K(-1)), series, product(sum_with(expm1, -c), both(an)));
    V bounded = sel(far, K(0), x);
    pair lower = sum_of(curved, product_by(both(beta), bounded));
    pair slope = two_sum(beta.high, -an.high);
    slope.l = slope.l + (beta.low - an.low);
    pair line = sum_of(product_by(slope, x), neg(both(an)));
    V far_line = sel(eq(slope.h, K(0)), -an.high, closed(line.h, line.l));
    V below_0 = sel(far, far_line, lower.h + lower.l);
    below_0 =
        sel(eq(below_0, K(0)) & gt(abs(beta.high), K(0)), beta.high * x, below_0); /* the sign of what underflows */

    /* x (alpha_p x + beta) above */
    M none = eq(ap.high, K(0));
    pair rise = product_by(both(ap), x), steep = sum_of(rise, both(beta));
    /* a large one times a gradient before it overflows */
    M large = gt(x, K(0x1p40f));
    V power = sel(large, sel(lt(abs(ap.high), K(1)), K(4), K(100)), K(0)), shrink = two_to_the(-power);
    pair rising = sum_of(product_by(both(ap), K(2) * (x * shrink)), scaled_pair(both(beta), shrink));
    V coarse = sel(none, beta.high, steep.h), whole = x * coarse;
    V upper = sel(lt(abs(whole), K(INFINITE)), fma(x, steep.h, x * steep.l), whole);
    o->y = sel(above_0, upper, sel(eq(x, K(0)), x, below_0));

    /* alpha_n (e^x - 1) + beta or, where e^x is small, alpha_n e^x + (beta - alpha_n), of which the first may be all */
    M near = gt(c, K(-1)), only = lt(c, K(-1)) & eq(slope.h, K(0)) & eq(slope.l, K(0));
    pair e0 = plus(1, q), e = scaled_pair(e0, sel(only, K(1), two_k));
    pair slope_below = sum_of(product(sel_pair(near, expm1, e), both(an)), sel_pair(near, both(beta), slope));
    V steepest = sel(none, beta.high * shrink, closed(rising.h, rising.l));
    o->d = sel(above_0, steepest, unless_nan(x, slope_below.h + slope_below.l));
    scale w = {sel(above_0, power, sel(only, k, K(0)))};
    with_rare_scale(o, w);
}
