// Where in a network dropout acts: the numbers of its sites, which together with the batch's keys fix every mask.
#pragma once

#include "attune/models/model.h"

namespace attune::models {

/// Dropout at a site of a stage, for the rows of the stream that the stage computes.
nn::DropoutSite dropout_site(const Context& context, int stage, int number, double p);
nn::DropoutSite dropout_site(const Context& context, int stage, int number, double p, const Rows& rows);

/// Sites: 0 embeddings; 3i+1, 3i+2, 3i+3 attention, its output, feed-forward output of block i; then the head's.
inline int block_site(int block, int which) {
  return 3 * block + 1 + which;
}

}  // namespace attune::models
