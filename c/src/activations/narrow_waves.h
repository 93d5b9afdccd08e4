/* narrow_waves.h - the functions of waves.h in floats, but for sinc: f' has zeros everywhere, and no difference of floats is good
   to its last places near them. */

BODY(sinusoid)
{
    NO_PARAMETERS;
    o->y = sel(eq(x, K(0)), x, sine(x, 0));
    o->d = sine(x, 0.5f);
}

/* f' = 2 sin(u + pi/4)^2 */
BODY(snake)
{
    const parameter alpha = p[0];
    M none = eq(alpha.high, K(0)), infinite = gt(abs(x), K(LARGEST));
    V inverse = K(1) / alpha.high, lost = inverse * fnma(alpha.low, inverse, fnma(alpha.high, inverse, K(1)));
    pair square = sine_squared(x, alpha, 0), slope = sine_squared(x, alpha, 0.5f);
    pair part = two_product(square.h, inverse), total = two_sum(x, part.h);
    V y = total.h + (total.l + fma(square.h, lost, fma(square.l, inverse, part.l)));
    o->y = sel(none | infinite | eq(x, K(0)), x, y);
    o->d = sel(none, unless_nan(x, K(1)), sel(infinite, x - x, K(2) * (slope.h + slope.l)));
}
