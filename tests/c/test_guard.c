/* test_guard.c - every entry of the library with every operand at a page that nobody may touch, at its end or its
   beginning: nothing outside is read or written, and the results are those of a call in ordinary memory, whatever the
   length, the place and the direction, and in place, by strided entries and flat symbols in turn. Lengths 0 to 257 with
   ACTC_TEST_SAMPLE=full, else some of them, others for each function, pass and type. POSIX. */
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE
#include "flat.h"
#include "pages.h"

#include <signal.h>

enum { LONGEST = 257, ROOM = 1 << 20, REGIONS = ALL_MAX }; /* ROOM: a multiple of every page size in use */
enum where { AT_END, AT_BEGINNING, REVERSED, SECONDS, SECONDS_REVERSED, IN_PLACE, IN_PLACE_AT_BEGINNING, WHERES };
static const char *const where_name[] = {"before a guard page",
                                         "after a guard page",
                                         "reversed",
                                         "every second element",
                                         "every second element, reversed",
                                         "in place, before a guard page",
                                         "in place, after a guard page"};

static char *room[REGIONS]; /* each: a page of guard, room, a page of guard */
static char *plain[REGIONS], *got;
static operation now;
static enum where now_where;

static void map_regions(void)
{
    for (int i = 0; i < REGIONS; i++) {
        room[i] = room_between_pages("test_guard", ROOM);
        plain[i] = malloc(ROOM);
        if (!plain[i]) abort();
    }
    got = malloc(ROOM);
    if (!got) abort();
}

/* A handler may not print through stdio in general; this one does so once and leaves. */
static void touched(int signal_number)
{
    printf("FAIL signal %d, operands %s:", signal_number, where_name[now_where]);
    print_operation(&now);
    printf("\n");
    fflush(stdout);
    _exit(EXIT_FAILURE);
}

static void lay_out(operand *a, int region, enum where where)
{
    ptrdiff_t low, high;
    set_contiguous(a, room[region]);
    if (where == SECONDS || where == SECONDS_REVERSED)
        a->inner *= 2, a->outer *= 2; /* the gap after the last is guard */
    if (where == REVERSED || where == SECONDS_REVERSED) a->inner = -a->inner, a->outer = -a->outer;
    extent(a, &low, &high);
    a->at = where == AT_BEGINNING || where == SECONDS_REVERSED || where == IN_PLACE_AT_BEGINNING
                ? room[region] - low
                : room[region] + ROOM - high;
}

/* The operation with guards, its results compared with those in plain[]. */
static void try_one(const operation *o, enum where where)
{
    int k, taken = 0;
    now = *o, now_where = where;
    for (k = 0; k < o->count; k++) {
        operand *a = &now.all[k];
        const int over = k % (o->inputs ? o->inputs : 1); /* this input, if it has the shape */
        const operand *input = &now.all[over];
        lay_out(a, k, where);
        if (!a->is_output)
            scatter(a, plain[k]);
        else if (where >= IN_PLACE && k >= o->inputs && input->dtype == a->dtype && input->rows == a->rows &&
                 input->length == a->length && !(taken >> over & 1) && !input->is_output)
            *a = *input, a->is_output = 1, taken |= 1 << over;
    }
    if (where >= IN_PLACE && !taken) return;
    if (has_flat(o) && !(where >= REVERSED && where < IN_PLACE) && (o->length + (size_t)where) % 2)
        perform_flat(&now);
    else
        perform(&now, 0, now.length);
    for (k = 0; k < o->count; k++) {
        const operand *a = &now.all[k];
        if (!a->is_output) continue;
        gather(a, got);
        for (size_t e = 0; e < elements_of(a); e++) {
            const uint64_t want = bits_at(a->dtype, plain[k], e), found = bits_at(a->dtype, got, e);
            if (same_bits(a->dtype, want, found) || !another_line()) continue;
            printf("FAIL %s:", where_name[where]);
            print_operation(&now);
            printf(" output=%d element=%lu", k, (unsigned long)e);
            for (int i = 0; i < o->inputs; i++)
                if (e < elements_of(&o->all[i])) print_bits("in", o->dtype, bits_at(o->dtype, plain[i], e));
            print_bits("want", a->dtype, want), print_bits("got", a->dtype, found);
            printf("\n");
        }
    }
}

/* Inputs and a few parameters, by h; the results in ordinary memory, then in all the places up to `last`. */
static void fill_and_try(operation *o, uint64_t h, int last)
{
    size_t count;
    const actc_parameter *parameters = parameters_of(o, &count);
    if (!describe(o)) return;
    for (int k = 0; k < o->count; k++) {
        operand *a = &o->all[k];
        set_contiguous(a, plain[k]);
        for (size_t e = 0; e < elements_of(a) && !a->is_output; e++)
            if (k < o->inputs)
                set_bits_at(a->dtype, plain[k], e, input(a->dtype, hash(h + (size_t)k, e) % (DIRECTED + 150)));
            else /* a few settings over and over */
                set_bits_at(a->dtype, plain[k], e,
                            double_bits(h % 3 && parameters && o->family != CHANNELS
                                            ? parameters[k - o->inputs].default_value
                                            : other_parameter(1 + (h + e) % 7, (uint64_t)(k - o->inputs))));
    }
    if (perform(o, 0, o->length)) expect(0, NULL, "refused: %s %s", family_name[o->family], operation_name(o));
    const enum where other = hash(h, o->dtype * 8 + (size_t)o->pass) & 1 ? SECONDS
                                                                         : SECONDS_REVERSED; /* one is enough */
    for (int where = 0; where < last; where++)
        if (where != (int)other && (where < REVERSED || where >= IN_PLACE || !is_contiguous(o)))
            try_one(o, (enum where)where);
}

/* n elements, or of channels and rows a multiple */
static void try_length(operation *o, size_t n)
{
    const uint64_t h = hash(n, o->index * 8 + (size_t)o->pass);
    o->rows = o->family != ROWS ? 1 : h % 4 ? h % 4 : 15 + h / 4 % 4; /* around the lanes of the widest vector */
    o->channels = 1 + h % 5, o->run = 1 + h / 8 % 80, o->hinges = h % 5;
    o->length = o->family == CHANNELS ? n / 64 * o->channels * o->run : n;
    o->varies = (int)(h >> 20 & 1);
    o->lower = 0.125, o->upper = 0.375, o->key = h, o->first = h >> 7, o->high = 0;
    fill_and_try(o, h, WHERES);
}

/* Rows too long to be staged, and sums over more runs of a channel than one block holds. */
static void try_long(operation *o)
{
    static const size_t longer[] = {8200, 16500};
    if (o->family == CHANNELS && o->pass == ACTC_PARAMETER_BACKWARD) {
        o->channels = 2, o->run = 3, o->length = 6 * 300, o->varies = 0;
        fill_and_try(o, hash(21, o->index), REVERSED);
    }
    for (int i = 0; o->family == ROWS && i < 2; i++) {
        o->rows = 1, o->length = longer[i], o->varies = 0;
        fill_and_try(o, hash(22, o->index), WHERES);
    }
}

/* What there is not is refused, and nothing touched: no operand is there to be. */
static void check_refusals(void)
{
    const void *in[3] = {NULL};
    void *out[PARAMETERS_MAX] = {NULL};
    char *data[ALL_MAX] = {NULL};
    static const ptrdiff_t strides[ALL_MAX] = {0};
    static const double p[PARAMETERS_MAX] = {0};
    const actc_activation *with = NULL, *without = NULL;
    const actc_gate *gate = actc_gate_at(0);
    for (size_t i = 0; i < actc_count(); i++)
        if (actc_at(i)->parameter_count)
            with = actc_at(i);
        else
            without = actc_at(i);
    begin_check();
    for (int k = 0; k < 4; k++) {
        const enum actc_pass pass = (enum actc_pass)(k < 2 ? 6 + 20 * k : 0);
        const enum actc_dtype dtype = (enum actc_dtype)(k < 2 ? ACTC_F32 : k == 2 ? 4 : -1);
        expect(actc_apply(with, pass, dtype, in, out, 8, p) == -1, NULL, "actc_apply");
        expect(actc_apply_strided(with, pass, dtype, data, strides, 8) == -1, NULL, "actc_apply_strided");
        expect(actc_apply_channels(with, pass, dtype, in, out, 8, p, 2, 2) == -1, NULL, "actc_apply_channels");
        expect(actc_gate_apply(gate, pass, dtype, in, out, 8, p) == -1, NULL, "actc_gate_apply");
        expect(actc_gate_apply_strided(gate, pass, dtype, data, strides, 8) == -1, NULL, "actc_gate_apply_strided");
        expect(actc_rrelu_apply(pass, dtype, in, out, 8, 0, 1, 7, 0) == -1, NULL, "actc_rrelu_apply");
        expect(actc_apl_strided(pass, dtype, data, strides, 8, strides, 1) == -1, NULL, "actc_apl_strided");
        for (size_t i = 0; i < actc_row_count(); i++)
            expect(actc_apply_rows(actc_row_at(i), pass, dtype, data, strides, strides, 2, 4) == -1, NULL,
                   "actc_apply_rows");
    }
    expect(actc_apply_channels(without, ACTC_FORWARD, ACTC_F32, in, out, 8, p, 2, 2) == -1, NULL, "no parameters");
    for (int k = 0; k < 4; k++) {
        static const size_t channels[] = {0, 2, 3, 2}, inner[] = {2, 0, 1, 3};
        expect(actc_apply_channels(with, ACTC_FORWARD, ACTC_F32, in, out, 8, p, channels[k], inner[k]) == -1, NULL,
               "8 elements in %lu channels of %lu", (unsigned long)channels[k], (unsigned long)inner[k]);
    }
    expect(actc_gate_apply(gate, ACTC_DERIVATIVE, ACTC_F32, in, out, 8, p) == -1, NULL, "a gate's derivative");
    expect(actc_rrelu_apply(ACTC_SECOND_DERIVATIVE, ACTC_F32, in, out, 8, 0, 1, 7, 0) == -1, NULL, "rrelu''");
    for (size_t i = 0; i < actc_row_count(); i++) {
        const actc_row *row = actc_row_at(i);
        expect(actc_apply_rows(row, ACTC_PARAMETER_BACKWARD, ACTC_F32, data, strides, strides, 2, 4) == -1 &&
                   (row->shape == ACTC_DOUBLED ||
                    actc_apply_rows(row, ACTC_DERIVATIVE, ACTC_F32, data, strides, strides, 2, 4) == -1),
               NULL, "%s: a pass that there is not", row->name);
        expect(actc_apply_rows(row, ACTC_FORWARD, ACTC_F32, data, strides, strides, 0, 4) == 0, NULL, "no rows");
        expect(actc_row_find(row->name) == row, NULL, "%s is not found", row->name);
    }
    for (size_t i = 0; i < actc_gate_count(); i++) { /* parameters that are not given are the defaults */
        const float x[3] = {-0.75f, 3, 9};
        float y[2][3];
        const void *const two[] = {x, x};
        void *const to[2][1] = {{y[0]}, {y[1]}};
        double defaults[PARAMETERS_MAX] = {0};
        for (size_t k = 0; k < actc_gate_at(i)->parameter_count; k++)
            defaults[k] = actc_gate_at(i)->parameters[k].default_value;
        expect(actc_gate_apply(actc_gate_at(i), ACTC_FORWARD, ACTC_F32, two, to[0], 3, NULL) == 0 &&
                   actc_gate_apply(actc_gate_at(i), ACTC_FORWARD, ACTC_F32, two, to[1], 3, defaults) == 0 &&
                   !memcmp(y[0], y[1], sizeof y[0]),
               NULL, "%s: params NULL", actc_gate_at(i)->name);
    }
    for (size_t i = 0; i < actc_gate_count(); i++)
        expect(actc_gate_find(actc_gate_at(i)->name) == actc_gate_at(i) &&
                   actc_gate_find(actc_gate_at(i)->unique_name) == actc_gate_at(i),
               NULL, "%s is not found", actc_gate_at(i)->name);
    expect(!actc_gate_at(actc_gate_count()) && !actc_row_at(actc_row_count()), NULL, "there is one past the last");
    expect(!actc_gate_find("no such gate") && !actc_row_find("no such row"), NULL, "an unknown name is found");
}

/* Inputs at which the library keeps the last word of `exact` float32 in a list: that is what comes, wherever it stands. */
static void check_hard_cases(void)
{
    static const struct {
        const char *name;
        int pass;
        uint32_t input, output;
    } hard[] = {
#define HARD(name, pass, input, output) {#name, pass, input, output},
#include "../../c/src/hard_cases.def"
#undef HARD
    };
    begin_check();
    for (size_t i = 0; i < sizeof hard / sizeof hard[0]; i++) {
        float x[19] = {0}, y[19];
        const void *in[] = {x};
        void *out[] = {y};
        const size_t at = i % 19;
        uint32_t found;
        memcpy(&x[at], &hard[i].input, 4);
        actc_apply(actc_find(hard[i].name), (enum actc_pass)(hard[i].pass | ACTC_EXACT), ACTC_F32, in, out, 19, NULL);
        memcpy(&found, &y[at], 4);
        expect(found == hard[i].output, NULL, "exact %s pass %d at %08lx: %08lx, not %08lx", hard[i].name, hard[i].pass,
               (unsigned long)hard[i].input, (unsigned long)found, (unsigned long)hard[i].output);
    }
}

static int is_tried_here(const operation *o, size_t n)
{
    const uint64_t of_case = hash(20, (o->index * 64 + (size_t)o->pass * 8 + (size_t)(o->tier * 4 + o->dtype)));
    return is_full() || n <= 2 || n % 40 == of_case % 40;
}

int main(void)
{
    const char *wish = getenv("ACTC_ISA");
    map_regions();
    signal(SIGSEGV, touched);
    signal(SIGBUS, touched);
    check_refusals();
    for (size_t k = 0; actc_isa_at(k); k++) {
        if (wish && strcmp(wish, actc_isa_at(k))) continue;
        actc_use_isa(actc_isa_at(k));
        check_hard_cases();
        for (int f = 0; f < FAMILIES; f++)
            for (size_t i = 0; i < family_count((enum family)f) * TIER_COUNT * ACTC_DTYPE_COUNT * ACTC_PASS_COUNT;
                 i++) {
                operation o;
                memset(&o, 0, sizeof o);
                o.family = (enum family)f, o.rows = o.channels = o.run = 1;
                o.pass = (int)(i % ACTC_PASS_COUNT), o.dtype = (int)(i / ACTC_PASS_COUNT % ACTC_DTYPE_COUNT);
                o.tier = (int)(i / (ACTC_PASS_COUNT * ACTC_DTYPE_COUNT) % TIER_COUNT);
                o.index = i / (ACTC_PASS_COUNT * ACTC_DTYPE_COUNT * TIER_COUNT);
                if (!describe(&o)) continue;
                begin_check();
                for (size_t n = 0; n <= LONGEST; n++)
                    if (is_tried_here(&o, n)) try_length(&o, n);
                try_long(&o);
            }
    }
    return summary("test_guard");
}
