/* narrow_waves.h - the functions of waves.h in floats. snake is not among them: a parameter in two floats has too few digits
   for the sine of large products; nor is sinc, whose derivative has zeros everywhere. */

BODY(sinusoid)
{
    NO_PARAMETERS;
    o->y = sel(eq(x, K(0)), x, sine(x, 0));
    o->d = sine(x, 0.5f);
}
