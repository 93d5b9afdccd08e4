/* failing_malloc.c - an allocator that refuses, and counts: preloaded by tests/test_memory.py. For glibc. */
#include <errno.h>
#include <stddef.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static __thread long left, failing; /* allocations of this thread until some fail (0: none will), and how many will */
static long blocks;                 /* that are in use */

/* The n-th allocation from now on fails, and `count` - 1 after it; n = 0: none. Returns how many were left until then. */
long fail_at(long n, long count)
{
    const long before = left;
    left = n, failing = count;
    return before;
}
long blocks_in_use(void) { return __atomic_load_n(&blocks, __ATOMIC_RELAXED); }

static int fails(void)
{
    if (left == 0 || --left > 0) return 0;
    if (--failing > 0) left = 1;
    errno = ENOMEM;
    return 1;
}
static void *counted(void *p)
{
    if (p) __atomic_fetch_add(&blocks, 1, __ATOMIC_RELAXED);
    return p;
}
void *malloc(size_t n) { return fails() ? NULL : counted(__libc_malloc(n)); }
void *calloc(size_t n, size_t m) { return fails() ? NULL : counted(__libc_calloc(n, m)); }
void *realloc(void *p, size_t n)
{
    if (fails()) return NULL;
    if (!p) return counted(__libc_malloc(n));
    return __libc_realloc(p, n);
}
void *memalign(size_t to, size_t n) { return fails() ? NULL : counted(__libc_memalign(to, n)); }
void *aligned_alloc(size_t to, size_t n) { return memalign(to, n); }
int posix_memalign(void **p, size_t to, size_t n)
{
    void *made = memalign(to, n);
    if (!made) return ENOMEM;
    *p = made;
    return 0;
}
void free(void *p)
{
    if (p) __atomic_fetch_sub(&blocks, 1, __ATOMIC_RELAXED);
    __libc_free(p);
}
