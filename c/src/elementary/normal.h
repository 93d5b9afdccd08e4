/* normal.h - the normal distribution's lower tail without cancellation: for a >= 0 and w = (a - 4)/(a + 4)

     a Phi(-a)          = e^(-a^2/2) P(w) (1 + w),   1 + w = 2a/(a + 4), or Phi(-a) = 2 e^(-a^2/2) P(w)/(a + 4)
     Phi(-a) - a phi(a) = e^(-a^2/2) T(w) (a0 - a)

   P and T are smooth and positive on the whole half line; a0 is the one zero of the second quantity. Writing it as
   Phi(-a) - a phi(a) loses 5 ULP around a0, and so does one polynomial through the zero.
   Coefficients: tools/coefficients/normal.sollya (relative error 2^-25.7 and 2^-25.9 float, 2^-54.9 and 2^-56.2
   double). */

/* e^(-a^2/2) underflows even after multiplication with the largest number (EXP_LIMIT) */
#define NORMAL_LIMIT C(20.2f, 54.5)

/* c + p w, the last step of Horner's rule, with what it rounds off */
static INLINE pair last_step(V p, V w, V c)
{
    V h = fma(p, w, c);
    pair s = {h, fma(p, w, c - h)};
    return s;
}

static INLINE pair normal_tail(V w)
{
#if DOUBLE
    V p = K(-0x1.3e6888ff49c91p-32);
    p = fma(p, w, K(-0x1.33e34988aeb2bp-30));
    p = fma(p, w, K(0x1.9ce9e855bd357p-31));
    p = fma(p, w, K(0x1.3f67c1518235p-27));
    p = fma(p, w, K(0x1.d6a2f1cc4f23ep-28));
    p = fma(p, w, K(-0x1.67ead0256667p-25));
    p = fma(p, w, K(-0x1.4d00ab811b141p-24));
    p = fma(p, w, K(0x1.2255bdcb0f0bfp-23));
    p = fma(p, w, K(0x1.122f7a40b151dp-21));
    p = fma(p, w, K(-0x1.51a94b7eed773p-22));
    p = fma(p, w, K(-0x1.8d497f5deb49cp-19));
    p = fma(p, w, K(0x1.809f6e1c1c6a7p-22));
    p = fma(p, w, K(0x1.26d084687fce4p-16));
    p = fma(p, w, K(-0x1.001d8ab0c239fp-20));
    p = fma(p, w, K(-0x1.e4a424412cdc9p-14));
    p = fma(p, w, K(0x1.17a4ae06f708dp-14));
    p = fma(p, w, K(0x1.ab825fbc50cb6p-11));
    p = fma(p, w, K(-0x1.c81719d5c4a16p-10));
    p = fma(p, w, K(-0x1.ee2761046c453p-9));
    p = fma(p, w, K(0x1.eec4cc3e4e7aap-6));
    p = fma(p, w, K(-0x1.7dff2bff683dap-4));
    p = fma(p, w, K(0x1.8c6dbf2cfc293p-3));
    p = fma(p, w, K(-0x1.373e3a893c28ap-2));
    return last_step(p, w, K(0x1.82b4bb8c94dcep-2));
#else
    V p = K(-0x1.1c7da2p-16f);
    p = fma(p, w, K(-0x1.97c4bep-14f));
    p = fma(p, w, K(0x1.74c02p-14f));
    p = fma(p, w, K(0x1.a784c4p-11f));
    p = fma(p, w, K(-0x1.cb1242p-10f));
    p = fma(p, w, K(-0x1.edf406p-9f));
    p = fma(p, w, K(0x1.eecfb6p-6f));
    p = fma(p, w, K(-0x1.7dff58p-4f));
    p = fma(p, w, K(0x1.8c6d9ep-3f));
    p = fma(p, w, K(-0x1.373e3ap-2f));
    return last_step(p, w, K(0x1.82b4bcp-2f));
#endif
}

static INLINE pair normal_tail_minus_density(V w)
{
#if DOUBLE
    V p = K(0x1.f53e8081b46bfp-37);
    p = fma(p, w, K(0x1.7abbc351f8907p-40));
    p = fma(p, w, K(-0x1.6d0a11ea7fe74p-33));
    p = fma(p, w, K(-0x1.7ba4aad526656p-33));
    p = fma(p, w, K(0x1.bb2441b8b151p-31));
    p = fma(p, w, K(0x1.eb865344ab38ep-30));
    p = fma(p, w, K(-0x1.240bc3b5a8656p-29));
    p = fma(p, w, K(-0x1.8cc9aac33a1e6p-27));
    p = fma(p, w, K(-0x1.e3c2b3d66cecep-32));
    p = fma(p, w, K(0x1.10923c81600dep-24));
    p = fma(p, w, K(0x1.c0b3ddfaf8f63p-25));
    p = fma(p, w, K(-0x1.77439c7c3f689p-22));
    p = fma(p, w, K(-0x1.0833bb554faadp-21));
    p = fma(p, w, K(0x1.29882b54a2da9p-19));
    p = fma(p, w, K(0x1.dafb4c4afac1dp-19));
    p = fma(p, w, K(-0x1.2e938565e54cbp-16));
    p = fma(p, w, K(-0x1.25380e7bb299ap-16));
    p = fma(p, w, K(0x1.85999c4203652p-13));
    p = fma(p, w, K(-0x1.443f63ef23d5ep-13));
    p = fma(p, w, K(-0x1.d4c8222ad01c9p-10));
    p = fma(p, w, K(0x1.37754d816f1cep-7));
    p = fma(p, w, K(-0x1.cc1e2623d90bdp-6));
    p = fma(p, w, K(0x1.ef4ff80137937p-5));
    p = fma(p, w, K(-0x1.a763001ac67dep-4));
    return last_step(p, w, K(0x1.d94de78425463p-2));
#else
    V p = K(0x1.b7ca02p-21f);
    p = fma(p, w, K(-0x1.b5da82p-17f));
    p = fma(p, w, K(-0x1.7501bap-17f));
    p = fma(p, w, K(0x1.7ecfccp-13f));
    p = fma(p, w, K(-0x1.4e963ep-13f));
    p = fma(p, w, K(-0x1.d4951cp-10f));
    p = fma(p, w, K(0x1.378282p-7f));
    p = fma(p, w, K(-0x1.cc1e62p-6f));
    p = fma(p, w, K(0x1.ef4f8cp-5f));
    p = fma(p, w, K(-0x1.a763p-4f));
    return last_step(p, w, K(0x1.d94de8p-2f));
#endif
}

/* a0 - a */
static INLINE pair normal_zero_minus(V a)
{
    pair d = two_sum(K(C(0x1.80ead2p-1f, 0x1.80ead197f00b4p-1)), -a);
    d.l = d.l + K(C(-0x1.a03fd4p-27f, -0x1.13e74c58cada8p-56));
    return d;
}
