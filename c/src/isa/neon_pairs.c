#include "../internal.h"
#if ACTC_HAS_NEON
#define ISA neon
#define VECTORS "vec/neon.h"
#define DOUBLE 1
#define PAIRS 1
#include "../unit.h"
#endif
