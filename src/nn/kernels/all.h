// The body of each kernels_<isa>.cpp, which defines ATTUNE_ISA (namespace and name) and ATTUNE_LANES.
#include <cstddef>
#include <cstdint>

#include "kernels.h"

#define ATTUNE_TEXT_OF(x) #x
#define ATTUNE_TEXT(x) ATTUNE_TEXT_OF(x)

namespace attune::nn::kernels::ATTUNE_ISA {

namespace {
#include "vec.h"
// the kernels, in terms of the vectors
#include "rows.h"
// need clear(), over_blocks() and the gates of rows.h
#include "attention.h"
#include "decoder.h"
#include "loss.h"

template <class T>
constexpr RowKernels<T> kRows{dropout<T>,           layer_norm_forward<T>, layer_norm_backward<T>, gate_forward<T>,
                              gate_backward<T>,     gated_forward<T>,      gated_backward<T>,      rms_norm_forward<T>,
                              rms_norm_backward<T>, rotate<T, float>,      rotate<float, T>,       column_sums<T>};

template <class K, class V>
constexpr AttentionKernels<K, V> kAttention{attention_scratch<K, V>, attention_forward<K, V>, attention_backward<K, V>};
}  // namespace

extern const Table kTable;
const Table kTable{{add_rows<float>, sum_blocks, cross_entropy<float>, add_to<BFloat16>},
                   kRows<float>,
                   kRows<BFloat16>,
                   kAttention<float, float>,
                   kAttention<BFloat16, BFloat16>,
                   kAttention<float, BFloat16>,
                   ATTUNE_TEXT(ATTUNE_ISA)};

}  // namespace attune::nn::kernels::ATTUNE_ISA
