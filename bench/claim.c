/* claim.c - the functions of bench/claim.py as one would write them, an element at a time: what compilers make of an if-else,
 * and what an exponential of the C library costs. */
#include <stddef.h>
#include <tgmath.h>

#define SQRT_2 (T)1.4142135623730951
#define SQRT_2PI (T)2.5066282746310002

#define LOOP(name, type, result)                                                                                       \
    void name(const void *from, void *to, size_t n)                                                                    \
    {                                                                                                                  \
        typedef type T;                                                                                                \
        const T *in = from;                                                                                            \
        T *out = to;                                                                                                   \
        for (size_t i = 0; i < n; i++) {                                                                               \
            T x = in[i];                                                                                               \
            out[i] = (result);                                                                                         \
        }                                                                                                              \
    }
#define FUNCTION(name, value, slope)                                                                                   \
    LOOP(name##_forward_f32, float, value)                                                                             \
    LOOP(name##_forward_f64, double, value)                                                                            \
    LOOP(name##_derivative_f32, float, slope)                                                                          \
    LOOP(name##_derivative_f64, double, slope)

FUNCTION(relu, x > 0 ? x : 0, x > 0 ? 1 : 0)
FUNCTION(leaky_relu, x > 0 ? x : (T)0.01 * x, x > 0 ? 1 : (T)0.01)
FUNCTION(elu, x > 0 ? x : expm1(x), x > 0 ? 1 : exp(x))
FUNCTION(sigmoid, 1 / (1 + exp(-x)), 1 / ((1 + exp(-x)) * (1 + exp(x))))
FUNCTION(tanh, tanh(x), 1 / (cosh(x) * cosh(x)))
FUNCTION(gelu, x *erfc(-x / SQRT_2) / 2, erfc(-x / SQRT_2) / 2 + x * exp(-x * x / 2) / SQRT_2PI)

/* Called through a pointer that no compiler sees through, so that no repetition is optimised away. */
void repeat(void (*f)(const void *, void *, size_t), const void *x, void *y, size_t n, size_t times)
{
    while (times--) f(x, y, n);
}

/* The processor's clock counter, which runs at its nominal frequency whatever the real one is; 0 where there is none. */
unsigned long long ticks(void)
{
#if defined __x86_64__ || defined __i386__
    return __builtin_ia32_rdtsc();
#else
    return 0;
#endif
}
