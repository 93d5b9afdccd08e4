/* sine.h - sin(x + shift pi) for every float, shift being 0 or 1/2: x = (n - shift) pi + r, |r| <= pi/2, so that one
   polynomial does. pi in three parts, as in sincos.h. Coefficients: tools/coefficients/sine.sollya (error 2^-28.9). */
static INLINE pair sine_pair(V x, REAL shift)
{
    V n = (fma(x, K(0x1.45f306p-2f), K(shift)) + K(MAGIC)) - K(MAGIC), turns = n - K(shift);
    V first = fnma(turns, K(0x1.921fb6p1f), x);
    V lost = x - fma(turns, K(0x1.921fb6p1f), first); /* only where x is small and turns is not 0 */
    pair second = two_product(turns, K(0x1.777a5cp-24f)), r = two_sum(first, second.h);
    r.l = r.l + (second.l + fma(turns, K(0x1.ee59dap-49f), lost));

    M large = gt(abs(x), K(0x1p20f));
    if (lanes_of(large)) {
        float lanes[LANES], ns[LANES], highs[LANES], lows[LANES];
        store(lanes, x);
        for (int i = 0; i < LANES; i++) {
            double quarter, high, low;
            ns[i] = highs[i] = lows[i] = 0;
            if (!(abs_one(lanes[i]) > 0x1p20 && abs_one(lanes[i]) <= 0x1.fffffep127)) continue;
            reduce_large(lanes[i], 0, &quarter, &high, &low);
            int quarters = (int)quarter + (shift > 0);
            if (quarters & 1) { /* sin(pi/2 + a) = sin(pi/2 - a) */
                quarters -= 1;
                high = 1 - abs_one(high), low = high < 0 ? low : -low;
            }
            high = high * 0x1.921fb54442d18p0;
            ns[i] = (float)(quarters / 2);
            highs[i] = (float)high, lows[i] = (float)(high - highs[i]);
        }
        n = sel(large, load(ns), n);
        r.h = sel(large, sel(lt(abs(x), K(INFINITE)), load(highs), x - x), r.h);
        r.l = sel(large, load(lows), r.l);
    }

    V z = r.h * r.h, s = K(-0x1.daca44p-26f);
    s = fma(s, z, K(0x1.7443eap-19f));
    s = fma(s, z, K(-0x1.a02d1cp-13f));
    s = fma(s, z, K(0x1.111148p-7f));
    s = fma(s, z, K(-0x1.555556p-3f));
    /* what r^2 and r^3 round off, times the first coefficient: without it 1.8 ULP around pi/2, not 1.2 */
    V cosine = fma(z, fma(z, K(0.037f), K(-0.4967f)), K(1)), cube = r.h * z;
    V rest = fma(r.h, fma(r.h, r.h, -z), fma(r.h, z, -cube));
    pair y = fast_two_sum(r.h, fma(cube, s, fma(rest, K(-1.0f / 6), r.l * cosine)));
    V half = fma(n, K(0.5), K(MAGIC)) - K(MAGIC), odd = fnma(K(2), half, n);
    return scaled_pair(y, fnma(K(2), abs(odd), K(1)));
}
static INLINE V sine(V x, REAL shift)
{
    pair y = sine_pair(x, shift);
    return y.h + y.l;
}
