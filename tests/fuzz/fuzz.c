/* fuzz.c - any call of the library, decoded from bytes: every instruction set must give the bits that scalar gives, with
   the operands elsewhere: at strides, off any alignment, in place, in two pieces, in another floating-point environment,
   which must come back as it was; and nothing around an output may change. Address sanitizer watches what is read.

     clang -fsanitize=fuzzer,address ...      a libFuzzer target (tools/fuzz.sh)
     -DREPLAY                                 a program: fuzz FILE..., or fuzz random COUNT [SEED] without any coverage

   Bytes that are missing count as 0, so that short inputs are complete: family, function, pass, tier and dtype, lengths,
   layout, environment, parameters, then the values of each input. */
#include "../c/operations.h"

#if defined(__SSE2__)
#include <xmmintrin.h>
static unsigned control(void) { return _mm_getcsr(); }
static void set_control(unsigned word) { _mm_setcsr(word); }
#else
static unsigned control(void) { return 0; }
static void set_control(unsigned word) { (void)word; }
#endif

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__ /* which guards the end of a block */
enum { SLACK = 0 };
#else
enum { SLACK = 64 };
#endif

enum { LONGEST = 1300, LONGEST_ROW = 9000, ELEMENTS = 20000, HINGES = 9, CANARY = 0xA5 };

/* ---- bytes to choices ---- */

static const uint8_t *bytes;
static size_t left;

static unsigned byte(void) { return left ? left--, *bytes++ : 0; }
static uint64_t word(int count)
{
    uint64_t v = 0;
    for (int i = 0; i < count; i++) v |= (uint64_t)byte() << 8 * i;
    return v;
}
/* short ones more often than long ones */
static size_t some_length(size_t most)
{
    const unsigned b = byte();
    const size_t n = b < 200 ? b : b == 255 ? word(2) : (size_t)(b - 199) * 32 + byte() % 64;
    return n % (most + 1);
}

static double some_parameter(double otherwise)
{
    const unsigned b = byte();
    switch (b % 8) {
    case 0: return otherwise;
    case 1: return bits_double(word(8));
    case 2: return (double)(int8_t)byte() / 8;
    case 3: return (double)(int16_t)word(2) / 256;
    case 4: return otherwise * (1 + (double)(int8_t)byte() * DBL_EPSILON);
    case 5: return uniform(hash(b, byte()), 4);
    case 6: return bits_double((word(2) << 48) | (b & 8 ? 0xFFFFFFFFFFFF : 0)); /* any size, and just below */
    default: return other_parameter(1 + byte() % (PARAMETER_SETS - 1), b / 8);
    }
}

/* n values of an input: explicit ones, neighbours on the line of numbers, the lists of cases.h, or one among strangers */
static void some_values(int dtype, char *to, size_t n)
{
    const unsigned b = byte();
    const int size = (int)item_size[dtype];
    if (b % 8 == 0) {
        const size_t count = 1 + byte() % 16;
        uint64_t own[16] = {0};
        for (size_t i = 0; i < count; i++) own[i] = word(size);
        for (size_t i = 0; i < n; i++) set_bits_at(dtype, to, i, own[i % count]);
    } else if (b % 8 < 3) {
        const uint64_t start = word(size), step = (uint64_t)(int64_t)(int8_t)byte() << (b / 8 % 32);
        for (size_t i = 0; i < n; i++) set_bits_at(dtype, to, i, start + i * step);
    } else if (b % 8 == 3) {
        const uint64_t seed = byte();
        for (size_t i = 0; i < n; i++) set_bits_at(dtype, to, i, input(dtype, hash(seed, i) % (2 * DIRECTED)));
    } else if (b % 8 == 4) {
        const uint64_t seed = word(2);
        for (size_t i = 0; i < n; i++) set_bits_at(dtype, to, i, random_input(dtype, seed, i));
    } else if (b % 8 == 5) {
        const uint64_t stranger = word(size), others = word(size);
        const size_t at = word(2);
        for (size_t i = 0; i < n; i++) set_bits_at(dtype, to, i, i == at % n ? stranger : others);
    } else {
        const uint64_t seed = word(2);
        const double range = (double)(1 + b / 8), centre = (double)(int8_t)byte();
        for (size_t i = 0; i < n; i++)
            set_bits_at(dtype, to, i, encode(dtype, (b % 8 == 6 ? 0 : centre) + uniform(hash(seed, i), range)));
    }
}

/* ---- where operands lie ---- */

typedef struct place {
    char *block, *before;
    size_t room;
    int over; /* the operand whose place this is, or itself */
} place;

static void *allocate(size_t size)
{
    char *p = malloc(size ? size : 1);
    if (!p) abort();
    return p;
}

/* strides[] holds steps within and between rows and a shift, in elements; nothing is placed for operands over another */
static void lay_out(operand *a, place *p, const int *choice, int contiguous)
{
    static const int steps[] = {1, 1, 1, 1, 2, -1, 3, -2, 5, 17, -7, 129};
    const ptrdiff_t size = (ptrdiff_t)item_size[a->dtype];
    ptrdiff_t low, high, step = contiguous ? 1 : steps[choice[0] % 12];
    const size_t shift = (size_t)(choice[2] % 64) * (size_t)size % 64;
    if (elements_of(a) > 2000 && step > 5) step = 2;
    a->inner = step * size;
    a->outer = (step < 0 ? -step : step) * size * (ptrdiff_t)a->length;
    if (!contiguous && a->rows > 1) {
        switch (choice[1] % 6) {
        case 1: a->outer += 3 * size; break;
        case 2: a->outer = -a->outer; break;
        case 3: a->outer = size, a->inner = size * (ptrdiff_t)a->rows; break;
        case 4: a->outer = -size, a->inner = -size * (ptrdiff_t)(a->rows + 1); break;
        }
    }
    extent(a, &low, &high);
    p->room = (size_t)(high - low) + shift + SLACK;
    p->block = allocate(p->room); /* malloc aligns the block */
    memset(p->block, CANARY, p->room);
    a->at = p->block + shift - low;
}

/* ---- one input ---- */

static void complain(const char *what, const operation *o, int k, size_t e, const char *const *plain,
                     const char *const *want, const char *got)
{
    printf("FAIL %s:", what);
    print_operation(o);
    for (int i = o->inputs; i < o->count && !o->all[i].is_output; i++)
        for (size_t j = 0; j < elements_of(&o->all[i]) && j < 8; j++)
            printf(" p%d[%lu]=%a", i, (unsigned long)j, decode(ACTC_F64, bits_at(ACTC_F64, plain[i], j)));
    if (k >= 0) {
        printf(" output=%d element=%lu", k, (unsigned long)e);
        for (int i = 0; i < o->inputs; i++)
            if (elements_of(&o->all[i]) > e) print_bits("in", o->dtype, bits_at(o->dtype, plain[i], e));
        print_bits("want", o->all[k].dtype, bits_at(o->all[k].dtype, want[k], e));
        print_bits("got", o->all[k].dtype, bits_at(o->all[k].dtype, got, e));
    }
    printf("\n");
    fflush(stdout);
    abort();
}

typedef struct setting {
    int layout[ALL_MAX][3], over[ALL_MAX];
    unsigned environment;
    size_t cut;
    int refused; /* what the reference returned */
} setting;

/* The operation on the instruction set in use, laid out as the setting says, compared with want[]. */
static void try_one(operation *o, const setting *s, char *const *plain, char *const *want)
{
    place places[ALL_MAX];
    unsigned before, after;
    int status;
    for (int k = 0; k < o->count; k++) {
        operand *a = &o->all[k];
        const int i = s->over[k];
        const int is_parameter = k >= o->inputs && !a->is_output;
        if (i >= 0) { /* in place */
            places[k].block = NULL;
            a->at = o->all[i].at, a->outer = o->all[i].outer, a->inner = o->all[i].inner;
            continue;
        }
        lay_out(a, &places[k], s->layout[k], is_contiguous(o) || (o->family == ELEMENTWISE && a->length == 1));
        if (!a->is_output) scatter(a, plain[k]);
        if (!is_parameter && !a->is_output && o->family != ROWS && !is_contiguous(o) && s->layout[k][1] % 16 == 15) {
            int same = 1; /* one element for all */
            const size_t size = item_size[a->dtype];
            for (size_t e = 1; e < elements_of(a); e++) same &= !memcmp(plain[k], plain[k] + e * size, size);
            for (int j = 0; j < o->count; j++) same &= s->over[j] != k;
            if (same) a->inner = 0;
        }
    }
    for (int k = 0; k < o->count; k++)
        if (places[k].block) {
            places[k].before = allocate(places[k].room);
            memcpy(places[k].before, places[k].block, places[k].room);
        }

    const unsigned ours = control();
    set_control(s->environment);
    before = control();
    if (is_divisible(o) && s->cut < o->length) {
        status = perform(o, 0, s->cut);
        status |= perform(o, s->cut, o->length - s->cut);
    } else
        status = perform(o, 0, o->length);
    after = control();
    set_control(ours);
    if (before != after)
        printf("control word %04x became %04x\n", before, after),
            complain("environment", o, -1, 0, (const char *const *)plain, NULL, NULL);
    if (status != s->refused) complain("returned something else", o, -1, 0, (const char *const *)plain, NULL, NULL);

    for (int k = 0; k < o->count; k++) {
        const operand *a = &o->all[k];
        const size_t n = elements_of(a);
        if (!a->is_output) continue;
        char *got = allocate(n * item_size[a->dtype]);
        gather(a, got);
        for (size_t e = 0; e < n && !s->refused; e++)
            if (o->family == PHILOX ? bits_at(a->dtype, want[k], e) != bits_at(a->dtype, got, e)
                                    : !same_bits(a->dtype, bits_at(a->dtype, want[k], e), bits_at(a->dtype, got, e)))
                complain("not the bits of scalar", o, k, e, (const char *const *)plain, (const char *const *)want, got);
        /* what is left of the block must be as it was */
        operand old = *a;
        const int i = s->over[k] >= 0 ? s->over[k] : k;
        old.at = places[i].before + (a->at - places[i].block);
        if (!s->refused) scatter(&old, got);
        free(got);
    }
    for (int k = 0; k < o->count; k++)
        if (places[k].block) {
            if (memcmp(places[k].before, places[k].block, places[k].room))
                complain("memory around an operand, or an input", o, -1, 0, (const char *const *)plain, NULL, NULL);
            free(places[k].block), free(places[k].before);
        }
}

static void some_operation(operation *o)
{
    size_t lengths;
    memset(o, 0, sizeof *o);
    const unsigned family = byte(); /* most are elementwise, as most of the library is */
    o->family = family % 16 < FAMILIES ? (enum family)(family % 16) : ELEMENTWISE;
    o->index = byte() % family_count(o->family);
    const unsigned kind = byte();
    o->pass = (int)(kind % ACTC_PASS_COUNT), o->tier = (int)(kind / 8 % 2), o->dtype = (int)(kind / 16 % 4);
    o->varies = (int)(kind / 64 % 2);
    o->rows = o->channels = o->run = o->hinges = 1;
    lengths = o->family == ROWS ? LONGEST_ROW : LONGEST;
    o->length = some_length(lengths);
    if (o->family == ROWS) {
        o->rows = some_length(70);
        while (o->rows * o->length > ELEMENTS) o->rows /= 2;
    } else if (o->family == CHANNELS) {
        o->channels = 1 + some_length(40), o->run = 1 + some_length(130);
        o->length = o->length / 8 % 9 * o->channels * o->run;
        if (o->length > ELEMENTS) o->length = o->channels * o->run;
    } else if (o->family == APL) {
        o->hinges = byte() % (HINGES + 1);
    } else if (o->family == RRELU) {
        o->lower = some_parameter(1.0 / 8), o->upper = some_parameter(1.0 / 3);
    }
    if (o->family >= RRELU) o->key = word(8), o->first = word(8), o->high = word(8);
}

static void some_setting(const operation *o, setting *s)
{
    static const unsigned modes[] = {0x1F80, 0x1F80, 0x1F80, 0x9FC0, 0x3F80, 0x5F80, 0x7F80, 0xDFC0,
                                     0x0000, 0x9F80, 0x1FC0, 0x1FBF, 0xE040, 0x8000, 0x6000, 0x1F80};
    const size_t outputs_of_own = o->pass == ACTC_PARAMETER_BACKWARD ? 0 : 2;
    s->environment = modes[byte() % 16];
    s->cut = byte() % 4 ? (size_t)-1 : word(2) % (o->length + 1);
    const unsigned over = byte(), same = byte();
    int layout[3] = {0, 0, 0};
    for (int k = 0; k < o->count; k++) {
        const operand *a = &o->all[k];
        s->over[k] = -1;
        if (k == 0 || !(same & 1)) /* else all as the first, which is what the direct ways take */
            for (int i = 0; i < 3; i++) layout[i] = (int)byte();
        memcpy(s->layout[k], layout, sizeof layout);
        const int i = (int)(over / 4) % (o->inputs ? o->inputs : 1);
        if (a->is_output && over % 4 == 1 && outputs_of_own && o->inputs && a->rows == o->all[i].rows &&
            a->length == o->all[i].length) {
            int taken = 0;
            for (int j = 0; j < k; j++) taken |= s->over[j] == i;
            if (!taken) s->over[k] = i;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    operation o, reference;
    setting s;
    char *plain[ALL_MAX], *want[ALL_MAX];
    bytes = data, left = size;
    some_operation(&o);
    if (!describe(&o)) return -1;
    some_setting(&o, &s);
    size_t count;
    const actc_parameter *const parameters = parameters_of(&o, &count);
    for (int k = 0; k < o.count; k++) {
        const size_t n = elements_of(&o.all[k]), bytes_of = n * item_size[o.all[k].dtype];
        plain[k] = allocate(bytes_of), want[k] = NULL;
        if (o.all[k].is_output) {
            want[k] = plain[k];
            memset(want[k], 0, bytes_of);
        } else if (k < o.inputs) {
            some_values(o.dtype, plain[k], n);
        } else { /* a few values of each parameter, over and over */
            double few[5];
            for (int i = 0; i < 5; i++)
                few[i] = i && n == 1
                             ? 0
                             : some_parameter(
                                   parameters && o.family != CHANNELS ? parameters[k - o.inputs].default_value : 0.25);
            for (size_t i = 0; i < n; i++) set_bits_at(ACTC_F64, plain[k], i, double_bits(few[i % 7 % 5]));
        }
    }

    if (actc_use_isa("scalar")) abort();
    reference = o;
    for (int k = 0; k < o.count; k++) set_contiguous(&reference.all[k], plain[k]);
    s.refused = perform(&reference, 0, reference.length);
    if (s.refused) complain("refused", &o, -1, 0, (const char *const *)plain, NULL, NULL);
    for (size_t i = 0; actc_isa_at(i); i++) {
        operation again = o;
        actc_use_isa(actc_isa_at(i));
        try_one(&again, &s, plain, want);
    }
    for (int k = 0; k < o.count; k++) free(plain[k]);
    return 0;
}

#ifdef REPLAY
int main(int argc, char **argv)
{
    static uint8_t data[4096];
    unsigned long done = 0;
    if (argc > 2 && !strcmp(argv[1], "random")) {
        const unsigned long count = strtoul(argv[2], NULL, 10), seed = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
        for (; done < count; done++) {
            for (size_t i = 0; i < 128; i++) data[i] = (uint8_t)(hash(seed, done * 128 + i) >> 32);
            LLVMFuzzerTestOneInput(data, 128);
        }
    }
    for (int i = 1; i < argc && !done; i++) {
        FILE *f = fopen(argv[i], "rb");
        if (!f) return printf("cannot open %s\n", argv[i]), EXIT_FAILURE;
        LLVMFuzzerTestOneInput(data, fread(data, 1, sizeof data, f));
        fclose(f);
    }
    printf("fuzz: %lu inputs, no failure\n", done ? done : (unsigned long)(argc - 1));
    return EXIT_SUCCESS;
}
#endif
