/* test_abi.c - the C interface as a user of actc.h sees it, and the promise that an element's bits depend on nothing
   but the element: not on its neighbours, place, memory layout, entry point or instruction set.

     test_abi                 everything, for every instruction set of this machine
     ACTC_ISA=x test_abi      the same for x alone, and x against scalar
     test_abi inputs N        N pseudo-random inputs besides the directed ones (default 400; 65536 meets most halves)
     test_abi isas            the instruction sets of this machine
     test_abi digest          one line per function, tier, dtype and pass with a hash of scalar's results: two machines
                              or compilers agree where these lines do
     test_abi dump NAME       every input and result behind the digest lines of one function, to compare with diff */
#include "cases.h"

enum { GUARD = 64, SHORT = 67, LONG = 600, NEIGHBOURS = 19 };

static size_t inputs = DIRECTED + 400;
static char *x_all[ACTC_DTYPE_COUNT], *g_all[ACTC_DTYPE_COUNT];
static char *scratch[6]; /* each with room for the inputs at wide strides, or sums of each, and guards */

static void allocate(void)
{
    size_t room = inputs < LONG ? LONG : inputs;
    for (int dtype = 0; dtype < ACTC_DTYPE_COUNT; dtype++) {
        x_all[dtype] = malloc(room * item_size[dtype]);
        g_all[dtype] = malloc(room * item_size[dtype]);
        if (!x_all[dtype] || !g_all[dtype]) abort();
        for (size_t i = 0; i < room; i++) {
            set_bits_at(dtype, x_all[dtype], i, input(dtype, i));
            set_bits_at(dtype, g_all[dtype], i, gradient(dtype, i));
        }
    }
    for (int i = 0; i < 6; i++) {
        scratch[i] = malloc(room * PARAMETERS_MAX * sizeof(double) + (SHORT + 1) * 4104 + 2 * GUARD);
        if (!scratch[i]) abort();
    }
}

/* ---- the library and its table ---- */

static void check_strings(const actc_activation *a)
{
    const char *const strings[] = {a->name,      a->unique_name, a->formula,      a->derivative,
                                   a->range,     a->limits,      a->kink,         a->zeros,
                                   a->reference, a->elsewhere,   a->domain,       a->second_derivative,
                                   a->kinks,     a->lipschitz,   a->monotonicity, a->special};
    for (size_t k = 0; k < sizeof strings / sizeof strings[0]; k++)
        expect(strings[k] != NULL, NULL, "string %lu of row %lu is NULL", (unsigned long)k, (unsigned long)a->index);
}

/* What is said of functions that are in no table, which no call takes for one that is. */
static void check_about(const actc_activation *a, const char *name)
{
    const float in[1] = {2};
    float out[1] = {3};
    const void *const from[] = {in};
    void *const to[] = {out};
    begin_check();
    expect(a && !strcmp(a->name, name), NULL, "nothing is said of %s", name);
    if (!a) return;
    check_strings(a);
    expect(a->struct_size == sizeof *a && a->parameter_count == 0, NULL, "%s: struct_size or parameters", name);
    expect(!actc_find(name) && a->index >= actc_count(), NULL, "%s is in the table", name);
    expect(actc_apply(a, ACTC_FORWARD, ACTC_F32, from, to, 1, NULL) == -1 && out[0] == 3, NULL, "%s was applied", name);
}

static void check_table(void)
{
    char version[32];
    begin_check();
    sprintf(version, "%d.%d.%d", ACTC_VERSION_MAJOR, ACTC_VERSION_MINOR, ACTC_VERSION_PATCH);
    expect(!strcmp(actc_version(), ACTC_VERSION), NULL, "actc_version() is %s, the header's %s", actc_version(),
           ACTC_VERSION);
    expect(!strcmp(version, ACTC_VERSION), NULL, "ACTC_VERSION is %s, its parts %s", ACTC_VERSION, version);
    expect(actc_count() == HEADER_ROWS, NULL, "actc_count() is %lu, the header has %d rows",
           (unsigned long)actc_count(), (int)HEADER_ROWS);
    expect(!actc_at(actc_count()) && !actc_at((size_t)-1), NULL, "actc_at() past the last row is not NULL");
    expect(!actc_find("no such function") && !actc_find(""), NULL, "actc_find() of an unknown name is not NULL");
    for (size_t i = 0; i < actc_count(); i++) {
        const actc_activation *a = actc_at(i);
        begin_check();
        expect(a != NULL, NULL, "actc_at(%lu) is NULL", (unsigned long)i);
        if (!a) continue;
        check_strings(a);
        if (!a->name || !a->unique_name) continue;
        expect(a->struct_size == sizeof *a, NULL, "%s: struct_size is %lu, not %lu", a->name,
               (unsigned long)a->struct_size, (unsigned long)sizeof *a);
        expect(a->index == i, NULL, "%s: index is %lu, not %lu", a->name, (unsigned long)a->index, (unsigned long)i);
        expect(actc_find(a->name) == a, NULL, "%s: not found by name", a->name);
        expect(actc_find(a->unique_name) == a, NULL, "%s: not found by unique_name %s", a->name, a->unique_name);
        expect(a->formula && a->formula[0] && a->derivative && a->derivative[0] && a->second_derivative &&
                   a->second_derivative[0],
               NULL, "%s: no formula", a->name);
        expect(a->exact_f64_is_paired == 0 || a->exact_f64_is_paired == 1, NULL, "%s: exact_f64_is_paired", a->name);
        expect(a->gain > 0 && a->derivative_gain > 0, NULL, "%s: no gain (tools/gains.py prints it)", a->name);
        expect(!a->special || !a->special[0] == !a->parameter_count, NULL, "%s: .special is \"%s\"", a->name,
               a->special);
        expect(a->parameter_count <= PARAMETERS_MAX, NULL, "%s: %lu parameters", a->name,
               (unsigned long)a->parameter_count);
        for (size_t k = 0; k < a->parameter_count; k++)
            expect(a->parameters && a->parameters[k].name && a->parameters[k].name[0], NULL,
                   "%s: parameter %lu has no name", a->name, (unsigned long)k);
        for (size_t k = 0; k < i; k++)
            expect(strcmp(actc_at(k)->name, a->name) && strcmp(actc_at(k)->unique_name, a->unique_name), NULL,
                   "rows %lu and %lu are both %s", (unsigned long)k, (unsigned long)i, a->name);
    }
    check_about(actc_apl_about(), "apl");
    for (size_t i = 0; i < actc_row_count(); i++) {
        const actc_row *row = actc_row_at(i);
        if (row->shape == ACTC_DOUBLED)
            check_about(row->about, row->name);
        else
            expect(!row->about, NULL, "%s is no function of elements", row->name);
    }
    for (size_t i = 0; i < HEADER_ROWS; i++) {
        const actc_activation *a = actc_find(header_rows[i].name);
        begin_check();
        expect(a && !strcmp(a->name, header_rows[i].name), NULL, "%s of the header is not in the library",
               header_rows[i].name);
    }
}

static void check_isa(void)
{
    const char *const wish = getenv("ACTC_ISA"), *const first = actc_isa(), *expected = actc_isa_at(0);
    int scalar = 0;
    size_t count = 0;
    begin_check();
    for (; actc_isa_at(count); count++) {
        scalar |= !strcmp(actc_isa_at(count), "scalar");
        if (wish && !strcmp(actc_isa_at(count), wish)) expected = actc_isa_at(count);
    }
    expect(count > 0 && scalar, NULL, "scalar is not among the %lu instruction sets", (unsigned long)count);
    expect(!actc_isa_at(count + 1) && !actc_isa_at((size_t)-1), NULL, "actc_isa_at() past the last is not NULL");
    expect(!strcmp(first, expected), NULL, "actc_isa() is %s at the first call, not %s", first, expected);
    for (size_t i = 0; i < count; i++) {
        expect(actc_use_isa(actc_isa_at(i)) == 0, NULL, "actc_use_isa(%s) failed", actc_isa_at(i));
        expect(!strcmp(actc_isa(), actc_isa_at(i)), NULL, "actc_isa() is %s after actc_use_isa(%s)", actc_isa(),
               actc_isa_at(i));
        expect(actc_use_isa("no such instruction set") == -1 && actc_use_isa("") == -1 && actc_use_isa(NULL) == -1,
               NULL, "actc_use_isa() of an unknown name did not return -1");
        expect(!strcmp(actc_isa(), actc_isa_at(i)), NULL, "actc_use_isa() of an unknown name chose %s", actc_isa());
    }
    actc_use_isa(first);
}

/* ---- one call, with guards around whatever it may write ---- */

static char *guarded(int i, size_t bytes)
{
    memset(scratch[i], 0xA5, bytes + 2 * GUARD);
    return scratch[i] + GUARD;
}
static int intact(int i, size_t bytes)
{
    for (size_t k = 0; k < GUARD; k++)
        if ((unsigned char)scratch[i][k] != 0xA5 || (unsigned char)scratch[i][GUARD + bytes + k] != 0xA5) return 0;
    return 1;
}

/* Through actc_apply or the flat symbol into guarded memory: outputs in result[], sums in sums[]. The start is `shift`
   elements off, so that no alignment but the element's own is left to rely on. */
static void guarded_call(const test_case *c, int flat, const void *const *in, size_t n, size_t shift, void **result,
                         double *sums)
{
    const size_t size = item_size[c->dtype], bytes = (shift + n) * size;
    double guarded_sums[PARAMETERS_MAX + 2];
    for (int i = 0; i < PARAMETERS_MAX + 2; i++) guarded_sums[i] = 12345;
    for (int i = 0; i < 2; i++) result[i] = guarded(i, bytes) + shift * size;
    if (flat)
        c->flat(c->pass, in, result, n, c->p, guarded_sums + 1);
    else
        expect(apply(c, in, result, n, guarded_sums + 1) == 0, c, "actc_apply() did not return 0");
    for (int i = 0; i < 2; i++) {
        const unsigned char *before = (unsigned char *)result[i] - shift * size;
        int kept = intact(i, bytes);
        for (size_t k = 0; k < shift * size; k++) kept &= before[k] == 0xA5;
        if (i >= c->outputs)
            for (size_t k = 0; k < n * size; k++) kept &= ((unsigned char *)result[i])[k] == 0xA5;
        expect(kept, c, "memory around output %d written, n=%lu", i, (unsigned long)n);
    }
    for (int i = 0; i < PARAMETERS_MAX + 2; i++)
        if (i == 0 || i > (c->pass == ACTC_PARAMETER_BACKWARD ? (int)c->row->parameter_count : 0))
            expect(guarded_sums[i] == 12345, c, "memory around the sums written, n=%lu", (unsigned long)n);
    memcpy(sums, guarded_sums + 1, PARAMETERS_MAX * sizeof(double));
}

static void inputs_from(const test_case *c, size_t at, const void **in)
{
    const void *x = x_all[c->dtype] + at * item_size[c->dtype], *g = g_all[c->dtype] + at * item_size[c->dtype];
    in[0] = c->inputs == 2 ? g : x;
    in[1] = c->inputs == 2 ? x : NULL;
}

/* Elements [at, at + n) of the inputs, expected to be those of whole[], however they are computed. */
static void check_piece(const test_case *c, char *const *whole, size_t at, size_t n, size_t shift)
{
    const size_t size = item_size[c->dtype];
    const void *in[2], *x, *g;
    void *out[2];
    double sums[PARAMETERS_MAX], flat_sums[PARAMETERS_MAX];
    inputs_from(c, at, in);
    x = in[c->inputs - 1], g = c->inputs == 2 ? in[0] : NULL;

    /* Either entry for every other length, both for some: emulated fma makes this program slow enough. */
    const int both = n % 8 == 3 || c->pass == ACTC_PARAMETER_BACKWARD;
    if (n % 2 || both) {
        guarded_call(c, 0, in, n, shift, out, sums);
        for (int i = 0; i < c->outputs; i++)
            expect_same("a piece of the array", c, i, whole[i] + at * size, out[i], n, g, x);
    }
    if (n % 2 == 0 || both) {
        guarded_call(c, 1, in, n, shift, out, flat_sums);
        for (int i = 0; i < c->outputs; i++) expect_same("flat symbol", c, i, whole[i] + at * size, out[i], n, g, x);
        if (c->pass == ACTC_PARAMETER_BACKWARD) expect_same_sums("flat symbol", c, sums, flat_sums, n, g, x);
    }

    /* in place: each output over each input, in turn */
    for (int o = 0; o < c->outputs; o++)
        for (int i = 0; i < c->inputs; i++) {
            if ((n + (size_t)o + (size_t)i) % 2 && c->outputs + c->inputs > 2) continue;
            const void *over[2] = {in[0], in[1]};
            guarded(0, (shift + n) * size), guarded(1, (shift + n) * size);
            out[0] = scratch[0] + GUARD + shift * size, out[1] = scratch[1] + GUARD + shift * size;
            memcpy(out[o], in[i], n * size);
            over[i] = out[o];
            apply(c, over, out, n, sums);
            for (int k = 0; k < c->outputs; k++) expect_same("in place", c, k, whole[k] + at * size, out[k], n, g, x);
            expect(intact(0, (shift + n) * size) && intact(1, (shift + n) * size), c,
                   "in place: memory around written");
        }
}

static void check_places(const test_case *c)
{
    char *whole[2] = {scratch[4], scratch[5]};
    const size_t size = item_size[c->dtype];
    const void *in[2];
    void *out[2];
    double sums[PARAMETERS_MAX], default_sums[PARAMETERS_MAX];
    static const size_t longer[] = {255, 256, 257, 600};

    begin_check();
    inputs_from(c, 0, in);
    guarded_call(c, 0, in, inputs < LONG ? LONG : inputs, 0, out, sums);
    for (int i = 0; i < c->outputs; i++) memcpy(whole[i], out[i], (inputs < LONG ? LONG : inputs) * size);

    if (c->row->parameter_count && c->p[0] == c->row->parameters[0].default_value) {
        void *each[2 + PARAMETERS_MAX] = {NULL};
        for (int i = 0; i < PARAMETERS_MAX; i++) each[i] = default_sums + i;
        if (c->outputs) each[0] = scratch[0], each[1] = scratch[1];
        actc_apply(c->row, apply_pass(c), (enum actc_dtype)c->dtype, in, each, inputs, NULL);
        for (int i = 0; i < c->outputs; i++)
            expect_same("params NULL", c, i, whole[i], each[i], inputs, NULL, x_all[c->dtype]);
        if (!c->outputs && inputs >= LONG) expect_same_sums("params NULL", c, sums, default_sums, inputs, NULL, NULL);
    }

    begin_check();
    for (size_t n = 0; n <= SHORT; n++)
        if (is_tried(n)) check_piece(c, whole, hash(4, n) % (LONG - n), n, n % 17);
    for (size_t k = 0; k < sizeof longer / sizeof longer[0]; k++)
        check_piece(c, whole, hash(5, k) % (LONG - longer[k] + 1), longer[k], k);

    begin_check();
    if (c->outputs)
        for (size_t i = 0; i < inputs; i += is_full() || i < DIRECTED ? 1 : 3) {
            inputs_from(c, i, in);
            guarded_call(c, (int)(i & 1), in, 1, i % 3, out, sums);
            for (int o = 0; o < c->outputs; o++)
                expect_same("alone", c, o, whole[o] + i * size, out[o], 1, c->inputs == 2 ? in[0] : NULL,
                            in[c->inputs - 1]);
        }
}

/* One value in every lane of a vector, among neighbours that take other branches. */
static void check_neighbours(const test_case *c)
{
    char *x = scratch[2], *g = scratch[3];
    void *out[2] = {scratch[0], scratch[1]}, *alone[2] = {scratch[4], scratch[5]};
    double sums[PARAMETERS_MAX];
    if (!c->outputs) return;
    begin_check();
    for (size_t k = 0; k < 12; k++) {
        const size_t value = hash(6, k) % inputs;
        for (int kind = 0; kind < 8; kind++) {
            static const double neighbours[] = {0, 1, -1, -30, 1e30, INFINITY_, -INFINITY_, 0};
            for (size_t i = 0; i < NEIGHBOURS; i++) {
                set_bits_at(c->dtype, x, i,
                            kind < 7 ? encode(c->dtype, neighbours[kind]) : input(c->dtype, DIRECTED - 2));
                set_bits_at(c->dtype, g, i,
                            kind < 7 ? encode(c->dtype, neighbours[kind]) : input(c->dtype, DIRECTED - 2));
            }
            const size_t place = hash(7, 8 * k + (size_t)kind) % NEIGHBOURS, size = item_size[c->dtype];
            memcpy(x + place * size, x_all[c->dtype] + value * size, size);
            memcpy(g + place * size, g_all[c->dtype] + value * size, size);
            const void *in[2] = {c->inputs == 2 ? g : x, x};
            const void *one[2] = {(const char *)in[0] + place * size, x + place * size};
            apply(c, in, out, NEIGHBOURS, sums);
            apply(c, one, alone, 1, sums);
            for (int o = 0; o < c->outputs; o++)
                expect_same("among other neighbours", c, o, alone[o], (char *)out[o] + place * size, 1,
                            c->inputs == 2 ? one[0] : NULL, one[1]);
        }
    }
}

/* ---- strides ---- */

/* an operand of n elements of `size` bytes at a stride, inside scratch[k]; the first element comes last in memory if
   the stride is negative */
static char *spread(int k, const void *from, size_t n, size_t size, ptrdiff_t stride)
{
    char *first = guarded(k, n ? (n - 1) * (size_t)(stride < 0 ? -stride : stride) + size : 0);
    if (stride < 0 && n) first += (n - 1) * (size_t)-stride;
    for (size_t i = 0; from && i < n; i++) memcpy(first + (ptrdiff_t)i * stride, (const char *)from + i * size, size);
    return first;
}

static void strided_call(const test_case *c, const char *check, size_t n, const ptrdiff_t *in_strides,
                         ptrdiff_t out_stride, const double *parameters, ptrdiff_t parameter_stride, char *const *want,
                         const double *want_sums)
{
    const size_t size = item_size[c->dtype], at = 3;
    char *data[OPERANDS_MAX];
    ptrdiff_t strides[OPERANDS_MAX];
    double sums[PARAMETERS_MAX], *spread_parameters[PARAMETERS_MAX] = {NULL};
    const void *in[2];
    int k = 0;
    inputs_from(c, at, in);
    for (int i = 0; i < c->inputs; i++, k++) {
        strides[k] = in_strides[i];
        if (strides[k])
            data[k] = spread(2 + i, in[i], n, size, strides[k]);
        else
            data[k] = spread(2 + i, in[i], 1, size, 0);
    }
    for (size_t j = 0; j < c->row->parameter_count; j++, k++) {
        const size_t step = parameter_stride < 0 ? (size_t)-parameter_stride / 8 : (size_t)parameter_stride / 8;
        const size_t count = step ? (n ? n - 1 : 0) * step + 1 : 1;
        spread_parameters[j] = malloc(count * sizeof(double));
        if (!spread_parameters[j]) abort();
        for (size_t i = 0; i < count; i++) spread_parameters[j][i] = -777;
        double *first = spread_parameters[j] + (parameter_stride < 0 ? count - 1 : 0);
        for (size_t i = 0; i < (step ? n : 1); i++)
            first[(ptrdiff_t)i * (parameter_stride / 8)] = parameters ? parameters[i * PARAMETERS_MAX + j] : c->p[j];
        data[k] = (char *)first, strides[k] = parameter_stride;
    }
    for (int o = 0; o < c->outputs; o++, k++) data[k] = spread(o, NULL, n, size, out_stride), strides[k] = out_stride;
    if (!c->outputs)
        for (size_t j = 0; j < c->row->parameter_count; j++, k++) data[k] = (char *)(sums + j), strides[k] = 8;
    expect(actc_apply_strided(c->row, apply_pass(c), (enum actc_dtype)c->dtype, data, strides, n) == 0, c,
           "actc_apply_strided() did not return 0");

    const size_t step = (size_t)(out_stride < 0 ? -out_stride : out_stride);
    for (int o = 0; o < c->outputs; o++) {
        char *first = data[c->inputs + (int)c->row->parameter_count + o];
        const char *low = out_stride < 0 && n ? first - (n - 1) * step : first;
        int kept = intact(o, n ? (n - 1) * step + size : 0);
        for (size_t i = 0; i + 1 < n; i++)
            for (size_t b = size; b < step; b++) kept &= (unsigned char)low[i * step + b] == 0xA5;
        expect(kept, c, "%s: memory between or around the elements of output %d written", check, o);
        for (size_t i = 0; i < n; i++) {
            size_t xi = in_strides[c->inputs - 1] ? i : 0, gi = in_strides[0] ? i : 0;
            test_case said = *c;
            for (size_t j = 0; parameters && j < c->row->parameter_count; j++)
                said.p[j] = parameters[i * PARAMETERS_MAX + j];
            expect_same(check, &said, o, want[o] + i * size, first + (ptrdiff_t)i * out_stride, 1,
                        c->inputs == 2 ? (const char *)in[0] + gi * size : NULL,
                        (const char *)in[c->inputs - 1] + xi * size);
        }
    }
    if (!c->outputs && want_sums) expect_same_sums(check, c, want_sums, sums, n, in[0], in[1]);
    for (int j = 0; j < PARAMETERS_MAX; j++) free(spread_parameters[j]);
}

static void check_strides(const test_case *c)
{
    const ptrdiff_t size = (ptrdiff_t)item_size[c->dtype];
    const ptrdiff_t layouts_of[][3] = {{1, 1, 1},  {2, 2, 1},   {1, 1, 2}, {3, 2, 3}, {-1, -1, 1},
                                       {1, 1, -1}, {-2, 3, -1}, {0, 1, 1}, {1, 0, 1}, {0, 0, 2}};
    static char plain[2][300 * sizeof(double)];
    char *want[2];
    void *plain_out[2] = {plain[0], plain[1]};
    const void *in[2];
    double sums[PARAMETERS_MAX];
    begin_check();
    inputs_from(c, 3, in);
    apply(c, in, plain_out, 300, sums);
    for (size_t k = 0; k < sizeof layouts_of / sizeof layouts_of[0] + 2; k++) {
        const size_t lengths[] = {0, 1, 5, SHORT, 300};
        for (size_t l = 0; l < 5; l++) {
            const size_t n = lengths[l];
            ptrdiff_t in_strides[2], out_stride;
            want[0] = scratch[4], want[1] = scratch[5];
            if (n == 300 && k % 4) continue;
            if (k < sizeof layouts_of / sizeof layouts_of[0]) {
                in_strides[0] = layouts_of[k][0] * size, in_strides[1] = layouts_of[k][1] * size;
                out_stride = layouts_of[k][2] * size;
            } else {
                if (n > SHORT) continue;
                in_strides[0] = 4096 + size, in_strides[1] = -4096, out_stride = k & 1 ? 4096 : -4096 - size;
                if (n == SHORT) in_strides[0] = 4096;
                if (n == SHORT && !(k & 1)) out_stride = -4096;
            }
            /* wanted: the elements of the contiguous call; others only where an input repeats */
            const int repeats = !in_strides[0] || (c->inputs == 2 && !in_strides[1]);
            inputs_from(c, 3, in);
            for (int i = 0; repeats && i < c->inputs; i++) {
                for (size_t e = 0; e < n; e++)
                    memcpy(scratch[2 + i] + e * (size_t)size,
                           (const char *)in[i] + (in_strides[i] ? e : 0) * (size_t)size, (size_t)size);
                in[i] = scratch[2 + i];
            }
            if (repeats || !c->outputs)
                apply(c, in, (void *const *)want, n, sums);
            else
                want[0] = plain[0], want[1] = plain[1];
            strided_call(c, "strided", n, in_strides, out_stride, NULL, 0, want, sums);
        }
    }

    /* in place at a stride, as NumPy does for a[::2] */
    if (c->outputs) {
        const size_t n = SHORT;
        begin_check();
        inputs_from(c, 3, in);
        want[0] = plain[0], want[1] = plain[1];
        for (int o = 0; o < c->outputs; o++)
            for (int i = 0; i < c->inputs; i++) {
                char *data[OPERANDS_MAX];
                ptrdiff_t strides[OPERANDS_MAX];
                int k = 0;
                for (int j = 0; j < c->inputs; j++, k++)
                    data[k] = spread(2 + j, in[j], n, (size_t)size, 2 * size), strides[k] = 2 * size;
                for (size_t j = 0; j < c->row->parameter_count; j++, k++)
                    data[k] = (char *)(uintptr_t)&c->p[j], strides[k] = 0;
                for (int j = 0; j < c->outputs; j++)
                    data[k + j] = j == o ? data[i] : spread(j, NULL, n, (size_t)size, 2 * size),
                             strides[k + j] = 2 * size;
                actc_apply_strided(c->row, apply_pass(c), (enum actc_dtype)c->dtype, data, strides, n);
                for (int j = 0; j < c->outputs; j++)
                    for (size_t e = 0; e < n; e++)
                        expect_same("strided, in place", c, j, want[j] + e * (size_t)size,
                                    data[k + j] + (ptrdiff_t)e * 2 * size, 1,
                                    c->inputs == 2 ? (const char *)in[0] + e * (size_t)size : NULL,
                                    (const char *)in[c->inputs - 1] + e * (size_t)size);
            }
    }

    /* A parameter of its own for every element gives the bits of that parameter for all. */
    if (c->row->parameter_count && (c->outputs || c->pass == ACTC_PARAMETER_BACKWARD)) {
        const size_t n = 300;
        static double parameters[300 * PARAMETERS_MAX];
        const ptrdiff_t contiguous[2] = {size, size}, apart[2] = {3 * size, -2 * size};
        test_case own = *c;
        double one[PARAMETERS_MAX];
        begin_check();
        want[0] = scratch[4], want[1] = scratch[5];
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < PARAMETERS_MAX; j++)
                parameters[i * PARAMETERS_MAX + j] = i % 5 && j < c->row->parameter_count
                                                         ? other_parameter(1 + hash(8, i) % (PARAMETER_SETS - 1), j)
                                                         : c->p[j < c->row->parameter_count ? j : 0];
        for (size_t i = 0; i < n && c->outputs; i++) {
            void *out[2] = {want[0] + i * (size_t)size, want[1] + i * (size_t)size};
            inputs_from(c, 3 + i, in);
            memcpy(own.p, parameters + i * PARAMETERS_MAX, sizeof own.p);
            apply(&own, in, out, 1, one);
        }
        strided_call(c, "parameter arrays", n, contiguous, size, parameters, 8, want, NULL);
        strided_call(c, "parameter arrays, strided", n, apart, -size, parameters, -24, want, NULL);
        for (size_t i = 0; i < n && !c->outputs; i++) {
            char *data[OPERANDS_MAX];
            ptrdiff_t strides[OPERANDS_MAX];
            double sums_one[PARAMETERS_MAX];
            int k = 2;
            inputs_from(c, 3 + i, in);
            memcpy(own.p, parameters + i * PARAMETERS_MAX, sizeof own.p);
            apply(&own, in, NULL, 1, one);
            data[0] = (char *)(uintptr_t)in[0], data[1] = (char *)(uintptr_t)in[1], strides[0] = strides[1] = size;
            for (size_t j = 0; j < c->row->parameter_count; j++, k++) data[k] = (char *)&own.p[j], strides[k] = 8;
            for (size_t j = 0; j < c->row->parameter_count; j++, k++) data[k] = (char *)&sums_one[j], strides[k] = 0;
            actc_apply_strided(c->row, apply_pass(c), (enum actc_dtype)c->dtype, data, strides, 1);
            expect_same_sums("parameter arrays", &own, one, sums_one, 1, in[0], in[1]);
        }
        if (!c->outputs) { /* the sum depends on the elements in their order, not on where they lie */
            double sums_of[2][PARAMETERS_MAX];
            for (int way = 0; way < 2; way++) {
                char *data[OPERANDS_MAX];
                ptrdiff_t strides[OPERANDS_MAX];
                int k = 2;
                inputs_from(c, 3, in);
                for (int i = 0; i < 2; i++)
                    strides[i] = way ? -2 * size : size, data[i] = spread(2 + i, in[i], n, (size_t)size, strides[i]);
                for (size_t j = 0; j < c->row->parameter_count; j++, k++)
                    data[k] = (char *)(parameters + j), strides[k] = PARAMETERS_MAX * 8;
                for (size_t j = 0; j < c->row->parameter_count; j++, k++)
                    data[k] = (char *)&sums_of[way][j], strides[k] = 8;
                actc_apply_strided(c->row, apply_pass(c), (enum actc_dtype)c->dtype, data, strides, n);
            }
            expect_same_sums("parameter arrays, sums", c, sums_of[0], sums_of[1], n, NULL, NULL);
        }
    }
}

/* ---- wrong calls, and none at all ---- */

static void check_errors(const test_case *c)
{
    static const int passes[] = {-1, ACTC_PASS_COUNT, 17, ACTC_PASS_COUNT | ACTC_EXACT, 1 << 20};
    static const int dtypes[] = {-1, ACTC_DTYPE_COUNT, 99};
    const void *in[2] = {x_all[ACTC_F64], x_all[ACTC_F64]};
    void *out[PARAMETERS_MAX];
    begin_check();
    guarded(0, 1024);
    for (int i = 0; i < PARAMETERS_MAX; i++) out[i] = scratch[0] + 64;
    for (size_t i = 0; i < sizeof passes / sizeof passes[0]; i++)
        expect(actc_apply(c->row, (enum actc_pass)passes[i], ACTC_F64, in, out, 8, NULL) == -1, NULL,
               "%s: pass %d did not give -1", c->row->name, passes[i]);
    for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++)
        expect(actc_apply(c->row, ACTC_FORWARD, (enum actc_dtype)dtypes[i], in, out, 8, NULL) == -1, NULL,
               "%s: dtype %d did not give -1", c->row->name, dtypes[i]);
    if (!c->row->parameter_count)
        expect(actc_apply(c->row, ACTC_PARAMETER_BACKWARD, ACTC_F64, in, out, 8, NULL) == -1, NULL,
               "%s: parameter_backward without parameters did not give -1", c->row->name);
    for (size_t i = 0; i < 1024 + 2 * GUARD; i++)
        if ((unsigned char)scratch[0][i] != 0xA5) expect(0, NULL, "%s: a refused call wrote", c->row->name);
}

static void check_nothing(const test_case *c)
{
    const void *in[2] = {NULL, NULL};
    void *out[2] = {NULL, NULL};
    double sums[PARAMETERS_MAX] = {1, 1, 1, 1};
    begin_check();
    expect(apply(c, in, out, 0, sums) == 0, c, "n = 0 did not return 0");
    for (size_t i = 0; i < c->row->parameter_count && !c->outputs; i++)
        expect(double_bits(sums[i]) == 0, c, "the sum over nothing is %a", sums[i]);
}

/* value_and_derivative is forward and derivative in one pass, not another function */
static void check_fused(const test_case *c)
{
    test_case single = *c;
    char *fused[2] = {scratch[0], scratch[1]};
    void *out[1] = {scratch[2]};
    const void *in[2];
    double sums[PARAMETERS_MAX];
    if (c->pass != ACTC_VALUE_AND_DERIVATIVE) return;
    begin_check();
    inputs_from(c, 0, in);
    apply(c, in, (void *const *)fused, inputs, sums);
    single.pass = ACTC_FORWARD;
    apply(&single, in, out, inputs, sums);
    expect_same("value_and_derivative against forward", c, 0, out[0], fused[0], inputs, NULL, in[0]);
    single.pass = ACTC_DERIVATIVE;
    apply(&single, in, out, inputs, sums);
    expect_same("value_and_derivative against derivative", c, 1, out[0], fused[1], inputs, NULL, in[0]);
}

/* ---- instruction sets ---- */

/* The inputs [first, first + count) that a set of parameters is tried on: all at the defaults, a part at each of the
   others; unless everything is wanted a smaller one, elsewhere for each set, function and pass. */
static size_t count_for(int set)
{
    if (set == 0) return inputs;
    if (!is_full()) return 128;
    return inputs < DIRECTED + 80 ? inputs : DIRECTED + 80;
}
static size_t first_for(const test_case *c, int set)
{
    if (set == 0 || is_full()) return 0;
    return hash(13, (c->row->index * PARAMETER_SETS + (size_t)set) * ACTC_PASS_COUNT + (size_t)c->pass) %
           (DIRECTED + 80 - 128);
}

static void check_same_bits(test_case *c, const char *isa)
{
    static const char *const check = "not the bits of scalar";
    char *out[2][2] = {{scratch[0], scratch[1]}, {scratch[2], scratch[3]}};
    double *sums[2] = {(double *)(void *)scratch[4], (double *)(void *)scratch[5]};
    const size_t size = item_size[c->dtype];
    const void *in[2];
    for (int set = 0; set < PARAMETER_SETS && set_parameters(c, set); set++) {
        const size_t n = count_for(set), first = first_for(c, set);
        const char *x = x_all[c->dtype] + first * size, *g = g_all[c->dtype] + first * size;
        begin_check();
        for (int k = 0; k < 2; k++) { /* scalar, then the other */
            if (actc_use_isa(k ? isa : "scalar")) abort();
            inputs_from(c, first, in);
            if (c->outputs)
                apply(c, in, (void *const *)out[k], n, NULL);
            else /* sums of one element tell which */
                for (size_t i = 0; i < n; i++) {
                    inputs_from(c, first + i, in);
                    apply(c, in, NULL, 1, sums[k] + i * PARAMETERS_MAX);
                }
        }
        c->isa = actc_isa();
        for (int o = 0; o < c->outputs; o++)
            expect_same(check, c, o, out[0][o], out[1][o], n, c->inputs == 2 ? g : NULL, x);
        for (size_t i = 0; i < n && !c->outputs; i++)
            expect_same_sums(check, c, sums[0] + i * PARAMETERS_MAX, sums[1] + i * PARAMETERS_MAX, 1, g + i * size,
                             x + i * size);
    }
    if (c->outputs) return;

    /* and sums of many, whose order matters: finite ones, or all would be NaN */
    set_parameters(c, 0);
    begin_check();
    for (size_t i = 0; i < LONG; i++) {
        set_bits_at(c->dtype, scratch[0], i, encode(c->dtype, uniform(hash(10, i), 3)));
        set_bits_at(c->dtype, scratch[1], i, encode(c->dtype, uniform(hash(9, i), 6)));
    }
    in[0] = scratch[0], in[1] = scratch[1];
    for (int k = 0; k < 2; k++) {
        actc_use_isa(k ? isa : "scalar");
        for (size_t length = 1, s = 0; length <= LONG; length = length * 2 + 1, s++) {
            apply(c, in, NULL, length, sums[k] + s * PARAMETERS_MAX);
            if (k)
                expect_same_sums(check, c, sums[0] + s * PARAMETERS_MAX, sums[1] + s * PARAMETERS_MAX, length, in[0],
                                 in[1]);
        }
    }
}

/* ---- digests, for comparison with another machine ---- */

static uint64_t mixed(uint64_t digest, int dtype, uint64_t bits)
{
    if (is_nan(dtype, bits)) bits = 0x7FF8; /* NaN as NaN */
    for (int i = 0; i < 8; i++) digest = (digest ^ (bits >> 8 * i & 0xFF)) * 0x100000001B3u;
    return digest;
}
static void digest(test_case *c, int dump)
{
    void *out[2] = {scratch[0], scratch[1]};
    const void *in[2];
    uint64_t value = 0xCBF29CE484222325u;
    for (int set = 0; set < PARAMETER_SETS && set_parameters(c, set); set++) {
        const size_t n = count_for(set), first = first_for(c, set);
        inputs_from(c, first, in);
        if (c->outputs) apply(c, in, out, n, NULL);
        for (size_t i = 0; i < n; i++) {
            double sums[PARAMETERS_MAX];
            inputs_from(c, first + i, in);
            if (!c->outputs) apply(c, in, NULL, 1, sums);
            if (dump) {
                print_case(c);
                print_bits("x", c->dtype, bits_at(c->dtype, in[c->inputs - 1], 0));
                if (c->inputs == 2) print_bits("g", c->dtype, bits_at(c->dtype, in[0], 0));
            }
            const int count = c->outputs ? c->outputs : (int)c->row->parameter_count;
            for (int o = 0; o < count; o++) {
                const int dtype = c->outputs ? c->dtype : ACTC_F64;
                const uint64_t bits = c->outputs ? bits_at(dtype, out[o], i) : double_bits(sums[o]);
                value = mixed(value, dtype, bits);
                if (dump && is_nan(dtype, bits))
                    printf(" out=nan");
                else if (dump)
                    print_bits("out", dtype, bits);
            }
            if (dump) printf("\n");
        }
    }
    if (!dump)
        printf("%s %s %s %s %016llx\n", c->row->name, tier_name[c->tier], pass_name[c->pass], dtype_name[c->dtype],
               (unsigned long long)value);
}

int main(int argc, char **argv)
{
    const char *isas[16], *wish = getenv("ACTC_ISA");
    size_t isa_count = 0;
    test_case c;

    if (argc > 2 && !strcmp(argv[1], "inputs")) inputs = DIRECTED + strtoul(argv[2], NULL, 10);
    if (argc > 1 && !strcmp(argv[1], "isas")) {
        for (size_t i = 0; actc_isa_at(i); i++) puts(actc_isa_at(i));
        return EXIT_SUCCESS;
    }
    allocate();
    if (argc > 1 && (!strcmp(argv[1], "digest") || !strcmp(argv[1], "dump"))) {
        if (!wish) actc_use_isa("scalar");
        for_each_case(c) if (argc < 3 || !strcmp(argv[2], c.row->name)) digest(&c, !strcmp(argv[1], "dump"));
        return EXIT_SUCCESS;
    }

    check_table();
    check_isa();
    for (size_t i = 0; actc_isa_at(i) && isa_count < 16; i++)
        if (!wish || !strcmp(wish, actc_isa_at(i))) isas[isa_count++] = actc_isa_at(i);
    expect(isa_count > 0, NULL, "ACTC_ISA=%s is none of this machine's", wish);

    for (size_t k = 0; k < isa_count; k++) {
        const unsigned long before = failures;
        actc_use_isa(isas[k]);
        for_each_case(c)
        {
            if (c.pass == ACTC_FORWARD && c.dtype == ACTC_F16 && c.tier == 0) check_errors(&c);
            check_nothing(&c);
            static const int sets[] = {0, 2, 18}; /* the last is out of float's range */
            for (size_t s = 0; s < 3 && set_parameters(&c, sets[s]); s++) {
                if (s && !is_full() && (s + c.row->index) % 2) continue;
                check_places(&c);
                check_neighbours(&c);
                check_strides(&c);
                check_fused(&c);
            }
        }
        printf("%s: places, strides, entry points: %lu failures\n", isas[k], failures - before);
    }
    for (size_t k = 0; k < isa_count; k++) {
        const unsigned long before = failures;
        if (!strcmp(isas[k], "scalar")) continue;
        for_each_case(c) check_same_bits(&c, isas[k]);
        printf("%s: same bits as scalar: %lu failures\n", isas[k], failures - before);
    }
    return summary("test_abi");
}
