/* sincos.h - sin(x + rest) and cos(x + rest) for every double, as pairs good to 2^-56.

   x = n pi/2 + r. Up to 2^30 r = x - n pi/2 with pi/2 in three parts: with fma the first subtraction is exact (all numbers
   are multiples of 2^-53 below 1), the others are kept as pairs. Beyond, Payne and Hanek 1983: only the digits of 2/pi
   around the exponent of x matter, in integers. Coefficients: tools/coefficients/sincos.sollya (errors 2^-53 and less of
   the terms that follow r and 1 - r^2/2). */
typedef struct {
    pair sin, cos;
} sine_cosine;

/* 2/pi, 2304 bits */
static const uint32_t two_over_pi[72] = {
    0xA2F9836E, 0x4E441529, 0xFC2757D1, 0xF534DDC0, 0xDB629599, 0x3C439041, 0xFE5163AB, 0xDEBBC561, 0xB7246E3A,
    0x424DD2E0, 0x06492EEA, 0x09D1921C, 0xFE1DEB1C, 0xB129A73E, 0xE88235F5, 0x2EBB4484, 0xE99C7026, 0xB45F7E41,
    0x3991D639, 0x835339F4, 0x9C845F8B, 0xBDF9283B, 0x1FF897FF, 0xDE05980F, 0xEF2F118B, 0x5A0A6D1F, 0x6D367ECF,
    0x27CB09B7, 0x4F463F66, 0x9E5FEA2D, 0x7527BAC7, 0xEBE5F17B, 0x3D0739F7, 0x8A5292EA, 0x6BFB5FB1, 0x1F8D5D08,
    0x56033046, 0xFC7B6BAB, 0xF0CFBC20, 0x9AF4361D, 0xA9E39161, 0x5EE61B08, 0x6599855F, 0x14A06840, 0x8DFFD880,
    0x4D732731, 0x06061556, 0xCA73A8C9, 0x60E27BC0, 0x8C6B47C4, 0x19C367CD, 0xDCE8092A, 0x8359C476, 0x8B961CA6,
    0xDDAF44D1, 0x5719053E, 0xA5FF0705, 0x3F7E33E8, 0x32C2DE4F, 0x98327DBB, 0xC33D26EF, 0x6B1E5EF8, 0x9F3A1F35,
    0xCAF27F1D, 0x87F12190, 0x7C7C246A, 0xFA6ED577, 0x2D30433B, 0x15C614B5, 0x9D19C3C2, 0xC4AD414D, 0x2C5D000C};

/* x 2^j = (n + f) pi/2, f = high + low, |f| <= 1/2, for |x 2^j| >= 2^30 and 0 <= j <= 1000 */
static OUT_OF_LINE void reduce_large(double x, int j, double *n, double *high, double *low)
{
    enum { WORDS = 7 };
    const uint64_t b = as_bits(x), m = (b & 0xFFFFFFFFFFFFF) | 0x10000000000000;
    const int e = (int)(b >> 52 & 0x7FF) - 1075 + j, first = e < 2 ? 0 : (e - 2) / 32, shift = e - 32 * first;
    /* the low words of m times 224 bits of 2/pi, most significant first; multiples of 4 overflow */
    uint32_t product[WORDS + 2] = {0};
    for (int half = 0; half < 2; half++) {
        uint64_t carry = 0, factor = half ? m >> 32 : m & 0xFFFFFFFF;
        for (int i = WORDS - 1, k = WORDS + 1 - half; k >= 0; i--, k--) {
            carry += (i >= 0 ? two_over_pi[first + i] * factor : 0) + product[k];
            product[k] = (uint32_t)carry;
            carry >>= 32;
        }
    }
    /* The point stands `shift` bits into the words of 2/pi, which are product[2] and on. Four words after it. */
    const int at = 64 + shift - 2, word = at / 32, bit = at % 32;
    uint32_t f[6];
    for (int i = 0; i < 6; i++) {
        const uint64_t here = word + i < WORDS + 2 ? product[word + i] : 0,
                       next = word + i + 1 < WORDS + 2 ? product[word + i + 1] : 0;
        f[i] = (uint32_t)((here << 32 | next) << bit >> 32);
    }
    int quadrant = (int)(f[0] >> 30);
    const int up = f[0] >> 29 & 1; /* more than a half: the next one, and f - 1 */
    uint32_t carry = (uint32_t)up;
    for (int i = 5; up && i >= 0; i--) {
        f[i] = ~f[i] + carry;
        carry = carry && f[i] == 0;
    }
    f[0] &= 0x3FFFFFFF;
    const double a = f[0] * 0x1p-30, c = f[1] * 0x1p-62, d = f[2] * 0x1p-94, g = f[3] * 0x1p-126, h = f[4] * 0x1p-158;
    double s = a + c, rest = (c - (s - a)) + d, t = s + rest;
    *low = (rest - (t - s)) + (g + h);
    *high = t;
    if (up) *high = -*high, *low = -*low;
    *n = quadrant + up;
    if (x < 0) *n = -*n, *high = -*high, *low = -*low;
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
        double lanes[LANES], js[LANES], ns[LANES], highs[LANES], lows[LANES];
        store(lanes, x);
        store(js, j);
        for (int i = 0; i < LANES; i++) {
            ns[i] = highs[i] = lows[i] = 0;
            if ((abs_one(lanes[i]) > 0x1p30 || js[i] > 0) && lanes[i] != 0 &&
                abs_one(lanes[i]) <= 0x1.fffffffffffffp1023)
                reduce_large(lanes[i], (int)js[i], &ns[i], &highs[i], &lows[i]);
        }
        pair f = {load(highs), load(lows)};
        f = mul(f, constant_pair(0x1.921fb54442d18p0, 0x1.1a62633145c07p-54));
        f = two_sum(f.h, f.l + rest);
        r = sel_pair(large, f, r);
        n = sel(large, load(ns), n);
        r.h = sel(gt(abs(x), K(LARGEST)), x - x, r.h); /* NaN */
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
static INLINE sine_cosine sincos_of(V x, V rest) { return sincos_of_scaled(x, rest, K(0)); }
