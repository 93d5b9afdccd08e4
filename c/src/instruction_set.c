/* instruction_set.c - which units this processor can run, and which are in use. */
#include "internal.h"
#include "system.h"

#if ACTC_HAS_AVX2 || ACTC_HAS_AVX512
#include <cpuid.h>
#endif

#if ACTC_HAS_SCALAR || ACTC_HAS_GNU || ACTC_HAS_NEON
static int always(void) { return 1; }
#endif

#if ACTC_HAS_AVX2 || ACTC_HAS_AVX512
/* The processor's word alone is not enough: the system must save the registers too (XGETBV). And no
   __builtin_cpu_supports: not every runtime library that clang links with has it. */
static unsigned saved_registers(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) return 0;
    __asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    return a;
}
static int has_avx2(void)
{
    unsigned a, b, c, d;
    if ((saved_registers() & 0x6) != 0x6 || !__get_cpuid(1, &a, &b, &c, &d)) return 0;
    if (!(c & bit_FMA) || !(c & bit_F16C)) return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_AVX2);
}
#endif
#if ACTC_HAS_AVX512
static int has_avx512(void)
{
    const unsigned needed = bit_AVX512F | bit_AVX512DQ | bit_AVX512BW | bit_AVX512VL;
    unsigned a, b, c, d;
    if ((saved_registers() & 0xE6) != 0xE6 || !has_avx2()) return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & needed) == needed;
}
#endif

#define ISA_BESIDE(doubles, name, supported)                                                                           \
    {                                                                                                                  \
#name, supported, &actc_##name##_f32, &actc_##doubles##_f64, &actc_##doubles##_pairs                           \
    }
#define ISA(name, supported) ISA_BESIDE(name, name, supported)
static const isa isas[] = {
#if ACTC_HAS_AVX512
    ISA(avx512, has_avx512),
#endif
#if ACTC_HAS_AVX2
    ISA(avx2, has_avx2),
#endif
#if ACTC_HAS_NEON
    ISA(neon, always),
#endif
#if ACTC_HAS_GNU
    ISA(gnu, always),
#endif
#if ACTC_HAS_SSE2
    ISA_BESIDE(scalar, sse2, always), /* doubles of its own would be 15 % faster, and 78 KB of a wheel */
#endif
#if ACTC_HAS_SCALAR
    ISA(scalar, always),
#endif
};
enum { ISA_COUNT = sizeof isas / sizeof isas[0] };

/* Written once at the first call with the same value by every thread, or by actc_use_isa. */
#if defined(__GNUC__)
static const isa *chosen;
#define READ_CHOSEN() __atomic_load_n(&chosen, __ATOMIC_RELAXED)
#define WRITE_CHOSEN(p) __atomic_store_n(&chosen, p, __ATOMIC_RELAXED)
#else
static const isa *volatile chosen;
#define READ_CHOSEN() chosen
#define WRITE_CHOSEN(p) (chosen = (p))
#endif

static const isa *supported_isa(const char *name)
{
    for (size_t i = 0; i < ISA_COUNT; i++)
        if ((!name || !strcmp(name, isas[i].name)) && isas[i].supported()) return &isas[i];
    return NULL;
}
const isa *actc_current_isa(void)
{
    const isa *now = READ_CHOSEN();
    if (!now) {
        const char *wish = getenv("ACTC_ISA");
        if (wish) now = supported_isa(wish);
        if (!now) now = supported_isa(NULL);
        if (!now) now = &isas[ISA_COUNT - 1]; /* without `scalar`: as promised to the compiler */
        WRITE_CHOSEN(now);
    }
    return now;
}
const char *actc_isa(void) { return actc_current_isa()->name; }
int actc_use_isa(const char *name)
{
    const isa *wish = name ? supported_isa(name) : NULL;
    if (!wish) return -1;
    WRITE_CHOSEN(wish);
    return 0;
}
const char *actc_isa_at(size_t i)
{
    for (size_t k = 0; k < ISA_COUNT; k++)
        if (isas[k].supported() && i-- == 0) return isas[k].name;
    return NULL;
}
