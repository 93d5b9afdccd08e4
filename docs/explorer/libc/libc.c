#include <stdlib.h>
#include <string.h>

void *memcpy(void *to, const void *from, size_t n) { return __builtin_memcpy(to, from, n); } /* one instruction each */
void *memmove(void *to, const void *from, size_t n) { return __builtin_memmove(to, from, n); }
void *memset(void *to, int c, size_t n) { return __builtin_memset(to, c, n); }
int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b) a++, b++;
    return (unsigned char)*a - (unsigned char)*b;
}
char *getenv(const char *name)
{
    (void)name;
    return 0;
}
