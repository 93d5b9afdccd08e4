/* environment.h - the floating-point environment that kernels run in. */
#ifndef ACTC_ENVIRONMENT_H
#define ACTC_ENVIRONMENT_H

#include "internal.h"

#if ACTC_HAS_X86_UNITS
#include <xmmintrin.h>
#endif

/* Kernels are right in the default floating-point environment: round to nearest, subnormals kept, no traps. A caller who
   lives in another one gets it back, status flags included: NumPy looks at them after loops that needed a cast, and
   would warn. (On a processor that is not here the caller's environment stands: to ask, it would take libm.) */
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
#elif defined(__GNUC__) && (defined(__riscv_flen) || defined(__powerpc64__) || defined(__s390x__))
/* one register, all 0 by default */
#if defined(__riscv_flen)
typedef unsigned long environment;
#define READ_ENVIRONMENT(e) __asm__ volatile("frcsr %0" : "=r"(e))
#define WRITE_ENVIRONMENT(e) __asm__ volatile("fscsr %0" : : "r"(e))
#elif defined(__powerpc64__)
typedef double environment; /* its bits */
#define READ_ENVIRONMENT(e) __asm__ volatile("mffs %0" : "=d"(e))
#define WRITE_ENVIRONMENT(e) __asm__ volatile("mtfsf 255, %0" : : "d"(e))
#else
typedef unsigned environment;
#define READ_ENVIRONMENT(e) __asm__ volatile("efpc %0" : "=d"(e))
#define WRITE_ENVIRONMENT(e) __asm__ volatile("sfpc %0" : : "d"(e))
#endif
static inline void leave(environment before) { WRITE_ENVIRONMENT(before); }
static inline environment enter(void)
{
    environment before;
    READ_ENVIRONMENT(before);
    leave(0);
    return before;
}
#else
typedef int environment;
static inline environment enter(void) { return 0; }
static inline void leave(environment before) { (void)before; }
#endif

#endif
