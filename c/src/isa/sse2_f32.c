#include "../internal.h"
#if ACTC_HAS_SSE2
#define ISA sse2
#define TARGET "sse2"
#define VECTORS "vec/sse2.h"
#define DOUBLE 0
#define COMPACT 1
#define PAIRS 0
#include "../unit.h"
#endif
