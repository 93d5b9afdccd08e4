/* gate_loops.h - from gates.def the loops of every gate. */

#define GATE_LOOP(name, suffix, pass, parameters, activation, gate)                                                    \
    static void name##_gate_##suffix(const void *const *in, void *const *out, size_t n, const void *const *values,     \
                                     size_t step)                                                                      \
    {                                                                                                                  \
        (void)values, (void)step;                                                                                      \
        run(activation##_body, pass, gate, COUNT_##parameters, in, out, n, values, step);                              \
    }

/* Which loops a unit has of a gate, by its kind: as for the activations in loops.h. */
#if PAIRS
#define GATES_EXACT(name, parameters, activation)
#define GATE_LISTED_EXACT(name) NULL
#define GATES_ROUNDED(name, parameters, activation) GATE_LOOP(name, odd, ODD, parameters, activation, GATED)
#define GATE_LISTED_ROUNDED(name) [ODD] = name##_gate_odd
#define GATES_CLAMPED(name, parameters, activation) GATE_LOOP(name, odd, ODD, parameters, activation, CLAMPED)
#else
#define GATES_OF(name, parameters, activation, gate)                                                                   \
    GATE_LOOP(name, forward, ACTC_FORWARD, parameters, activation, gate)                                               \
    GATE_LOOP(name, backward, ACTC_BACKWARD, parameters, activation, gate)
#define GATES_ROUNDED(name, parameters, activation) GATES_OF(name, parameters, activation, GATED)
#define GATE_LISTED_ROUNDED(name) [ACTC_FORWARD] = name##_gate_forward, [ACTC_BACKWARD] = name##_gate_backward
#define GATES_EXACT GATES_ROUNDED
#define GATE_LISTED_EXACT GATE_LISTED_ROUNDED
#define GATES_CLAMPED(name, parameters, activation) GATES_OF(name, parameters, activation, CLAMPED)
#endif
#define GATE_LISTED_CLAMPED GATE_LISTED_ROUNDED

#define GATE(name, parameters, activation, kind, ...) GATES_##kind(name, parameters, activation)
#include "../include/actc/gates.def"
#undef GATE

static loop *const gates[][LOOP_COUNT] = {
#define GATE(name, parameters, activation, kind, ...) {GATE_LISTED_##kind(name)},
#include "../include/actc/gates.def"
#undef GATE
    {NULL} /* as in rows.h */
};
