// Between the reference's padded batches [B, S] and packed streams.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

#include "attune/models/model.h"

namespace attune::probe {

enum class Padding {
  dropped,  ///< only tokens with attention_mask 1 are in the stream
  fed       ///< padding is in the stream, but is no key of attention
};

struct PaddedBatch {
  models::Input input;
  at::Tensor rows;  ///< int64 [T]: flat index b·S + s of each row of the stream
  std::int64_t batch = 0, length = 0;

  /// [T, …] → [B, S, …], zeros where nothing was packed. Differentiable.
  at::Tensor unpack(const at::Tensor& stream) const;
  /// [B, S, …] → [T, …].
  at::Tensor pick(const at::Tensor& padded) const;
};

/// input_ids, attention_mask and, where they are given, token_type_ids. Positions are the columns.
PaddedBatch pack(const std::map<std::string, at::Tensor>& inputs, Padding padding);

}  // namespace attune::probe
