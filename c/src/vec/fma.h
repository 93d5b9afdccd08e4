/* fma.h - one fused multiply-add in IEEE arithmetic where the processor has none: every unit computes with the same
   operations, so every instruction set gives the same bits. Kept out of line, for inlined it made the units that need
   it six times as large and no faster where it matters. */

#if DOUBLE ? defined(FP_FAST_FMA) || defined(__FP_FAST_FMA) : defined(FP_FAST_FMAF) || defined(__FP_FAST_FMAF)
#if DOUBLE
#define fma_one(a, b, c) __builtin_fma(a, b, c)
#else
#define fma_one(a, b, c) __builtin_fmaf(a, b, c)
#endif
#elif defined(HARDWARE_FMA) /* the vector header brings its own */
#else

/* s + e with the last bit of s standing for what lies beyond it, so that a second rounding cannot go wrong */
static INLINE double to_odd(double s, double e)
{
    union { double v; uint64_t b; } w;
    w.v = s;
    if ((e < 0 || e > 0) && !(w.b & 1)) w.b += (e > 0) == (s > 0) ? 1 : (uint64_t)-1;
    return w.v;
}
static INLINE double sum(double a, double b, double *error)
{
    double s = a + b, t = s - a;
    *error = (a - (s - t)) + (b - t);
    return s;
}

#if DOUBLE
/* Boldo and Melquiond 2008, "Emulation of FMA and correctly rounded sums": Dekker's exact product, then a sum whose
   middle term is rounded to odd. Magnitudes that could overflow or underflow inside keep two roundings. */
static INLINE int ordinary(double v)
{
    double a = v < 0 ? -v : v;
    return v == 0 || (a > 0x1p-400 && a < 0x1p400);
}
static OUT_OF_LINE double fma_one(double a, double b, double c)
{
    if (!(ordinary(a) && ordinary(b) && ordinary(c))) return a * b + c;
    double a1 = a * 0x1.000002p27, b1 = b * 0x1.000002p27;
    a1 -= a1 - a, b1 -= b1 - b;
    double a2 = a - a1, b2 = b - b1, p = a * b;
    double e = a2 * b2 - (((p - a1 * b1) - a2 * b1) - a1 * b2), t, v;
    double u = sum(c, e, &t), s = sum(p, u, &v);
    double z, r = sum(v, t, &z);
    return s + to_odd(r, z);
}
#else
/* The product of two floats is exact in double. */
static OUT_OF_LINE float fma_one(float a, float b, float c)
{
    double e, s = sum((double)a * b, c, &e);
    return (float)to_odd(s, e);
}
#endif
#endif
