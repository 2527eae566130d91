// The fused kernels for x86-64 with AVX2 and FMA. CMakeLists.txt gives this file its own flags.
#ifdef __AVX2__
#define ATTUNE_ISA avx2
#define ATTUNE_LANES 8
#include "kernels/all.h"
#endif
