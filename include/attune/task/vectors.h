// Texts as vectors: how they are made of hidden states, how pairs of texts train them, and a linear head on top. The
// model is one without a head (models::Task::base): pooling and head are the task's.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

#include "attune/nn/layout.h"
#include "attune/task/task.h"

namespace attune::task {

/// As sentence-transformers pools.
struct Pooling {
  bool first_token = false;  ///< the first token's state stands for the text, else the mean of all tokens' states
  bool normalize = false;    ///< vectors are scaled to length 1

  bool operator==(const Pooling&) const = default;
};

/// [sequences, hidden] of the last hidden states [T, hidden] of a packed stream; differentiable.
at::Tensor pooled(const at::Tensor& hidden, const nn::Layout& layout, const Pooling& pooling);

/// Two texts as one row: `alike` is the target, and the first one's example the row's.
Encoded pair_of(const Encoded& first, const Encoded& second, bool alike);

struct PairOptions {
  Pooling pooling;
  /// Equal texts of a batch go through the network once, but for a text that is paired with itself, which goes twice.
  /// Without dropout nothing changes. With it the pairs of a batch that have a text in common have its mask in common,
  /// where the reference draws one for each; a pair for itself is distributed as there, and so is the mean gradient.
  bool merges_equal = false;
};

/// Contrastive training: rows are pairs, the loss of a pair is (cos(u, v) - 1 or 0)², as sentence-transformers'
/// CosineSimilarityLoss. Rows may also be single texts: `predict` gives the vector of a row's (first) text as its
/// logits.
std::unique_ptr<Task> make_pair_task(const PairOptions& options);

/// Logits are weight · vector + bias.
struct VectorHead {
  Pooling pooling;
  at::Tensor weight;  ///< float32 [labels, hidden]
  at::Tensor bias;    ///< float32 [labels]
};

/// `classification` on the logits of `head`, of a model without a head.
std::unique_ptr<Task> with_head(std::unique_ptr<Task> classification, VectorHead head);

}  // namespace attune::task
