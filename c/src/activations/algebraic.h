/* algebraic.h - functions of a square root. x is scaled by 2^j, so that its square does not overflow; the root is a pair. */

static INLINE pair root_of(pair s)
{
    V h = square_root(s.h);
    pair r = {h, (fnma(h, h, s.h) + s.l) / (h + h)};
    r.l = sel(gt(s.h, K(0)) & lt(s.h, K(INFINITE)), r.l, K(0));
    return r;
}
/* sqrt(b 2^2j + a (x 2^j)^2), and 1 over it */
typedef struct {
    V x, j, two_j; /* x 2^j, j and 2^j */
    pair root, inverse;
} scaled_root;
static INLINE V whole(pair a) { return a.h + a.l; }
static INLINE pair cube(pair a) { return product(product(a, a), a); }

static INLINE scaled_root scaled_root_by(V a, V x, V b, V j)
{
    scaled_root s;
    x = max(K(-LARGEST), min(K(LARGEST), x));
    s.j = j;
    s.two_j = two_to_the(s.j);
    s.x = x * s.two_j;
    s.root = root_of(sum_of(two_product(b * s.two_j, s.two_j), product_by(two_product(a, s.x), s.x)));
    s.inverse = quotient(single(K(1)), s.root);
    return s;
}
/* sqrt(b + x^2) */
static INLINE scaled_root scaled_root_of(V x, V b)
{
    return scaled_root_by(K(1), x, b, square_exponent(min(K(LARGEST), abs(x))));
}

/* y = x/sqrt(1 + alpha x^2), y' = (y/x)^3, y'' = -3 alpha x (y/x)^5, dy/dalpha = -y^3/2 */
static INLINE void isru_parts(V x, V alpha, result *o)
{
    V t = min(K(LARGEST), abs(x)) * square_root(abs(alpha)); /* alpha x^2 must not overflow either */
    scaled_root s =
        scaled_root_by(alpha, x, K(1), sel(gt(t, K(0x1p300)), max(K(-1022), -exponent(min(K(LARGEST), t))), K(0)));
    M none = eq(alpha, K(0));
    pair r = s.inverse, y = product_by(r, s.x), cubed = cube(r),
         lead = product_by(product_by(product(y, r), K(-3)), alpha); /* 3 alpha may overflow */
    V j3 = max(K(-2140), s.j + s.j + s.j), j4 = max(K(-2140), s.j + j3);
    M infinite = gt(abs(alpha), K(LARGEST));
    o->y = sel(eq(x, K(0)), x, sel(none, x, sel(infinite, s.x / s.root.h, whole(y))));
    o->d = sel(none, unless_nan(x, K(1)), sel(infinite, K(1) / s.root.h, whole(cubed)));
    scale w = {sel(none, K(0), j3)};
    with_rare_scale(o, w);
    o->d2 = sel(none, unless_nan(x, K(0)), scaled(whole(product(lead, cubed)), exp2_of(j4)));
    o->dp[0] = K(-0.5) * o->y * o->y * o->y;
}
BODY(isru) { isru_parts(x, p[0].high, o); }
BODY(isrlu)
{
    M left = lt(x, K(0)), right = eq(abs(x), x);
    isru_parts(x, p[0].high, o);
    o->y = sel(left, o->y, x);
    o->d = sel(right, K(1), o->d);
    o->w.k = sel(left, o->w.k, K(0));
    o->d2 = sel(left, o->d2, unless_nan(x, K(0)));
    o->dp[0] = sel(left, o->dp[0], unless_nan(x, K(0)));
}

/* x + x^2/(2 (sqrt(x^2 + 1) + 1)), far out x + |x|/2 */
BODY(bent_identity)
{
    NO_PARAMETERS;
    scaled_root s = scaled_root_of(x, K(1));
    M far = lt(s.j, K(0));
    V more = ratio(two_product(s.x, s.x), sum_with(s.root, K(1)));
    /* 1.5 x - 1/2 is a tie of floats but for the 1/2, which a double does not hold: one less in the last place tells */
    V right = sel(gt(x, K(0x1p51)), K(1.5) * x * K(0x1.fffffffffffffp-1), fma(K(0.5), more, x));
    o->y = sel(far & lt(x, K(0)), K(0.5) * x, sel(eq(x, K(0)), x, right));
    V over_root = s.x * s.inverse.h;
    o->d = fma(K(0.5), over_root, K(1));
    o->d2 = scaled(K(0.5) * whole(cube(s.inverse)), exp2_of(max(K(-2140), s.j + s.j + s.j)));
}

/* (x + s)/2 above 0, b/(2 (s - x)) below, s = sqrt(x^2 + b); f' = f/s, f'' = b/(2 s^3), df/db = 1/(4 s) */
BODY(squareplus)
{
    V b = min(K(LARGEST), p[0].high);
    M above = gt(x, K(0)), none = eq(b, K(0)), infinite = gt(p[0].high, K(LARGEST));
    scaled_root s = scaled_root_of(x, b);
    pair both = sum_with(s.root, abs(s.x));
    V lower = sel(lt(x, K(-LARGEST)), K(0), ratio(single(p[0].high * K(0.5)), both)), upper = K(0.5) * whole(both);
    V far = sel(infinite, p[0].high, sel(lt(s.j, K(0)), x, upper));
    o->y = sel(above, far, sel(none, unless_nan(x, K(0)), scaled(lower, exp2_of(s.j))));
    o->d = sel(none, sel(above, K(1), unless_nan(x, K(0))), sel(above, upper, lower) * s.inverse.h);
    scale w = {sel(above, K(0), s.j + s.j)};
    with_rare_scale(o, w);
    o->d2 = sel(none, unless_nan(x, K(0)),
                scaled(whole(product(product(product_by(s.inverse, K(0.5) * b), s.inverse), s.inverse)),
                       exp2_of(max(K(-2140), s.j + s.j + s.j))));
    o->dp[0] = scaled(K(0.25) * s.inverse.h, exp2_of(s.j));
}

/* With a = |x|, s = sqrt(1 + a^2), t = a/(2 s (s + a)): f(-a) = -t, f(a) = a - t;
   f'(-a) = (1 - a s)/(2 s^3 (s + a)), f'(a) = 1 - f'(-a); f'' = (2 - a^2)/(2 s^5) */
BODY(dish)
{
    NO_PARAMETERS;
    scaled_root s = scaled_root_of(x, K(1));
    M above = gt(x, K(0));
    V a = abs(s.x);
    pair r = s.inverse, both = sum_with(s.root, a);
    V t = scaled(K(0.5) * ratio(single(a), product(s.root, both)), exp2_of(s.j));
    t = sel(lt(x, K(-LARGEST)), K(0), t);
    o->y = sel(above, x - t, sel(eq(x, K(0)), x, -t));
    V two_2j = s.two_j * s.two_j;
    pair n = sum_with(neg(product_by(s.root, a)), two_2j);
    V d = K(0.5) * whole(product(product(product(n, r), r), quotient(r, fast_two_sum(both.h, both.l))));
    scale w = {s.j + s.j};
    o->d = sel(above, K(1) - scaled(d, w), d);
    with_scale(o, unless(above, w));
    pair curve = product(product(product_by(r, fma(-a, a, two_2j + two_2j)), r), cube(r));
    o->d2 = scaled(K(0.5) * whole(curve), exp2_of(max(K(-2140), s.j + s.j + s.j)));
}

/* 0 up to -beta, x from beta on, the parabola t^2/beta, t = (x + beta)/2, between; beta = 0 is relu */
BODY(smelu)
{
    V b = p[0].high, half_b = K(0.5) * b, half_x = K(0.5) * x, zero = unless_nan(x - b, K(0));
    M more = gt(x, -b), less = lt(x, b), at = gt(x, b);
    pair t = two_sum(half_x, half_b), square = product(t, t);
    M usual = gt(b, K(0x1p-300)) & lt(b, K(0x1p300));
    V q = sel(usual, square.h + square.l, t.h) / b, parabola = sel(usual, q, q * t.h);
    o->y = sel(more, sel(less, parabola, x), zero);
    o->d = sel(more, sel(less, (x + b) / (b + b), K(1)), zero);
    o->d2 = sel(more, sel(at, K(0), K(0.5) / b), zero);
    o->dp[0] = sel(more & less, t.h / b * ((half_b - half_x) / b), zero);
}
BODY(star_relu)
{
    M above = gt(x, K(0));
    V factor = p[0].high, bias = p[1].high;
    pair square = two_product(x, x), scaled_square = product_by(square, factor), y = two_sum(scaled_square.h, bias);
    M finite = lt(square.h, K(0x1p900)) & lt(abs(y.h), K(0x1p900));
    V rest = sel(finite, y.l + scaled_square.l, K(0));
    M none = eq(factor, K(0));
    V exact = y.h + rest, large = sel(none, bias, fma(factor * x, x, bias));
    o->y = sel(above, sel(finite, exact, large), unless_nan(x, bias));
    o->lost_y = sel(above & finite, (y.h - exact) + rest, K(0));
    pair d = two_product(K(2) * factor, x);
    M tiny = lt(abs(x), K(0x1p-900)); /* times a gradient before it becomes subnormal */
    scale w = {sel(tiny, K(-100), K(0))};
    with_rare_scale(o, w);
    o->d = sel(above, sel(none, K(0), sel(tiny, K(2) * factor * (x * K(0x1p100)), d.h)), unless_nan(x, K(0)));
    o->lost_d = sel(above & lt(abs(d.h), K(0x1p900)) & gt(x, K(0x1p-900)), d.l, K(0));
    o->d2 = sel(above, factor + factor, unless_nan(x, K(0)));
    o->dp[0] = sel(above, square.h, unless_nan(x, K(0)));
    o->dp[1] = unless_nan(x, K(1));
}

/* t + a (x - t) in pairs, for it has a zero at t - t/a; *lost is what its rounding loses */
static INLINE V line_through(V x, V t, V a, V *lost)
{
    pair off = two_sum(sel(eq(a, K(0)), unless_nan(x, t), x), -t), rise = product_by(off, a), line = two_sum(t, rise.h);
    M finite = lt(abs(line.h), K(0x1p900)) & lt(abs(off.h), K(0x1p900));
    V rest = sel(finite, line.l + rise.l, K(0)), y = line.h + rest;
    *lost = sel(finite, (line.h - y) + rest, K(0));
    return y;
}
BODY(srelu)
{
    V tl = p[0].high, al = p[1].high, tr = p[2].high, ar = p[3].high;
    M right = lt(x, tr), at_left = lt(x, tl) | eq(x, tl);
    V known = sel(gt(tl, tr), x * K(0) / K(0), x), zero = unless_nan(known, K(0)); /* NaN for thresholds out of order */
    V lost_left, lost_right, on_left = line_through(x, tl, al, &lost_left),
                             on_right = line_through(x, tr, ar, &lost_right);
    o->y = sel(at_left, on_left, sel(right, x, on_right));
    o->lost_y = sel(at_left, lost_left, sel(right, K(0), lost_right));
    o->y = sel(eq(x, K(0)) & eq(o->y, K(0)), x, o->y); /* -0 */
    o->d = sel(at_left, unless_nan(x, al), sel(right, K(1), ar));
    o->d2 = zero;
    o->y = unless_nan(known, o->y);
    o->d = unless_nan(known, o->d);
    o->dp[0] = sel(at_left, unless_nan(known, K(1) - al), zero);
    o->dp[1] = sel(at_left, known - tl, zero);
    o->dp[2] = sel(at_left, zero, sel(right, zero, unless_nan(known, K(1) - ar)));
    o->dp[3] = sel(at_left, zero, sel(right, zero, known - tr));
}
/* clip(alpha x + beta, 0, 1). Which side of the upper kink x is on, only the line's second half may tell. */
BODY(hard_sigmoid_onnx)
{
    V zero = unless_nan(x, K(0));
    V bounded = sel(eq(p[0].high, K(0)), unless_nan(x, K(0)), x); /* 0 inf */
    V y = fma(p[0].high, bounded, p[1].high);
    pair rise = two_product(p[0].high, bounded), line = two_sum(rise.h, p[1].high);
    V lost = sel(lt(abs(y), K(0x1p900)), (line.h - y) + (line.l + rise.l), K(0));
    M more = gt(y, K(0)), inside = more & lt(y, K(1)), at_one = eq(y, K(1));
    if (lanes_of(at_one)) inside = inside | (at_one & lt(lost, K(0)));
    o->y = sel(more, min(K(1), y), unless_nan(y, zero));
    o->lost_y = sel(inside, lost, K(0));
    o->d = sel(inside, p[0].high, zero);
    o->d2 = zero;
    o->dp[0] = sel(inside, x, zero);
    o->dp[1] = sel(inside, K(1), zero);
}
