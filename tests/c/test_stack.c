/* test_stack.c - how much of a thread's stack each entry takes, which is all the memory that the library has: not more than
   docs/embed.md tells those who make their own stacks. Measured on a stack that was painted before. POSIX. */
#define _DEFAULT_SOURCE
#include "operations.h"

#include <pthread.h>

enum { STACK = 1 << 19, PAINT = 0x5a, LONGEST = 1500, ROOM = 2 * 64 * LONGEST * 8 };
enum kind { DIRECT, STAGED, OF_ROWS, OF_CHANNELS, KINDS };
static const size_t allowed[KINDS] = {20 << 10, 110 << 10, 160 << 10, 150 << 10};
static const char *const kind_name[KINDS] = {"direct", "blocks", "rows", "channels"};

static char *room[ALL_MAX];
static unsigned char *stack;

static enum kind kind_of(const operation *o)
{
    if (o->family == ROWS) return OF_ROWS;
    if (o->family == CHANNELS) return OF_CHANNELS;
    if (o->family == PHILOX) return DIRECT;
    if (o->dtype == ACTC_F32 && !strcmp(operation_name(o), "sinc")) return STAGED; /* by doubles */
    if (o->family > ROWS || o->tier || o->dtype < ACTC_F32 || o->varies) return STAGED;
    return o->pass == ACTC_PARAMETER_BACKWARD || o->pass == ACTC_SECOND_DERIVATIVE ? STAGED : DIRECT;
}

static void *run(void *o)
{
    if (o) perform(o, 0, ((operation *)o)->length);
    return NULL;
}
/* bytes from the first that is not paint to the top, once `o`, or nothing, was computed on it */
static size_t used_by(operation *o)
{
    pthread_t thread;
    pthread_attr_t attributes;
    size_t unused = 0;
    memset(stack, PAINT, STACK);
    if (pthread_attr_init(&attributes) || pthread_attr_setstack(&attributes, stack, STACK) ||
        pthread_create(&thread, &attributes, run, o) || pthread_join(thread, NULL))
        abort();
    pthread_attr_destroy(&attributes);
    while (unused < STACK && stack[unused] == PAINT) unused++;
    return STACK - unused;
}

/* rows whose elements are neighbours, or that are neighbours themselves */
static void lay_out(operation *o, int across)
{
    size_t count;
    const actc_parameter *parameters = parameters_of(o, &count);
    for (int k = 0; k < o->count; k++) {
        operand *a = &o->all[k];
        set_contiguous(a, room[k]);
        if (across) a->inner = (ptrdiff_t)(item_size[a->dtype] * a->rows), a->outer = (ptrdiff_t)item_size[a->dtype];
        for (size_t e = 0; e < elements_of(a) && !a->is_output; e++) {
            const size_t p = (size_t)(k - o->inputs);
            if (k < o->inputs)
                set_bits_at(a->dtype, room[k], e, input(a->dtype, hash(e, (uint64_t)k) % (DIRECTED + 150)));
            else
                set_bits_at(
                    ACTC_F64, room[k], e,
                    double_bits(o->varies || p >= count ? other_parameter(1 + e % 7, p) : parameters[p].default_value));
        }
    }
}

int main(void)
{
    static const size_t shapes[][2] = {{1, LONGEST}, {100, 10}, {10, 150}, {64, LONGEST}}; /* rows, elements of each */
    size_t most[KINDS] = {0}, nothing;
    void *memory;
    if (posix_memalign(&memory, 1 << 16, STACK)) abort();
    stack = memory;
    for (int k = 0; k < ALL_MAX; k++)
        if (!(room[k] = malloc(ROOM))) abort();
    actc_isa();
    nothing = used_by(NULL);
    for (int f = 0; f < FAMILIES; f++)
        for (size_t i = 0; i < family_count((enum family)f) * TIER_COUNT * ACTC_DTYPE_COUNT * ACTC_PASS_COUNT; i++) {
            operation o;
            memset(&o, 0, sizeof o);
            o.family = (enum family)f, o.channels = 5, o.run = 3, o.hinges = 3, o.upper = 1;
            o.pass = (int)(i % ACTC_PASS_COUNT), o.dtype = (int)(i / ACTC_PASS_COUNT % ACTC_DTYPE_COUNT);
            o.tier = (int)(i / (ACTC_PASS_COUNT * ACTC_DTYPE_COUNT) % TIER_COUNT);
            o.index = i / (ACTC_PASS_COUNT * ACTC_DTYPE_COUNT * TIER_COUNT);
            begin_check();
            for (size_t s = 0; s < (f == ROWS ? sizeof shapes / sizeof shapes[0] : 1); s++)
                for (int way = 0; way < 2; way++) { /* of rows, how they lie; of others, whether parameters vary */
                    o.rows = shapes[s][0], o.length = shapes[s][1], o.varies = f != ROWS && way;
                    if (!describe(&o)) continue;
                    lay_out(&o, f == ROWS && way);
                    const enum kind kind = kind_of(&o);
                    const size_t used = used_by(&o) - nothing;
                    if (used > most[kind]) most[kind] = used;
                    if (used <= allowed[kind] || !another_line()) continue;
                    printf("FAIL %lu bytes of stack:", (unsigned long)used);
                    print_operation(&o);
                    printf("\n");
                }
        }
    for (int k = 0; k < KINDS; k++) printf("%s: %lu bytes of stack\n", kind_name[k], (unsigned long)most[k]);
    return summary("test_stack");
}
