/* parameters.h - the parameters of a row, NONE, ONE(name, default), TWO(..) .., as C: how many, their structures, their
   values in a function that has them as arguments. */
#ifndef ACTC_PARAMETERS_H
#define ACTC_PARAMETERS_H

#define COUNT_NONE 0
#define COUNT_ONE(...) 1
#define COUNT_TWO(...) 2
#define COUNT_THREE(...) 3
#define COUNT_FOUR(...) 4

#define PARAMETERS_NONE                                                                                                \
    {                                                                                                                  \
        {                                                                                                              \
            NULL, 0                                                                                                    \
        }                                                                                                              \
    }
#define PARAMETERS_ONE(a, a0)                                                                                          \
    {                                                                                                                  \
        {                                                                                                              \
#a, a0                                                                                                     \
        }                                                                                                              \
    }
#define PARAMETERS_TWO(a, a0, b, b0)                                                                                   \
    {                                                                                                                  \
        {#a, a0}, { #b, b0 }                                                                                           \
    }
#define PARAMETERS_THREE(a, a0, b, b0, c, c0)                                                                          \
    {                                                                                                                  \
        {#a, a0}, {#b, b0}, { #c, c0 }                                                                                 \
    }
#define PARAMETERS_FOUR(a, a0, b, b0, c, c0, d, d0)                                                                    \
    {                                                                                                                  \
        {#a, a0}, {#b, b0}, {#c, c0}, { #d, d0 }                                                                       \
    }

#define VALUES_NONE                                                                                                    \
    {                                                                                                                  \
        0                                                                                                              \
    }
#define VALUES_ONE(a, a0)                                                                                              \
    {                                                                                                                  \
        a                                                                                                              \
    }
#define VALUES_TWO(a, a0, b, b0)                                                                                       \
    {                                                                                                                  \
        a, b                                                                                                           \
    }
#define VALUES_THREE(a, a0, b, b0, c, c0)                                                                              \
    {                                                                                                                  \
        a, b, c                                                                                                        \
    }
#define VALUES_FOUR(a, a0, b, b0, c, c0, d, d0)                                                                        \
    {                                                                                                                  \
        a, b, c, d                                                                                                     \
    }

/* What is said of a function that is in no table of elementwise ones, in the same words. */
#define ABOUT(row, ...)                                                                                                \
    &(const actc_activation)                                                                                           \
    {                                                                                                                  \
        .struct_size = sizeof(actc_activation), .name = #row, .unique_name = #row, .index = (size_t)-1, .special = "", \
        __VA_ARGS__                                                                                                    \
    }

/* Whether the float unit can hold a parameter as the sum of floats with nothing lost to overflow or underflow. The largest
   float times the second one must be finite, for at infinity bodies multiply them, and e^140 times the least parameter
   infinite, for there celu's exponentials end. */
#define FLOATS_FROM 0x1p-72
#define FLOATS_TO 0x1p24
static inline int fits_float(double p)
{
    double a = p < 0 ? -p : p;
    return p == 0 || (a > FLOATS_FROM && a < FLOATS_TO);
}

#endif
