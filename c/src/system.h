/* system.h - all that libactc wants of the C library: memory moves, strcmp and getenv. In a freestanding environment
   (-ffreestanding) it is memcpy, memmove and memset alone, which compilers call by themselves and every such environment
   has; there is no ACTC_ISA then. */
#ifndef ACTC_SYSTEM_H
#define ACTC_SYSTEM_H

#if !defined(__STDC_HOSTED__) || __STDC_HOSTED__
#include <math.h> /* INFINITY, NAN */
#include <stdlib.h>
#include <string.h>
#else
#include <stddef.h>
#define INFINITY __builtin_inff()
#define NAN __builtin_nanf("")
#define memcpy __builtin_memcpy
#define memmove __builtin_memmove
#define memset __builtin_memset
/* of the C library's types: some intrinsics' headers bring <stdlib.h> along */
#define strcmp compare_strings
#define getenv no_environment
static inline int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b) a++, b++;
    return (unsigned char)*a - (unsigned char)*b;
}
static inline char *getenv(const char *name) { return (void)name, NULL; }
#endif

#endif
