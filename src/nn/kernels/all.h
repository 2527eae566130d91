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
}  // namespace

extern const Table kTable;
const Table kTable{ATTUNE_TEXT(ATTUNE_ISA),
                   dropout<float>,
                   layer_norm_forward<float>,
                   layer_norm_backward<float>,
                   gate_forward<float>,
                   gate_backward<float>,
                   attention_scratch<float>,
                   attention_forward<float>,
                   attention_backward<float>,
                   add_rows<float>,
                   column_sums<float>,
                   sum_blocks,
                   rms_norm_forward<float>,
                   rms_norm_backward<float>,
                   rotate<float>,
                   gated_forward<float>,
                   gated_backward<float>,
                   cross_entropy<float>};

}  // namespace attune::nn::kernels::ATTUNE_ISA
