/* double_double.h - the elementary functions in pairs of doubles, good to 2^-62 or better: polynomials end in double,
   and what weighs more than their last bits is kept in pairs. Coefficients: tools/coefficients/pairs.sollya. */

/* q of e^(u.h + u.l) = 2^k (1 + q): ln 2 in three parts, r^2/2 and the leading coefficient of r^3 in pairs
   (tools/coefficients/pairs.sollya: polynomial error 2^-69.7) */
static INLINE pair exp_pair(pair u, V *k)
{
    *k = fma(u.h, K(0x1.71547652b82fep0), K(MAGIC)) - K(MAGIC);
    V first = fnma(*k, K(0x1.62e42fefa39efp-1), u.h);
    pair second = two_product(-*k, K(0x1.abc9e3b39803fp-56)), r = two_sum(first, second.h);
    r = fast_two_sum(r.h, fma(-*k, K(0x1.7b57a079a1934p-111), second.l) + r.l + u.l);

    V p = K(0x1.c43d63523b266p-37);
    p = fma(p, r.h, K(0x1.61e9d80841ffp-33));
    p = fma(p, r.h, K(0x1.1eda91a3e2f56p-29));
    p = fma(p, r.h, K(0x1.ae640e516e211p-26));
    p = fma(p, r.h, K(0x1.27e5012bad53cp-22));
    p = fma(p, r.h, K(0x1.71de3a62c13e3p-19));
    p = fma(p, r.h, K(0x1.a01a019e7a71bp-16));
    p = fma(p, r.h, K(0x1.a01a01a0176adp-13));
    p = fma(p, r.h, K(0x1.6c16c16c16f89p-10));
    p = fma(p, r.h, K(0x1.1111111111115p-7));
    p = fma(p, r.h, K(0x1.5555555555555p-5));
    pair square = mul(r, r),
         cubic = add(constant_pair(0x1.5555555555555p-3, 0x1.531dec54e375bp-57), two_product(p, r.h));
    cubic = mul(mul(square, r), cubic);
    return add(r, add(scaled_pair(square, K(0.5)), cubic));
}

/* A of log1p.h, for log1p(e) = 2s + 2s z A(z), z = s^2 (error 2^-67.8) */
static INLINE pair atanh_pair(pair z)
{
    V a = K(0x1.378a7cae3bedap-4);
    a = fma(a, z.h, K(0x1.03f413f371797p-5));
    a = fma(a, z.h, K(0x1.97155584ffb64p-5));
    a = fma(a, z.h, K(0x1.ad4cbc6de2d26p-5));
    a = fma(a, z.h, K(0x1.e203d2b28b8e8p-5));
    a = fma(a, z.h, K(0x1.111043f7698a1p-4));
    a = fma(a, z.h, K(0x1.3b13b7901d873p-4));
    a = fma(a, z.h, K(0x1.745d17264d243p-4));
    a = fma(a, z.h, K(0x1.c71c71c778378p-4));
    a = fma(a, z.h, K(0x1.2492492492051p-3));
    a = fma(a, z.h, K(0x1.999999999999cp-3));
    return add(constant_pair(0x1.5555555555555p-2, 0x1.54ed5d483bddp-56), two_product(a, z.h));
}

/* Phi(-a) e^(a^2/2) (a + 4), as normal.h: the last nine coefficients and their sums are pairs (error 2^-72). */
static INLINE pair normal_tail_pair(pair w)
{
    V p = K(0x1.45e1c9fed86a6p-38);
    p = fma(p, w.h, K(0x1.5a96e2c4d0f65p-37));
    p = fma(p, w.h, K(-0x1.42651dc9d200ap-35));
    p = fma(p, w.h, K(-0x1.ef5c38bbbb4a6p-34));
    p = fma(p, w.h, K(0x1.7663646b80a4fp-34));
    p = fma(p, w.h, K(0x1.58c457a67c808p-31));
    p = fma(p, w.h, K(0x1.8a090fae221cfp-32));
    p = fma(p, w.h, K(-0x1.24fdc0bc233acp-29));
    p = fma(p, w.h, K(-0x1.1fd0f5bbebb86p-28));
    p = fma(p, w.h, K(0x1.dade3e5695f67p-29));
    p = fma(p, w.h, K(0x1.81e37a8757cd7p-26));
    p = fma(p, w.h, K(0x1.aca3a69fd9bb8p-27));
    p = fma(p, w.h, K(-0x1.7a7edd73fd83p-24));
    p = fma(p, w.h, K(-0x1.4ca856cdd1d2ap-23));
    p = fma(p, w.h, K(0x1.259a3c737d5cep-22));
    p = fma(p, w.h, K(0x1.1244b1e1392a6p-20));
    p = fma(p, w.h, K(-0x1.52699ebdb63e7p-21));
    p = fma(p, w.h, K(-0x1.8d4db18fc5fb3p-18));
    p = fma(p, w.h, K(0x1.80d92b21b70c8p-21));
    p = fma(p, w.h, K(0x1.26d0b56f8496cp-15));
    p = fma(p, w.h, K(-0x1.002042fd8a3c8p-19));
    p = fma(p, w.h, K(-0x1.e4a426c85b026p-13));
    pair s = single(p);
    s = add(mul(s, w), constant_pair(0x1.17a4af2dec412p-13, -0x1.f4c51d3555818p-69));
    s = add(mul(s, w), constant_pair(0x1.ab825fc5c3db7p-10, 0x1.9ebd19eae7cap-64));
    s = add(mul(s, w), constant_pair(-0x1.c81719d67e83fp-9, -0x1.78760d32c5e88p-63));
    s = add(mul(s, w), constant_pair(-0x1.ee27610491237p-8, 0x1.d63821dd72f18p-64));
    s = add(mul(s, w), constant_pair(0x1.eec4cc3e4deebp-5, -0x1.6fec1ba2985c4p-61));
    s = add(mul(s, w), constant_pair(-0x1.7dff2bff6835ep-3, 0x1.06b4c43f451e3p-57));
    s = add(mul(s, w), constant_pair(0x1.8c6dbf2cfc2aep-2, -0x1.cb7689b4d665p-59));
    s = add(mul(s, w), constant_pair(-0x1.373e3a893c28ap-1, -0x1.cab44f61a9b58p-56));
    s = add(mul(s, w), constant_pair(0x1.82b4bb8c94dcep-1, -0x1.990e098b5252cp-56));
    return s;
}
