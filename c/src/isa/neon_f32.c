#include "../internal.h"
#if ACTC_HAS_NEON
#define ISA neon
#define VECTORS "vec/neon.h"
#define DOUBLE 0
#define PAIRS 0
#include "../unit.h"
#endif
