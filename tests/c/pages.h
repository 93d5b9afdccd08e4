/* pages.h - memory between two pages that nobody may touch: who leaves an operand is caught in the act. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* room for `size` bytes; where pages are so large that it cannot end at one, the program says so and is done */
static char *room_between_pages(const char *program, size_t size)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (size % page) {
        printf("%s: pages of %lu bytes, skipped\n", program, (unsigned long)page);
        exit(EXIT_SUCCESS);
    }
    char *all = mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED || mprotect(all + page, size, PROT_READ | PROT_WRITE)) abort();
    return all + page;
}
