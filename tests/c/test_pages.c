/* test_pages.c - nothing is read or written outside the operands, to the byte: they end, or begin, at a page that
   nobody may touch. POSIX. */
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE
#include "cases.h"
#include "pages.h"

#include <signal.h>

enum { LONGEST = 67, REGIONS = OPERANDS_MAX, ROOM = 65536 }; /* a multiple of every page size in use */

/* each region: a page of guard, room, a page of guard */
static char *room[REGIONS];
static test_case now;
static size_t now_n;
static const char *now_where;

static void map_regions(void)
{
    for (int i = 0; i < REGIONS; i++) { room[i] = room_between_pages("test_pages", ROOM); }
}

/* A handler may not print through stdio in general; this one does so once and leaves. */
static void touched(int signal_number)
{
    printf("FAIL signal %d, operands %s a guard page:", signal_number, now_where);
    print_case(&now);
    printf(" n=%lu\n", (unsigned long)now_n);
    fflush(stdout);
    _exit(EXIT_FAILURE);
}

/* n elements of `size` bytes at the end or the beginning of a region */
static char *place(int region, size_t n, size_t size, int at_end)
{
    return room[region] + (at_end ? ROOM - n * size : 0);
}

static void run_one(const test_case *c, size_t n, int at_end, int strided)
{
    const size_t size = item_size[c->dtype];
    const void *in[2];
    void *out[2];
    double *sums;
    char *data[OPERANDS_MAX];
    ptrdiff_t strides[OPERANDS_MAX];
    int k = 0;
    now = *c, now_n = n, now_where = at_end ? "before" : "after";
    for (int i = 0; i < c->inputs; i++, k++) {
        data[k] = place(k, n, size, at_end), strides[k] = (ptrdiff_t)size;
        for (size_t e = 0; e < n; e++) set_bits_at(c->dtype, data[k], e, input(c->dtype, hash(n, e) % 400));
        in[i] = data[k];
    }
    for (size_t j = 0; j < c->row->parameter_count; j++, k++) {
        data[k] = place(k, n, 8, at_end), strides[k] = 8;
        for (size_t e = 0; e < n; e++) memcpy(data[k] + 8 * e, &c->p[j], 8);
    }
    for (int o = 0; o < c->outputs; o++, k++)
        data[k] = place(k, n, size, at_end), strides[k] = (ptrdiff_t)size, out[o] = data[k];
    sums = (double *)(void *)place(REGIONS - 1, c->row->parameter_count, 8, at_end);
    if (!c->outputs)
        for (size_t j = 0; j < c->row->parameter_count; j++, k++) data[k] = (char *)(sums + j), strides[k] = 8;
    if (strided) { /* backwards and with gaps, where there is room */
        if (strided == 2)
            for (int i = 0; i < k; i++) strides[i] = -strides[i], data[i] += n ? (ptrdiff_t)(n - 1) * -strides[i] : 0;
        if (strided == 2 && !c->outputs) /* a sum is one double and has no direction */
            for (size_t j = 0; j < c->row->parameter_count; j++)
                data[k - (int)c->row->parameter_count + (int)j] = (char *)(sums + j);
        actc_apply_strided(c->row, apply_pass(c), (enum actc_dtype)c->dtype, data, strides, n);
    } else {
        c->flat(c->pass, in, out, n, c->p, sums);
    }
}

int main(void)
{
    const char *wish = getenv("ACTC_ISA");
    test_case c;
    map_regions();
    signal(SIGSEGV, touched);
    signal(SIGBUS, touched);
    for (size_t k = 0; actc_isa_at(k); k++) {
        if (wish && strcmp(wish, actc_isa_at(k))) continue;
        actc_use_isa(actc_isa_at(k));
        for_each_case(c)
        {
            checks++;
            for (size_t n = 0; n <= LONGEST; n++)
                for (int at_end = 0; at_end < 2; at_end++)
                    for (int strided = 0; strided < 3; strided++)
                        if (is_tried(n) && (n % 3 == 0 || strided != 2)) run_one(&c, n, at_end, strided);
        }
    }
    return summary("test_pages");
}
