/* run.c - which loops a call takes: the unit's own on contiguous arrays, or by blocks. */
#include "call.h"
#include "environment.h"
#include "pairwise.h"
#include "parameters.h"
#include "system.h"

/* The float unit holds a parameter as the sum of three floats, with nothing lost to overflow or underflow. */
static const fits in_floats = {1, FLOATS_FROM, FLOATS_TO};
/* Pairs of doubles lose their low parts near overflow and underflow; there the ordinary double kernel is as good. */
static const fits in_pairs = {0, 0x1p-500, 0x1p500};

/* The loop for contiguous halves that spares the way through blocks (relu 0.08 ns an element instead of 0.20), if any. */
static halves_loop *halves_loop_of(const isa *in_use, const call *c, size_t n)
{
    if (!in_use->f32->halves || c->dtype > ACTC_BF16 || c->pass > ACTC_BACKWARD || n < MAX_LANES) return NULL;
    for (int i = 0; i < c->inputs + c->parameters + c->outputs; i++)
        if (c->strides[i] != 2) return NULL;
    return in_use->f32->halves[c->row][c->dtype][c->pass];
}

/* Sums of g df/dp. */
static OWN_FRAME void parameter_sums(const isa *in_use, const call *c, size_t total)
{
    block s;
    pairwise sums[MAX_PARAMETERS];
    const void *parameters[SUMMANDS * MAX_PARAMETERS];
    void *out[MAX_PARAMETERS];
    POINT_TO(s.parameters, MAX_PARAMETERS, parameters);
    for (int i = 0; i < MAX_PARAMETERS; i++) {
        out[i] = s.out[i];
        sums[i].blocks = 0;
    }
    for (size_t at = 0, n; at < total; at += n) {
        const void *in[2];
        n = total - at < SUM_BLOCK ? total - at : SUM_BLOCK;
        gather(in_use->f64, 0, c, at, n, &s, in);
        in_use->f64->loops[c->row][c->pass](in, out, n, parameters, (size_t)parameters_vary(c));
        for (int i = 0; i < c->parameters; i++) add_block(&sums[i], s.out[i], n);
    }
    for (int i = 0; i < c->parameters; i++) *(double *)c->data[c->inputs + c->parameters + i] = total_of(&sums[i]);
}

/* What has no loop in the float unit. */
/* Halves of NARROWED rows too: near a zero of f, five bits less of a parameter are one half or another. */
static int is_wide(const call *c)
{
    const int kind = actc_kind_of[c->row];
    return kind == WIDE || c->pass == ACTC_SECOND_DERIVATIVE || (kind == NARROWED && c->dtype < ACTC_F32);
}

/* The identity on contiguous arrays, whatever its name, of an element at least: memmove takes no NULL. */
static int is_copy(const call *c, size_t n)
{
    const ptrdiff_t size = (ptrdiff_t)item_size[c->dtype];
    return n && c->pass == ACTC_FORWARD && !strcmp(actc_at(c->row)->formula, "x") &&
           (n == 1 || (c->strides[0] == size && c->strides[1] == size));
}

void actc_run(const call *c, size_t n)
{
    if (is_copy(c, n)) {
        memmove(c->data[1], c->data[0], n * item_size[c->dtype]); /* NumPy lets operands overlap */
        return;
    }
    const isa *in_use = actc_current_isa();
    halves_loop *const of_halves = halves_loop_of(in_use, c, n);
    const environment before = enter();
    if (c->pass == ACTC_PARAMETER_BACKWARD) {
        parameter_sums(in_use, c, n);
    } else if (c->dtype != ACTC_F64 && (is_wide(c) || (c->dtype == ACTC_F32 && c->exact))) {
        actc_through_blocks(in_use, in_use->f64, in_use->f64->loops[c->row][c->pass], NULL, c, n);
    } else if (of_halves) {
        const uint16_t *in[2] = {(const uint16_t *)c->data[0], (const uint16_t *)c->data[1]};
        of_halves(in, (uint16_t *)c->data[c->inputs], n);
    } else if (c->dtype < ACTC_F32) {
        actc_through_blocks(in_use, in_use->f32, in_use->f32->loops[c->row][c->pass], &in_floats, c, n);
    } else {
        const unit *u = c->dtype == ACTC_F32 ? in_use->f32 : in_use->f64;
        const int paired = c->exact && in_use->pairs->loops[c->row][c->pass] != NULL;
        loop *f = paired ? in_use->pairs->loops[c->row][c->pass] : u->loops[c->row][c->pass];
        const fits *fit = c->dtype == ACTC_F32 ? &in_floats : paired ? &in_pairs : NULL;
        const ptrdiff_t size = (ptrdiff_t)item_size[c->dtype];
        int direct = 1;
        for (int i = 0; i < c->inputs + c->parameters + c->outputs; i++) {
            int is_parameter = i >= c->inputs && i < c->inputs + c->parameters;
            if (is_parameter)
                direct &= c->strides[i] == 0 && (!fit || fits_in(fit, *(double *)c->data[i]));
            else
                direct &= c->strides[i] == size || n == 1;
        }
        if (direct) {
            PARAMETER_ROOM(MAX_LANES) lanes[MAX_PARAMETERS];
            const void *parameters[SUMMANDS * MAX_PARAMETERS];
            for (int i = 0; i < c->parameters; i++)
                u->split(c->data[c->inputs + i], 0, lanes + i, MAX_LANES, MAX_LANES);
            POINT_TO(lanes, c->parameters, parameters);
            const void *in[2] = {c->data[0], c->data[1]};
            void *out[2] = {c->data[c->inputs + c->parameters], c->data[c->inputs + c->parameters + c->outputs - 1]};
            const size_t first = before_line(in[0], (size_t)size, n, actc_kind_of[c->row] == EXACT);
            if (first) {
                f(in, out, first, parameters, 0);
                for (int i = 0; i < c->inputs; i++) in[i] = (const char *)in[i] + first * (size_t)size;
                for (int i = 0; i < 2; i++) out[i] = (char *)out[i] + first * (size_t)size;
            }
            f(in, out, n - first, parameters, 0);
        } else {
            actc_through_blocks(in_use, u, f, fit, c, n);
        }
    }
    leave(before);
}
