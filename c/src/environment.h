/* environment.h - the floating-point environment that kernels run in. */
#ifndef ACTC_ENVIRONMENT_H
#define ACTC_ENVIRONMENT_H

#include "internal.h"

#if ACTC_HAS_X86_UNITS
#include <xmmintrin.h>
#endif

/* Kernels are right in the default floating-point environment: round to nearest, subnormals kept, no traps. A caller who
   lives in another one gets it back, status flags included: NumPy looks at them after loops that needed a cast, and
   would warn. (Elsewhere than on x86 and AArch64 it takes libm to ask, so the caller's environment stands.) */
#if ACTC_HAS_X86_UNITS
typedef unsigned environment;
static inline environment enter(void)
{
    const environment before = _mm_getcsr();
    if ((before & 0xFFC0) != 0x1F80) _mm_setcsr(0x1F80);
    return before;
}
static inline void leave(environment before) { _mm_setcsr(before); }
#elif ACTC_HAS_NEON
typedef struct {
    uint64_t control, status;
} environment;
static inline environment enter(void)
{
    environment before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before.control));
    __asm__ volatile("mrs %0, fpsr" : "=r"(before.status));
    if (before.control & 0x1C89F00) __asm__ volatile("msr fpcr, %0" : : "r"(before.control & ~(uint64_t)0x1C89F00));
    return before;
}
static inline void leave(environment before)
{
    if (before.control & 0x1C89F00) __asm__ volatile("msr fpcr, %0" : : "r"(before.control));
    __asm__ volatile("msr fpsr, %0" : : "r"(before.status));
}
#else
typedef int environment;
static inline environment enter(void) { return 0; }
static inline void leave(environment before) { (void)before; }
#endif

#endif
