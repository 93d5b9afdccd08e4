/* storage.h - how memory becomes reals and back. Kernels see one real type; the other dtypes are staged through blocks
   of it, and every result is rounded once. Plain loops: compilers vectorise them, and a missed one costs only time. */

static INLINE double f64_bits(uint64_t b)
{
    union { uint64_t b; double v; } w = {b};
    return w.v;
}
static INLINE uint64_t bits_f64(double v)
{
    union { double v; uint64_t b; } w = {v};
    return w.b;
}

static INLINE REAL from_f32(float v) { return v; }
static INLINE float to_f32(REAL v) { return (float)v; }

/* COPY(from type at stride, to type at stride) with the contiguous case apart, for the compiler to vectorise */
#define STRIDED(dtype, type)                                                                                           \
    static void read_##dtype(const char *from, ptrdiff_t stride, void *reals, size_t n)                                \
    {                                                                                                                  \
        REAL *to = reals;                                                                                              \
        const type *all = (const type *)from;                                                                          \
        if (stride == (ptrdiff_t)sizeof(type))                                                                         \
            for (size_t i = 0; i < n; i++) to[i] = from_##dtype(all[i]);                                               \
        else                                                                                                           \
            for (size_t i = 0; i < n; i++) to[i] = from_##dtype(*(const type *)(from + (ptrdiff_t)i * stride));        \
    }                                                                                                                  \
    static void write_##dtype(const void *reals, char *to, ptrdiff_t stride, size_t n)                                 \
    {                                                                                                                  \
        const REAL *from = reals;                                                                                      \
        type *all = (type *)to;                                                                                        \
        if (stride == (ptrdiff_t)sizeof(type))                                                                         \
            for (size_t i = 0; i < n; i++) all[i] = to_##dtype(from[i]);                                               \
        else                                                                                                           \
            for (size_t i = 0; i < n; i++) *(type *)(to + (ptrdiff_t)i * stride) = to_##dtype(from[i]);                \
    }

STRIDED(f32, float)

static void split(const char *doubles, ptrdiff_t stride, void *high, void *low, size_t n)
{
    REAL *h = high, *l = low;
    for (size_t i = 0; i < n; i++) {
        double v = *(const double *)(doubles + (ptrdiff_t)i * stride);
        h[i] = (REAL)v;
        l[i] = (REAL)(v - h[i]);
    }
}

#if DOUBLE
static INLINE double from_f64(double v) { return v; }
static INLINE double to_f64(double v) { return v; }

/* The exponent and fraction of a binary16 become a double's; scaling by 2^1008 corrects the bias, subnormals too. */
static INLINE double from_f16(uint16_t h)
{
    uint64_t magnitude = h & 0x7FFF, sign = (uint64_t)(h & 0x8000) << 48;
    double v = f64_bits(magnitude << 42) * 0x1p1008;
    uint64_t special = magnitude >= 0x7C00 ? 0x7FF0000000000000 | magnitude << 42 : bits_f64(v);
    return f64_bits(special | sign);
}
static INLINE double from_bf16(uint16_t h)
{
    union { uint32_t b; float v; } w = {(uint32_t)h << 16};
    return w.v;
}

/* v rounded to `bits` significant bits, or to a multiple of `least` where that is coarser, to nearest even: adding
   and subtracting 1.5 2^52 units in the last place makes the processor's own rounding do it. */
static INLINE double rounded(double v, int bits, double least)
{
    double power = f64_bits(bits_f64(v) & 0x7FF0000000000000), unit = power * f64_bits((uint64_t)(1024 - bits) << 52);
    unit = (unit > least ? unit : least) * 0x1.8p52;
    double r = (v + unit) - unit;
    return f64_bits((power < 0x1p200 ? bits_f64(r) : bits_f64(v)) | (bits_f64(v) & SIGN));
}
#define F16(v) rounded(v, 11, 0x1p-24)
#define BF16(v) rounded(v, 8, 0x1p-133)

static INLINE uint16_t to_f16(double v)
{
    uint64_t b = bits_f64(v), magnitude = b & ~SIGN;
    double r = f64_bits(bits_f64(F16(v)) & ~SIGN);
    uint64_t h = bits_f64((r < 0x1p16 ? r : 0x1p16) * 0x1p-1008) >> 42;
    h = magnitude > 0x7FF0000000000000 ? 0x7E00 | (magnitude >> 42 & 0x1FF) : h;
    return (uint16_t)(h | b >> 63 << 15);
}
static INLINE uint16_t to_bf16(double v)
{
    uint64_t b = bits_f64(v), magnitude = b & ~SIGN;
    union { float v; uint32_t b; } w = {(float)BF16(v)};
    uint32_t h = magnitude > 0x7FF0000000000000 ? (uint32_t)(0x7FC0 | (magnitude >> 45 & 0x3F) | b >> 63 << 15) : w.b >> 16;
    return (uint16_t)h;
}

STRIDED(f64, double)
STRIDED(f16, uint16_t)
STRIDED(bf16, uint16_t)

/* Doubtful: a change by 2^-48, far more than the double kernels err, or by `absolute` (near a zero of f'), would
   round differently. Then the pairs decide. */
#define DOUBTFUL(dtype, to)                                                                                            \
    static int doubtful_##dtype(const void *reals, size_t n, double absolute)                                          \
    {                                                                                                                  \
        const double *v = reals;                                                                                       \
        int found = 0;                                                                                                 \
        for (size_t i = 0; i < n; i++) {                                                                               \
            double delta = v[i] * 0x1p-48, low = v[i] - delta - absolute, high = v[i] + delta + absolute;              \
            found |= to(low) < to(high) || to(low) > to(high);                                                         \
        }                                                                                                              \
        return found;                                                                                                  \
    }
DOUBTFUL(f16, F16)
DOUBTFUL(bf16, BF16)
DOUBTFUL(f32, to_f32)
#endif
