/* sine.h - sines of floats, and of their products with a parameter, without a limit. One polynomial does where the angle is
   reduced to a quarter turn on either side of a multiple of pi, or, for the square, to an eighth around one of pi/2. pi is in
   three parts, as in sincos.h. Coefficients: tools/coefficients/sine.sollya (errors 2^-28.9 and 2^-29). */

/* Angles that three parts of pi cannot reduce, in the lanes of `large`: x p (or x) + shift quarter turns = n quarter turns + r,
   |r| <= pi/4, or n even and |r| <= pi/2 where half turns are asked for. x times each of the three floats of p is exact in
   double, and reduced by itself; parts that are not finite are of parameters that the float unit does not hold. */
static OUT_OF_LINE RARE pair large_angles(M large, V x, const parameter *p, double shift, int half_turns, V *n)
{
    float xs[LANES], factors[SUMMANDS][LANES] = {{0}}, ns[LANES] = {0}, highs[LANES] = {0}, lows[LANES] = {0};
    store(xs, sel(large, x, K(INFINITE))), store(factors[0], K(1));
    if (p) store(factors[0], p->high), store(factors[1], p->low), store(factors[2], p->least);
    for (int i = 0; i < LANES; i++) {
        double rest = shift - (int)shift;
        int whole = (int)shift;
        if (!(abs_one(xs[i]) <= 0x1.fffffep127)) continue;
        for (int k = 0; k < SUMMANDS; k++) {
            const double part = (double)xs[i] * factors[k][i];
            double count = 0, high = part * 0x1.45f306dc9c883p-1, low; /* low is beyond what floats show */
            if (!(abs_one(part) < 0x1p300)) continue;
            if (abs_one(part) >= 0x1p-8) reduce_large(part, 0, &count, &high, &low);
            whole += (int)count, rest += high;
        }
        const double up = (rest + 0x1.8p52) - 0x1.8p52;
        whole += (int)up, rest -= up;
        if (half_turns && whole & 1) whole -= 1, rest = 1 - abs_one(rest); /* sin(pi/2 + a) = sin(pi/2 - a) */
        rest *= 0x1.921fb54442d18p0;
        ns[i] = (float)(whole & 3);
        highs[i] = (float)rest, lows[i] = (float)(rest - highs[i]);
    }
    *n = load(ns);
    pair r = {sel(lt(abs(x), K(INFINITE)), load(highs), x - x), load(lows)};
    return r;
}

/* sin(x + shift pi), shift 0 or 1/2: x = (n - shift) pi + r */
static INLINE V sine(V x, REAL shift)
{
    V shifted_n = fma(x, K(0x1.45f306p-2f), K(shift)) + K(MAGIC), turns = (shifted_n - K(MAGIC)) - K(shift);
    V first = fnma(turns, K(0x1.921fb6p1f), x);
    V lost = shift > 0 ? x - fma(turns, K(0x1.921fb6p1f), first) : K(0); /* where x is small and turns is not 0 */
    pair second = two_product(turns, K(0x1.777a5cp-24f)), r = two_sum(first, second.h);
    r.l = r.l + (second.l + fma(turns, K(0x1.ee59dap-49f), lost));
    M large = gt(abs(x), K(0x1p20f));
    if (lanes_of(large)) {
        V quarters;
        r = sel_pair(large, large_angles(large, x, NULL, 2 * shift, 1, &quarters), r);
        shifted_n = sel(large, fma(quarters, K(0.5), K(MAGIC)), shifted_n);
    }
    V z = r.h * r.h, s = K(-0x1.daca44p-26f);
    s = fma(s, z, K(0x1.7443eap-19f));
    s = fma(s, z, K(-0x1.a02d1cp-13f));
    s = fma(s, z, K(0x1.111148p-7f));
    s = fma(s, z, K(-0x1.555556p-3f));
    /* what r^2 and r^3 round off, times the first coefficient: without it 1.8 ULP around pi/2, not 1.2 */
    V cosine = fma(z, fma(z, K(0.037f), K(-0.4967f)), K(1)), cube = r.h * z;
    V rest = fma(r.h, fma(r.h, r.h, -z), fma(r.h, z, -cube));
    return negated_if_odd(r.h + fma(cube, s, fma(rest, K(-1.0f / 6), r.l * cosine)), shifted_n);
}

/* sin(r + n pi/2)^2, |r| <= pi/4: sin(r)^2 = z + z^2 P(z), z = r^2, or, for odd n, the rest to 1 */
static INLINE pair square_of_angle(pair r, V n)
{
    V z = r.h * r.h, s = K(0x1.1bc294p-13f);
    s = fma(s, z, K(-0x1.9fc1a4p-9f));
    s = fma(s, z, K(0x1.6c15d4p-5f));
    s = fma(s, z, K(-0x1.555554p-2f));
    /* what r^2 rounds off and leaves out, times the derivative of sin(r)^2 by r^2 */
    V rest = fma(r.h, r.h, -z) + K(2) * r.h * r.l, slope = fma(z, fma(z, K(2.0f / 15), K(-2.0f / 3)), K(1));
    pair square = fast_two_sum(z, fma(z * z, s, rest * slope)), other = fast_two_sum(K(1), -square.h);
    other.l = other.l - square.l;
    V half = fma(n, K(0.5), K(MAGIC)) - K(MAGIC);
    return sel_pair(eq(n, half + half), square, other);
}
static OUT_OF_LINE RARE pair square_of_large(M large, V x, parameter p, REAL shift)
{
    V n;
    pair r = large_angles(large, x, &p, shift, 0, &n);
    return square_of_angle(r, n);
}
/* sin(x p + shift pi/2)^2, shift 0 or 1/2: x p = (n - shift) pi/2 + r. With shift 0 it is to be added to something larger:
   then r need not be good where it is small. */
static INLINE pair sine_squared(V x, parameter p, REAL shift)
{
    pair u = two_product(x, p.high), r;
    V n = (fma(u.h, K(0x1.45f306p-1f), K(shift)) + K(MAGIC)) - K(MAGIC), turns = n - K(shift);
    V first = fnma(turns, K(0x1.921fb6p0f), u.h);
    if (shift > 0) {
        V lost = u.h - fma(turns, K(0x1.921fb6p0f), first);
        pair second = two_product(turns, K(0x1.777a5cp-25f)), sum = two_sum(first, second.h);
        pair low = two_product(x, p.low), more = two_sum(u.l, low.h);
        r = two_sum(sum.h, more.h);
        V rest = (sum.l + (second.l + fma(turns, K(0x1.ee59dap-50f), lost))) + (more.l + fma(x, p.least, low.l));
        /* near a zero the rest may be a hundredth of it, and counts twice: at -26258.217 its square is 58 ULP */
        r = fast_two_sum(r.h, r.l + rest);
    } else {
        r = fast_two_sum(first, fma(turns, K(0x1.777a5cp-25f), fma(x, p.low, u.l)));
    }
    pair y = square_of_angle(r, n);
    M large = gt(abs(u.h), K(0x1p16f)); /* where u.l takes r out of the range of the polynomial */
    if (lanes_of(large)) y = sel_pair(large, square_of_large(large, x, p, shift), y);
    return y;
}
