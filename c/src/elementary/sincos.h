/* sincos.h - sin(x + rest) and cos(x + rest) for every double, as pairs good to 2^-56.

   x = n pi/2 + r. Up to 2^30 r = x - n pi/2 with pi/2 in three parts: with fma the first subtraction is exact (all numbers
   are multiples of 2^-53 below 1), the others are kept as pairs. Beyond, Payne and Hanek 1983: only the digits of 2/pi
   around the exponent of x matter, in integers. Coefficients: tools/coefficients/sincos.sollya (errors 2^-53 and less of
   the terms that follow r and 1 - r^2/2). */
typedef struct {
    pair sin, cos;
} sine_cosine;

/* an angle less n quarter turns */
typedef struct {
    V n;
    pair r;
} reduced;

/* of x 2^j + rest in the lanes where that is large */
static OUT_OF_LINE reduced reduced_large(reduced a, M large, V x, V rest, V j)
{
    double lanes[LANES], js[LANES], ns[LANES], highs[LANES], lows[LANES];
    store(lanes, x);
    store(js, j);
    for (int i = 0; i < LANES; i++) {
        ns[i] = highs[i] = lows[i] = 0;
        if ((abs_one(lanes[i]) > 0x1p30 || js[i] > 0) && lanes[i] != 0 && abs_one(lanes[i]) <= 0x1.fffffffffffffp1023)
            reduce_large(lanes[i], (int)js[i], &ns[i], &highs[i], &lows[i]);
    }
    pair f = {load(highs), load(lows)};
    f = mul(f, constant_pair(0x1.921fb54442d18p0, 0x1.1a62633145c07p-54));
    f = two_sum(f.h, f.l + rest);
    a.r = sel_pair(large, f, a.r);
    a.n = sel(large, load(ns), a.n);
    a.r.h = sel(gt(abs(x), K(LARGEST)), x - x, a.r.h); /* NaN */
    return a;
}

/* of x 2^j + rest, 0 <= j <= 1000; j > 0 only where x 2^j is above 2^30, or 0 */
static INLINE sine_cosine sincos_of_scaled(V x, V rest, V j)
{
    V n = fma(x, K(0x1.45f306dc9c883p-1), K(MAGIC)) - K(MAGIC);
    V first = fnma(n, K(0x1.921fb54442d18p0), x);
    pair second = two_product(-n, K(0x1.1a62633145c07p-54)), r = two_sum(first, second.h);
    r = two_sum(r.h, fma(n, K(0x1.f1976b7ed8fbcp-110), second.l) + r.l + rest);

    M large = gt(abs(x), K(0x1p30)) | gt(j, K(0));
    if (lanes_of(large)) {
        const reduced near = {n, r}, a = reduced_large(near, large, x, rest, j);
        n = a.n, r = a.r;
    }

    V z = r.h * r.h, half = K(0.5) * z;
    V s = K(0x1.5e0eee0fc672fp-33);
    s = fma(s, z, K(-0x1.ae60199406bf1p-26));
    s = fma(s, z, K(0x1.71de37aa90f25p-19));
    s = fma(s, z, K(-0x1.a01a019e9babp-13));
    s = fma(s, z, K(0x1.1111111110c6ep-7));
    s = fma(s, z, K(-0x1.5555555555555p-3));
    V c = K(-0x1.9071c64499dacp-37);
    c = fma(c, z, K(0x1.1eeb556e76793p-29));
    c = fma(c, z, K(-0x1.27e4fa00a5541p-22));
    c = fma(c, z, K(0x1.a01a019f36935p-16));
    c = fma(c, z, K(-0x1.6c16c16c168c4p-10));
    c = fma(c, z, K(0x1.5555555555555p-5));
    pair sine = fast_two_sum(r.h, fma(r.h * z, s, fnma(r.l, half, r.l)));
    pair cosine = fast_two_sum(K(1), -half);
    V lost = fma(K(-0.5), fma(r.h, r.h, -z), cosine.l); /* the rounding of z, and of 1 - z/2 */
    cosine = fast_two_sum(cosine.h, fma(z * z, c, fnma(r.h, r.l, lost)));

    V pairs = fma(n, K(0.5), K(MAGIC)) - K(MAGIC), odd = n - (pairs + pairs); /* 0, or +-1 by the tie */
    V halves = (n - abs(odd)) * K(0.5), turns = fma(halves, K(0.5), K(MAGIC)) - K(MAGIC);
    M is_odd = eq(abs(odd), K(1)), is_half = eq(abs(halves - (turns + turns)), K(1));
    V sign = sel(is_half, K(-1), K(1)), cosine_sign = sel(is_odd, -sign, sign);
    sine_cosine o;
    o.sin = scaled_pair(sel_pair(is_odd, cosine, sine), sign);
    o.cos = scaled_pair(sel_pair(is_odd, sine, cosine), cosine_sign);
    return o;
}
/* for who asks for sine and cosine, and twice: 5 KB less of a wheel, for a tenth of snake's time */
static OUT_OF_LINE sine_cosine called_sincos(V x, V rest, V j) { return sincos_of_scaled(x, rest, j); }
static INLINE sine_cosine sincos_of(V x, V rest) { return sincos_of_scaled(x, rest, K(0)); }
