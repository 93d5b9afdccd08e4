/* test_older.c - a program compiled against an older header (tests/c/older) and run with the library of today. The table
   has grown, its rows have become longer, their order is another one, and there are more passes: nothing of that may
   matter. Every flat symbol of the older table is called and compared with actc_apply. */
#include "actc.h"
#include <stdio.h>
#include <string.h>

static int failed;
static void expect(int is_so, const char *name, const char *what)
{
    if (is_so) return;
    failed++;
    printf("FAIL %s: %s\n", name, what);
}

/* The row that today's library has by a name of the older header. */
static const actc_activation *row_of(const char *name)
{
    const actc_activation *row = actc_find(name);
    expect(row != NULL, name, "is gone");
    if (!row) return NULL;
    expect(row->struct_size >= sizeof *row, name, "is shorter than it was");
    expect(!strcmp(row->name, name), name, "has another name");
    expect(actc_at(row->index) == row, name, "is not at its index");
    for (size_t i = 0; i < row->parameter_count; i++)
        expect(row->parameters[i].name[0] != 0, name, "has a parameter without name");
    const char *texts[] = {row->unique_name, row->formula, row->derivative, row->range,    row->limits,
                           row->kink,        row->zeros,   row->reference,  row->elsewhere};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) expect(texts[i] != NULL, name, "has no text");
    expect(row->exact_f64_is_paired == 0 || row->exact_f64_is_paired == 1, name, "has a flag of another value");
    return row;
}

enum { N = 9 };
static const float x[N] = {-100, -3, -1, -0.5f, 0, 0.5f, 1, 3, 100}, g[N] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

static void same(const char *name, const actc_activation *row, int pass, const float *flat, const double *values)
{
    float y[N], second[N];
    const void *in[] = {x, NULL};
    void *out[] = {y, second};
    if ((pass & ~ACTC_EXACT) == ACTC_BACKWARD) in[0] = g, in[1] = x;
    expect(actc_apply(row, (enum actc_pass)pass, ACTC_F32, in, out, N, values) == 0, name, "refuses a pass");
    expect(!memcmp(y, flat, sizeof y), name, "differs from actc_apply");
}

#define GIVE_NONE
#define GIVE_ONE(a, a0) , a0
#define GIVE_TWO(a, a0, b, b0) , a0, b0
#define GIVE_THREE(a, a0, b, b0, c, c0) , a0, b0, c0
#define GIVE_FOUR(a, a0, b, b0, c, c0, d, d0) , a0, b0, c0, d0

/* parameters at the older header's defaults */
#define VALUES_NONE                                                                                                    \
    {                                                                                                                  \
        0                                                                                                              \
    }
#define VALUES_ONE(a, a0)                                                                                              \
    {                                                                                                                  \
        a0                                                                                                             \
    }
#define VALUES_TWO(a, a0, b, b0)                                                                                       \
    {                                                                                                                  \
        a0, b0                                                                                                         \
    }
#define VALUES_THREE(a, a0, b, b0, c, c0)                                                                              \
    {                                                                                                                  \
        a0, b0, c0                                                                                                     \
    }
#define VALUES_FOUR(a, a0, b, b0, c, c0, d, d0)                                                                        \
    {                                                                                                                  \
        a0, b0, c0, d0                                                                                                 \
    }

#define TRY(symbol, name, tier, parameters)                                                                            \
    {                                                                                                                  \
        const double values[] = VALUES_##parameters;                                                                   \
        float y[N], d[N];                                                                                              \
        symbol##_f32(x, y, N GIVE_##parameters);                                                                       \
        same(#name, row, ACTC_FORWARD | (tier), y, values);                                                            \
        symbol##_derivative_f32(x, y, N GIVE_##parameters);                                                            \
        same(#name, row, ACTC_DERIVATIVE | (tier), y, values);                                                         \
        symbol##_backward_f32(g, x, y, N GIVE_##parameters);                                                           \
        same(#name, row, ACTC_BACKWARD | (tier), y, values);                                                           \
        symbol##_value_and_derivative_f32(x, y, d, N GIVE_##parameters);                                               \
        same(#name, row, ACTC_VALUE_AND_DERIVATIVE | (tier), y, values);                                               \
    }

int main(void)
{
    size_t count = 0;
    const actc_activation *row;
#define ROW(name, parameters, ...)                                                                                     \
    if ((row = row_of(#name))) {                                                                                       \
        count++;                                                                                                       \
        TRY(actc_##name, name, 0, parameters)                                                                          \
        TRY(actc_exact_##name, name, ACTC_EXACT, parameters)                                                           \
    }
#include "actc/activations.def"
#undef ROW
    expect(actc_count() > count, "the table", "has not grown since: this tests nothing");
    if (actc_count()) expect(actc_at(0)->struct_size > sizeof *row, "the row", "has not grown since");
    expect(actc_at(actc_count()) == NULL, "the table", "has no end");
    expect(actc_find("no such function") == NULL, "the table", "has what it has not");
    printf("%lu rows of the older header, %lu of the library, %d failures\n", (unsigned long)count,
           (unsigned long)actc_count(), failed);
    return failed != 0;
}
