#include "../internal.h"
#if ACTC_HAS_AVX512
#define ISA avx512
#define TARGET "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"
#define VECTORS "vec/avx512.h"
#define DOUBLE 0
#define PAIRS 0
#define AT_ONCE 2
#include "../unit.h"
#endif
