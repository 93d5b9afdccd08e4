/* log1p.h - log(1 + e) for 0 <= e <= 1 from s = e/(2 + e): log1p(e) = 2 atanh(s) = 2s + 2s z A(z), z = s^2 <= 1/9.
   Coefficients: tools/coefficients/log1p.sollya (error 2^-25.9 float, 2^-52.3 double). */
static INLINE V atanh_polynomial(V z)
{
#if DOUBLE
    V a = K(0x1.59aecbcd50126p-4);
    a = fma(a, z, K(0x1.a6aa4310721bfp-5));
    a = fma(a, z, K(0x1.148aa6662505p-4));
    a = fma(a, z, K(0x1.3ad7e89fbc29ap-4));
    a = fma(a, z, K(0x1.745f6e17cfc8fp-4));
    a = fma(a, z, K(0x1.c71c64af4f5e8p-4));
    a = fma(a, z, K(0x1.24924936dd5ap-3));
    a = fma(a, z, K(0x1.9999999985f8p-3));
    return fma(a, z, K(0x1.5555555555571p-2));
#else
    V a = K(0x1.1321c2p-3f);
    a = fma(a, z, K(0x1.211cbep-3f));
    a = fma(a, z, K(0x1.99adccp-3f));
    return fma(a, z, K(0x1.55554cp-2f));
#endif
}
