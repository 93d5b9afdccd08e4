/* narrow_waves.h - the functions of waves.h in floats. snake is not among them: a parameter in two floats has too few digits
   for the sine of large products. */

BODY(sinusoid)
{
    NO_PARAMETERS;
    o->y = sel(eq(x, K(0)), x, sine(x, 0));
    o->d = sine(x, 0.5f);
}
BODY(sinc)
{
    NO_PARAMETERS;
    M near = lt(abs(x), K(2)), zero = eq(x, K(0)), infinite = gt(abs(x), K(LARGEST));
    V z = x * x;
    o->y = sel(zero, K(1), sel(infinite, K(0), sine(x, 0) / x));
    /* where x is tiny or huge f' is, too: times a gradient before it becomes subnormal */
    V k = sel(lt(abs(x), K(0x1p-60f)), K(60), sel(gt(abs(x), K(0x1p60f)), K(-60), K(0))), scaled_x = x * two_to_the(k);
    V s = K(0x1.5f04a2p-29f); /* tools/coefficients/sine.sollya: 2^-26 */
    s = fma(s, z, K(-0x1.157666p-22f));
    s = fma(s, z, K(0x1.726e26p-16f));
    s = fma(s, z, K(-0x1.3817a4p-10f));
    s = fma(s, z, K(0x1.11112ap-5f));
    s = fma(s, z, K(-0x1.555556p-2f));
    pair difference = sum_of(sine_pair(x, 0.5f), neg(ratio_pair(sine_pair(x, 0), single(x)))); /* has zeros */
    V far = (difference.h + difference.l) / scaled_x;
    o->d = sel(near, scaled_x * s, sel(infinite, K(0), far));
    scale w = {sel(near, -k, k)};
    with_scale(o, w);
}
