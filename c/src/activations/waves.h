/* waves.h - sine and what is made of it. Where x goes to infinity they have no limit, but for sinc. */

BODY(sinusoid)
{
    NO_PARAMETERS;
    sine_cosine t = sincos_of(x, K(0));
    o->y = sel(eq(x, K(0)), x, t.sin.h);
    o->d = t.cos.h;
    o->d2 = -o->y;
}

/* sin(x)/x; f' = (cos x - f)/x, f'' = -f - 2 f'/x, which cancel near 0: there their series */
BODY(sinc)
{
    NO_PARAMETERS;
    M near = lt(abs(x), K(2)), zero = eq(x, K(0)), infinite = gt(abs(x), K(LARGEST));
    sine_cosine t = sincos_of(x, K(0));
    V z = x * x;
    pair X = single(x), y = quotient(t.sin, X), d = quotient(add(t.cos, neg(y)), X);
    pair d2 = neg(add(y, scaled_pair(quotient(d, X), K(2))));
    /* f'/x = sum of (-1)^n 2n x^(2n-2)/(2n+1)!, f'' = sum of (-1)^n 2n (2n-1) x^(2n-2)/(2n+1)! */
    V s = K(0), c = K(0);
    static const double first[] = {-0x1.0p1 / 6,
                                   4.0 / 120,
                                   -6.0 / 5040,
                                   8.0 / 362880,
                                   -10.0 / 39916800,
                                   12.0 / 6227020800.0,
                                   -14.0 / 1307674368000.0,
                                   16.0 / 355687428096000.0,
                                   -18.0 / 121645100408832000.0,
                                   20.0 / 51090942171709440000.0,
                                   -22.0 / 25852016738884976640000.0,
                                   24.0 / 15511210043330985984000000.0,
                                   -26.0 / 10888869450418352160768000000.0};
    for (int i = 12; i >= 0; i--) {
        s = fma(s, z, K(first[i]));
        c = fma(c, z, K(first[i] * (2 * i + 1)));
    }
    o->y = sel(zero, K(1), sel(infinite, K(0), y.h + y.l));
    o->d = sel(near, x * s, sel(infinite, K(0), d.h + d.l));
    o->d2 = sel(lt(abs(x), K(1.25)), c, sel(infinite, K(0), d2.h + d2.l));
}

/* x + sin(u)^2/alpha, u = alpha x; f' = 1 + sin(2u) = (sin u + cos u)^2, f'' = 2 alpha cos(2u) */
BODY(snake)
{
    V alpha = p[0].high;
    M none = eq(alpha, K(0)), infinite = gt(abs(x), K(LARGEST)), far = gt(abs(x * alpha), K(LARGEST));
    V part_x = sel(far, x * K(0x1p-1000), x), j = sel(far, K(1000), K(0)),
      u = sel(none, unless_nan(x, K(0)), part_x * alpha);
    V rest = sel(lt(abs(u), K(LARGEST)), fma(part_x, alpha, -u), K(0));
    M apart = far | gt(abs(u), K(0x1p30)); /* the rest of the product is no small correction there */
    sine_cosine t = called_sincos(u, sel(apart, K(0), rest), j);
    if (lanes_of(apart)) {
        sine_cosine r = called_sincos(sel(apart, rest, K(0)), K(0), j);
        pair sine = add(mul(t.sin, r.cos), mul(t.cos, r.sin));
        t.cos = add(mul(t.cos, r.cos), neg(mul(t.sin, r.sin)));
        t.sin = sine;
    }
    V s = t.sin.h, c = t.cos.h;
    pair sum = add(t.sin, t.cos), difference = add(t.cos, neg(t.sin)), slope = mul(sum, sum),
         curve = mul(sum, difference);
    pair part = quotient(mul(t.sin, t.sin), single(alpha)), total = finite_sum(two_sum(x, part.h));
    V rise = total.h + (total.l + part.l);
    o->y = sel(none, x, sel(infinite, x, sel(eq(x, K(0)), copysign(rise, x), rise)));
    V nowhere = x - x; /* at infinity: the same NaN from every loop */
    o->d = sel(none, unless_nan(x, K(1)), sel(infinite, nowhere, slope.h + slope.l));
    o->d2 = sel(none, unless_nan(x, K(0)), sel(infinite, nowhere, alpha * (K(2) * (curve.h + curve.l))));
    o->dp[0] = sel(none, x * x, s * (K(2) * x * c - s / alpha) / alpha);
}
