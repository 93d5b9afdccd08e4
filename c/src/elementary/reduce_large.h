/* reduce_large.h - an angle of any size modulo pi/2, in integers: Payne and Hanek 1983. Only the digits of 2/pi around the
   exponent of x matter. */

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

/* x 2^j = (n + f) pi/2, f = high + low, |f| <= 1/2, for |x 2^j| >= 2^-8 and 0 <= j <= 1000 */
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
