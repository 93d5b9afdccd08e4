#include "../internal.h"
#if ACTC_HAS_AVX2
#define ISA avx2
#define TARGET "avx2,fma,f16c"
#define VECTORS "vec/avx2.h"
#define DOUBLE 0
#define PAIRS 0
#include "../unit.h"
#endif
