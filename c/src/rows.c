/* rows.c - functions of whole rows: the table as data, how lanes are laid over rows, and the exported symbols. */
#include "environment.h"
#include "internal.h"
#include "parameters.h"
#include "system.h"

/* beyond ROUNDED, halves take doubles */
enum kind { CHOSEN, TWICE_FORWARD, TWICE_BACKWARD, ROUNDED, NARROWED, NARROWED_LONG };
enum {
#define ROW(name, ...) row_##name,
#include "../include/actc/rows.def"
#undef ROW
    ROW_COUNT
};

#define ROW(name, parameters, ...) static const actc_parameter name##_parameters[] = PARAMETERS_##parameters;
#include "../include/actc/rows.def"
#undef ROW

static const actc_row table[ROW_COUNT] = {
#define ROW(row, parameter_list, kind, of_shape, ...)                                                                  \
    {.struct_size = sizeof(actc_row),                                                                                  \
     .name = #row,                                                                                                     \
     .index = row_##row,                                                                                               \
     .parameter_count = COUNT_##parameter_list,                                                                        \
     .parameters = row##_parameters,                                                                                   \
     .shape = ACTC_##of_shape,                                                                                         \
     __VA_ARGS__},
#include "../include/actc/rows.def"
#undef ROW
};
static const unsigned char kind_of[ROW_COUNT] = {
#define ROW(name, parameters, kind, ...) kind,
#include "../include/actc/rows.def"
#undef ROW
};

size_t actc_row_count(void) { return ROW_COUNT; }
const actc_row *actc_row_at(size_t index) { return index < ROW_COUNT ? &table[index] : NULL; }
const actc_row *actc_row_find(const char *name)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (!strcmp(name, table[i].name)) return &table[i];
    return NULL;
}

/* ---- one call ---- */

enum {
    SCRATCH = 1 << 16, /* bytes that all staged operands share: a thread's stack may be small */
    LINE = 64,         /* bytes of a line of the cache: a vector on two of them takes a tenth more */
    /* Between staged operands, for loads wait for stores that agree with them in twelve bits of the address: a tenth again,
       and of rows of two a fifth. */
    APART = 9 * LINE,
    /* Rows that are columns of memory: each run of vectors is a line of its own, in a page of its own, which no processor
       foresees. So many vectors ahead (24 did as well): 1000 x 1000 doubles 1.5 ns an element instead of 5. Twice as many
       where a panel is larger than L2 (2000 x 2000 floats: softmax 0.44 to 0.34, standardize 0.54 to 0.49). */
    AHEAD = 48,
    L2 = 1 << 20,     /* of the processors at hand */
    STAGED = 1 << 14, /* bytes of short rows side by side: two operands then fill a small L1, and more of them lose */
    MAX_OPERANDS = MAX_ROW_INPUTS + MAX_ROW_OUTPUTS
};

/* An operand of n elements a row: from row to row it advances by `outer` bytes, within one by `inner`. */
typedef struct operand {
    char *at;
    ptrdiff_t outer, inner;
    int is_one; /* one element a row */
} operand;

/* Inputs first; each half of a doubled row is an operand of its own. */
typedef struct call {
    size_t row;
    int pass, exact, inputs, operands;
    enum actc_dtype dtype;
    operand all[MAX_OPERANDS];
    const char *parameters[MAX_PARAMETERS];
    ptrdiff_t parameter_steps[MAX_PARAMETERS];
    size_t rows, length;
} call;

static memory *memory_of(const call *c, panel *p, int k) { return k < c->inputs ? &p->in[k] : &p->out[k - c->inputs]; }

/* Rows [at, at + width) where they lie. */
static void place(const call *c, panel *p, size_t at, int lanes)
{
    for (int k = 0; k < c->operands; k++) {
        const operand *o = &c->all[k];
        const memory m = {o->at + (ptrdiff_t)at * o->outer, p->along ? o->inner * lanes : o->inner,
                          p->along ? o->inner : o->outer};
        *memory_of(c, p, k) = m;
    }
    for (size_t i = 0; i < table[c->row].parameter_count; i++)
        p->parameters[i] = *(const double *)(c->parameters[i] + (ptrdiff_t)at * c->parameter_steps[i]);
}

/* The rows of a panel one by one, whatever its operands are. */
static void apply_any(const unit *u, const call *c, const panel *p, row_kernel *const *kernels)
{
    for (size_t r = 0; r < p->width; r++) {
        panel row = *p;
        row.width = row.along = 1;
        for (int k = 0; k < c->operands && !p->along; k++) {
            memory *m = memory_of(c, &row, k);
            const memory one = {m->at + (ptrdiff_t)r * m->lane, m->step * u->lanes, m->step};
            *m = one;
        }
        kernels[ANY](&row);
    }
}
/* Operands of the unit's own type. */
static void apply_own(const unit *u, const call *c, panel *p, row_kernel *const *kernels)
{
    p->dtype = u->read[ACTC_F64] ? ACTC_F64 : ACTC_F32;
    if (!kernels[p->along ? ALONG : ACROSS](p)) apply_any(u, c, p, kernels);
}

/* a constant number of bytes is a few moves, and any other is a call */
static void copy_vector(char *to, const char *from, size_t bytes)
{
    if (bytes == 64)
        memcpy(to, from, 64);
    else if (bytes == 32)
        memcpy(to, from, 32);
    else
        memcpy(to, from, bytes);
}
/* Whether rows are turned: by vectors of each, not worth it where those would have but few elements (7 of 16, 5 of 8, 3 of 4);
   or, with nothing between them, by their neighbours. */
static int transposes(const unit *u, const panel *p, int own, const memory *outside, ptrdiff_t size, size_t n)
{
    const int is_dense = outside->lane == (ptrdiff_t)n * size && (n == 2 || n == 4);
    return !p->along && own && outside->step == size && ((size_t)u->lanes + 4 < 3 * n || is_dense) &&
           u->columns_of_rows;
}
/* One operand, n elements of each of `width` rows, to the scratch memory `m` or from there */
static void turn(const unit *u, memory outside, memory m, size_t width, size_t n, int is_input)
{
    if (is_input)
        u->columns_of_rows(outside.at, outside.lane, width, n, m.at, m.step);
    else
        u->rows_of_columns(m.at, m.step, outside.at, outside.lane, width, n);
}
/* The same without turning: all rows' first elements, all their second ...; a call for each vector took a third of the time
   of rows of two. */
static void stage(const unit *u, const panel *p, enum actc_dtype dtype, int own, memory outside, memory m, size_t n,
                  size_t real, int is_input)
{
    const size_t lanes = (size_t)u->lanes, vectors = p->along ? 1 : n, in_vector = p->along ? n : p->width;
    const size_t padding = p->along ? 0 : lanes * p->rows - p->width;
    for (size_t i = 0; i < vectors; i++) {
        char *at = outside.at + (ptrdiff_t)i * outside.step, *reals = m.at + (ptrdiff_t)i * m.step;
        if (own && outside.lane == (ptrdiff_t)real && in_vector == lanes) {
            copy_vector(is_input ? reals : at, is_input ? at : reals, lanes * real);
        } else if (is_input) {
            u->read[dtype](at, outside.lane, reals, in_vector);
            if (padding) memset(reals + p->width * real, 0, padding * real);
        } else
            u->write[dtype](reals, at, outside.lane, in_vector);
    }
}
/* Of a row along memory, what has nothing between its elements stays where it is. */
static int stays(const panel *p, int own, const memory *outside, size_t real)
{
    return p->along && own && outside->lane == (ptrdiff_t)real;
}
static void stage_all(const unit *u, const call *c, const panel *p, const memory *outside, int own, size_t real,
                      int first, int end)
{
    for (int k = first; k < end; k++) {
        if (stays(p, own, &outside[k], real)) continue;
        const size_t n = c->all[k].is_one ? 1 : p->length;
        const memory m = k < c->inputs ? p->in[k] : p->out[k - c->inputs];
        if (transposes(u, p, own, &outside[k], (ptrdiff_t)real, n))
            turn(u, outside[k], m, p->width, n, k < c->inputs);
        else
            stage(u, p, c->dtype, own, outside[k], m, n, real, k < c->inputs);
    }
}

/* Whether the first output takes the last input's scratch memory: kernels allow that where both are whole rows. Short
   ones have memory of their own, for then softmax may try without a maximum. */
static int in_place(const call *c, size_t a_vector)
{
    return !c->all[c->inputs - 1].is_one && !c->all[c->inputs].is_one &&
           c->length > SCRATCH / (size_t)c->operands / a_vector;
}

/* The same through scratch memory in the unit's own type. */
static void staged(const unit *u, const call *c, panel *p, row_kernel *const *kernels, int own, size_t real,
                   size_t room, int shares, char *scratch)
{
    memory outside[MAX_OPERANDS];
    const size_t width = p->width, vector = (size_t)u->lanes * real;
    for (int k = 0; k < c->operands; k++) {
        memory *m = memory_of(c, p, k);
        outside[k] = *m;
        if (stays(p, own, m, real)) continue;
        m->at = scratch + (size_t)(k - (k >= c->inputs && shares)) * (room + APART);
        m->lane = (ptrdiff_t)real;
        m->step = (ptrdiff_t)(vector * p->rows);
    }
    stage_all(u, c, p, outside, own, real, 0, c->inputs);
    p->width = p->along ? 1 : (size_t)u->lanes * p->rows; /* the rest are rows of zeros, or the last row again */
    apply_own(u, c, p, kernels);
    p->width = width;
    stage_all(u, c, p, outside, own, real, c->inputs, c->operands);
}

static size_t size_of(ptrdiff_t stride) { return (size_t)(stride < 0 ? -stride : stride); }

/* One number for all rows, as a gradient that is a scalar: kernels that take rows side by side want one for each. */
static int is_repeated(const call *c, int k) { return k < c->inputs && c->all[k].is_one && !c->all[k].outer; }

/* The call with n copies of such numbers, in memory for one operand: no kernel has more that are one a row. */
static call with_copies(const unit *u, const call *c, size_t n, void *memory)
{
    call made = *c;
    for (int k = 0; k < c->inputs; k++) {
        if (!is_repeated(c, k)) continue;
        u->read[c->dtype](c->all[k].at, 0, memory, n);
        made.all[k].at = memory;
    }
    return made;
}

/* How a call's rows are taken, up to `most` at once. */
typedef struct {
    int along, direct; /* direct: where they lie, and not in scratch memory */
    int all;           /* they are all that there are, with nothing between their elements */
    int flat;          /* whether vectors of different elements of a row count as neighbours */
    size_t most;
} layout;

/* The next rows of at most n. */
static void shape(panel *p, const layout *l, size_t n, size_t lanes)
{
    p->width = n < l->most ? n : l->most;
    p->vectors = p->rows = (p->width + lanes - 1) / lanes;
    p->row_mask = (size_t)-1;
    p->flat = l->flat;
    if (!p->flat) return;
    /* a row's elements are in other lanes of each vector, or in other vectors than v & row_mask tells, until after MAX_LANES */
    if (l->all && (p->width % lanes || p->rows & (p->rows - 1))) {
        p->vectors = p->rows = p->width * MAX_LANES / lanes;
        return;
    }
    while (p->rows & (p->rows - 1)) p->rows &= p->rows - 1; /* a power of two */
    if (p->width > p->rows * lanes) p->width = p->rows * lanes;
    p->vectors = p->rows * MAX_LANES;
    p->row_mask = p->rows - 1;
}

static void run_with(const unit *u, const call *c)
{
    row_kernel *const *kernels = u->rows[c->row][c->pass];
    const ptrdiff_t size = (ptrdiff_t)item_size[c->dtype];
    const int is_double = u->read[ACTC_F64] != NULL, own = c->dtype == (is_double ? ACTC_F64 : ACTC_F32);
    const size_t lanes = (size_t)u->lanes, real = is_double ? 8 : 4;
    int lines_along = 1, lines_across = 1, dense = 1, varies = 0, repeats = 0;
    double stack[(SCRATCH + MAX_OPERANDS * APART + LINE) / sizeof(double)];
    char *const scratch = (char *)stack + (LINE - (uintptr_t)stack % LINE);
    call copied;
    layout l;
    panel p;

    for (int k = 0; k < c->operands; k++) {
        lines_along &= c->all[k].is_one || c->all[k].inner == size || c->length == 1;
        lines_across &= c->all[k].outer == size || is_repeated(c, k);
        repeats |= is_repeated(c, k);
        dense &= c->all[k].is_one || c->all[k].inner == size * (ptrdiff_t)c->rows;
    }
    for (size_t i = 0; i < table[c->row].parameter_count; i++) varies |= c->parameter_steps[i] != 0;

    /* the room of each staged operand in the scratch */
    const int shares = in_place(c, real * lanes);
    const size_t room = SCRATCH / (size_t)(c->operands - shares) / LINE * LINE;
    const size_t most_along = room / real, most_across = room / real / lanes;
    /* Short rows go across: the longest vector would be half empty, and each row has a sum to finish: quickly in backward from
       y, but with a logarithm or a root forward (100 floats along: softmax' 0.45 ns instead of 0.75, log_softmax 1.2, 0.85). */
    const int is_quick = c->pass == ACTC_BACKWARD && table[c->row].from[0] == 'y';
    const int is_short = c->length < (is_quick ? 4 * lanes : lanes < 8 ? 16 * lanes : 128);
    const operand *x = &c->all[c->inputs - 1];
    const int is_close = size_of(x->outer) < size_of(x->inner); /* neighbours of different rows lie nearer together */
    l.along = varies || c->rows <= 1 ||
              !(lines_across ? own || c->length <= most_across : (is_short || is_close) && c->length <= most_across);
    l.direct = own && (l.along ? lines_along : lines_across);
    /* As many vectors of rows side by side as the kernels have room for: all columns that there are, or panels; of short rows
       as many as stay in the cache. */
    size_t beside = lanes == 1 ? 1 : FLAT;
    l.all = !l.along && l.direct && dense && c->length >= 4 * MAX_LANES && c->rows <= beside * lanes && lanes > 1;
    /* What is staged is flat too, for long loops; but to put maxima together costs more than short rows gain (maxout' of two
       1.16 to 0.84 ns, hardmax 1.06 to 0.77). */
    const int kind = kind_of[c->row], is_brief = kind == CHOSEN && c->length < MAX_LANES;
    l.flat = l.all || (!l.along && !l.direct && !is_brief && lanes > 1);
    const int is_twice = kind == (c->pass == ACTC_FORWARD ? TWICE_FORWARD : TWICE_BACKWARD);
    if (l.direct && !l.all && lanes > 1) beside = kind == CHOSEN ? WIDE_PANEL : is_twice ? PANEL / 2 : PANEL;
    while (!l.direct && beside > 1 && c->length * beside * lanes * real > (STAGED < room ? STAGED : room)) beside /= 2;
    l.most = l.along ? 1 : beside * lanes;
    p.length = c->length;
    p.along = l.along;
    p.parameters[0] = -1; /* softmin is softmax at this temperature */
    const size_t across = l.most < c->rows ? beside : (c->rows + lanes - 1) / lanes; /* vectors of a run */
    p.ahead = across < AHEAD ? (ptrdiff_t)(AHEAD / (across ? across : 1)) : 1;
    if (c->length * beside * lanes * real > L2) p.ahead *= 2;
    /* panels: the first ends where a line of the cache does, so that the others do not split any between two */
    const uintptr_t off = (uintptr_t)c->all[c->operands - 1].at % LINE;
    const size_t before_line = l.along || !l.direct || c->rows <= l.most || off % real ? 0 : off / real % lanes;
    if (repeats && l.direct && !l.along) {
        copied =
            with_copies(u, c, l.most < c->rows ? l.most : c->rows, scratch); /* which rows where they lie leave free */
        c = &copied;
    }
    for (size_t at = 0; at < c->rows; at += p.width) {
        shape(&p, &l, at ? c->rows - at : l.most - before_line < c->rows ? l.most - before_line : c->rows, lanes);
        place(c, &p, at, (int)lanes);
        if (l.direct)
            apply_own(u, c, &p, kernels);
        else if (c->length <= (l.along ? most_along : most_across)) {
            /* The next panel, while this one is computed: masked loads and stores, which turn rows, take three times as long
               as others where they miss (rows of ten that are not in the cache: softmax 0.95 to 0.65 ns, backward 1.29 to
               0.98). Not a function of its own: gcc 12 deletes what only prefetches. */
            const size_t next = at + p.width, left = c->rows - next, fetched = p.width < left ? p.width : left;
            for (int k = 0; k < c->operands && !l.along; k++) {
                const operand *o = &c->all[k];
                const ptrdiff_t row = o->is_one ? size : (ptrdiff_t)c->length * size;
                const char *from = o->at + (ptrdiff_t)next * o->outer, *end = from + (ptrdiff_t)fetched * o->outer;
                if (o->outer < row || o->outer > 2 * row) continue;
                for (; from < end; from += LINE) PREFETCH(from);
            }
            staged(u, c, &p, kernels, own, real, room, shares, scratch);
        } else {
            p.dtype = c->dtype;
            apply_any(u, c, &p, kernels);
        }
    }
}

/* Rows [first, first + rows) of a call. */
static call part_of(const call *c, size_t first, size_t rows)
{
    call part = *c;
    part.rows = rows;
    for (int k = 0; k < c->operands; k++) part.all[k].at += (ptrdiff_t)first * c->all[k].outer;
    for (size_t i = 0; i < table[c->row].parameter_count; i++)
        part.parameters[i] += (ptrdiff_t)first * c->parameter_steps[i];
    return part;
}
static const unit *unit_for(int is_double)
{
    const isa *in_use = actc_current_isa();
    const unit *u = is_double ? in_use->f64 : in_use->f32;
#if ACTC_HAS_SCALAR
    if (!u->rows) u = is_double ? &actc_scalar_f64 : &actc_scalar_f32;
#endif
    return u;
}

/* Halves of rows, as crelu's, know nothing of their rows: many short ones are few long ones that lie across. Each element of
   those is then a vector, or a few, and nothing is staged: rows of ten 0.87 to 0.32 ns, backward 0.96 to 0.38. */
static int may_lie_across(const call *c, ptrdiff_t size)
{
    int lines = c->length > 2 && c->length < 128 && c->rows > c->length;
    for (int k = 0; k < c->operands; k++) lines &= c->all[k].inner == size;
    return lines;
}
static void lay_across(call *c)
{
    const size_t rows = c->rows;
    c->rows = c->length, c->length = rows;
    for (int k = 0; k < c->operands; k++) {
        const ptrdiff_t outer = c->all[k].outer;
        c->all[k].outer = c->all[k].inner, c->all[k].inner = outer;
    }
}

/* One number a row, in floats, and where those left it open (NaN) in doubles. The result may lie on the row, of which the
   second look needs all: hence a place between. */
static void run_narrowed(const call *c)
{
    enum { AT_ONCE = 256 };
    const operand to = c->all[c->inputs];
    float y[AT_ONCE], z[AT_ONCE];
    for (size_t first = 0, n; first < c->rows; first += n) {
        n = c->rows - first < AT_ONCE ? c->rows - first : AT_ONCE;
        call part = part_of(c, first, n);
        part.all[c->inputs].outer = sizeof *y;
        part.all[c->inputs].at = (char *)y;
        run_with(unit_for(0), &part);
        part.all[c->inputs].at = (char *)z;
        size_t count = 0;
        for (size_t r = 0; r < n; r++) count += y[r] != y[r];
        const int all = count > n / 8 && c->length < 64; /* side by side that is quicker */
        for (size_t r = 0, open; r < n; r += open + 1) { /* neighbours together */
            for (open = 0; r + open < n && (all || y[r + open] != y[r + open]);) open++;
            if (!open) continue;
            const call again = part_of(&part, r, open);
            run_with(unit_for(1), &again);
        }
        for (size_t r = 0; r < n; r++)
            *(float *)(void *)(to.at + (ptrdiff_t)(first + r) * to.outer) = y[r] != y[r] ? z[r] : y[r];
    }
}

static int describe(call *c, const actc_row *row, int pass, enum actc_dtype dtype, char *const *data,
                    const ptrdiff_t *outer, const ptrdiff_t *inner, size_t rows, size_t length)
{
    const int which = pass & ~ACTC_EXACT, doubled = row->shape == ACTC_DOUBLED;
    const int inputs = which == ACTC_BACKWARD ? 2 : 1, outputs = which == ACTC_VALUE_AND_DERIVATIVE ? 2 : 1;
    if ((unsigned)which >= ACTC_PASS_COUNT || (unsigned)dtype >= ACTC_DTYPE_COUNT || which == ACTC_PARAMETER_BACKWARD ||
        (!doubled && which != ACTC_FORWARD && which != ACTC_BACKWARD))
        return -1;
    if (!rows) return 0; /* then operands may be NULL */
    c->row = row->index;
    c->pass = which;
    c->exact = (pass & ACTC_EXACT) != 0;
    c->dtype = dtype;
    c->rows = rows;
    c->length = length;
    c->operands = c->inputs = 0;
    for (int k = 0; k < inputs + outputs; k++) {
        const int is_input = k < inputs, j = is_input ? k : k + (int)row->parameter_count;
        const int is_gradient = which == ACTC_BACKWARD && k == 0, is_x = is_input && !is_gradient;
        const int like_y = is_gradient || (!is_x && which != ACTC_BACKWARD);
        for (int half = 0; half < (doubled && like_y ? 2 : 1); half++) {
            const operand o = {data[j] + half * (ptrdiff_t)length * inner[j], outer[j], inner[j],
                               row->shape == ACTC_REDUCE && like_y};
            c->all[c->operands++] = o;
            c->inputs += is_input;
        }
    }
    for (size_t i = 0; i < row->parameter_count; i++) {
        c->parameters[i] = data[(size_t)inputs + i];
        c->parameter_steps[i] = outer[(size_t)inputs + i];
    }
    return 0;
}

/* and so does its inverse; 0 and infinity do */
static int fits_a_float(double v)
{
    const double a = v < 0 ? -v : v;
    return (a > 0x1p-100 && a < 0x1p100) || a == 0 || a - a != 0;
}

int actc_apply_rows(const actc_row *row, enum actc_pass pass, enum actc_dtype dtype, char *const *data,
                    const ptrdiff_t *outer, const ptrdiff_t *inner, size_t rows, size_t length)
{
    call c;
    if (describe(&c, row, pass, dtype, data, outer, inner, rows, length)) return -1;
    if (!rows) return 0;
    const environment before = enter();
    /* of one element logsumexp is that element, to the last bit in doubles only */
    const int kind = kind_of[c.row], is_long = length > (kind == NARROWED_LONG && c.pass == ACTC_FORWARD ? 63 : 1);
    const int is_narrowed = kind > ROUNDED && dtype == ACTC_F32 && is_long;
    /* floats count to 2^24, and rows have counts and positions */
    int is_double = dtype == ACTC_F64 || c.exact || (kind > ROUNDED && !is_narrowed) || length > 1 << 24;
    for (size_t i = 0; i < row->parameter_count; i++)
        for (size_t r = 0; r < (c.parameter_steps[i] ? rows : 1); r++)
            is_double |= !fits_a_float(*(const double *)(c.parameters[i] + (ptrdiff_t)r * c.parameter_steps[i]));
    const int own = dtype == (is_double ? ACTC_F64 : ACTC_F32);
    if (row->shape == ACTC_DOUBLED && own && may_lie_across(&c, (ptrdiff_t)item_size[dtype])) lay_across(&c);
    if (is_narrowed && !is_double && c.pass == ACTC_FORWARD)
        run_narrowed(&c);
    else
        run_with(unit_for(is_double), &c);
    leave(before);
    return 0;
}

/* ---- the flat symbols ---- */

/* Contiguous operands. */
static void apply(size_t row, int pass, enum actc_dtype dtype, const void *const *in, int inputs, void *const *out,
                  int outputs, size_t rows, size_t length, const double *params)
{
    const actc_row *r = &table[row];
    const ptrdiff_t size = (ptrdiff_t)item_size[dtype];
    char *data[MAX_OPERANDS + MAX_PARAMETERS];
    ptrdiff_t outer[MAX_OPERANDS + MAX_PARAMETERS], inner[MAX_OPERANDS + MAX_PARAMETERS];
    const size_t of_y = r->shape == ACTC_REDUCE ? 1 : r->shape == ACTC_DOUBLED ? 2 * length : length;
    const int is_backward = (pass & ~ACTC_EXACT) == ACTC_BACKWARD, first_out = inputs + (int)r->parameter_count;
    for (int k = 0; k < first_out + outputs; k++) {
        const int is_output = k >= first_out, like_y = is_backward ? k == 0 : is_output;
        inner[k] = size;
        outer[k] = (ptrdiff_t)(like_y ? of_y : length) * size;
        if (k < inputs)
            data[k] = (char *)(uintptr_t)in[k];
        else if (is_output)
            data[k] = out[k - first_out];
        else
            data[k] = (char *)(uintptr_t)&params[k - inputs], outer[k] = 0;
    }
    actc_apply_rows(r, (enum actc_pass)pass, dtype, data, outer, inner, rows, length);
}

#define CALL(name, pass, tier, parameters, dtype, inputs, outputs)                                                     \
    const double values[] = VALUES_##parameters;                                                                       \
    apply(row_##name, (pass) | (tier), (enum actc_dtype)type_##dtype, in, inputs, out, outputs, rows, length, values)
#define DEFINE_ONE(symbol, pass, name, tier, parameters, dtype, real)                                                  \
    void symbol##_##dtype(const real *x, real *y, size_t rows, size_t length ACTC_DOUBLES_##parameters)                \
    {                                                                                                                  \
        const void *in[] = {x};                                                                                        \
        void *out[] = {y};                                                                                             \
        CALL(name, pass, tier, parameters, dtype, 1, 1);                                                               \
    }
#define DEFINE(symbol, name, tier, parameters, dtype, real)                                                            \
    DEFINE_ONE(symbol, ACTC_FORWARD, name, tier, parameters, dtype, real)                                              \
    void symbol##_backward_##dtype(const real *g, const real *from, real *gx, size_t rows,                             \
                                   size_t length ACTC_DOUBLES_##parameters)                                            \
    {                                                                                                                  \
        const void *in[] = {g, from};                                                                                  \
        void *out[] = {gx};                                                                                            \
        CALL(name, ACTC_BACKWARD, tier, parameters, dtype, 2, 1);                                                      \
    }
#define DEFINE_MORE(symbol, name, tier, parameters, dtype, real)                                                       \
    DEFINE_ONE(symbol##_derivative, ACTC_DERIVATIVE, name, tier, parameters, dtype, real)                              \
    DEFINE_ONE(symbol##_second_derivative, ACTC_SECOND_DERIVATIVE, name, tier, parameters, dtype, real)                \
    void symbol##_value_and_derivative_##dtype(const real *x, real *y, real *d, size_t rows,                           \
                                               size_t length ACTC_DOUBLES_##parameters)                                \
    {                                                                                                                  \
        const void *in[] = {x};                                                                                        \
        void *out[] = {y, d};                                                                                          \
        CALL(name, ACTC_VALUE_AND_DERIVATIVE, tier, parameters, dtype, 1, 2);                                          \
    }

#define DEFINITIONS_MAP(X, name, parameters) ACTC_SYMBOLS(X, name, parameters)
#define DEFINITIONS_REDUCE DEFINITIONS_MAP
#define DEFINITIONS_DOUBLED(X, name, parameters)                                                                       \
    ACTC_SYMBOLS(X, name, parameters) ACTC_SYMBOLS(DEFINE_MORE, name, parameters)
#define ROW(name, parameters, kind, shape, ...) DEFINITIONS_##shape(DEFINE, name, parameters)
#include "../include/actc/rows.def"
#undef ROW
