// Texts as vectors, to find those that are alike.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "attune/models/model.h"

namespace attune::infer {

/// The mean of the last hidden states over a text's tokens, scaled to length 1 (as sentence-transformers pools):
/// float32 [texts, hidden] on the CPU. Error{data} naming a text that is empty, longer than the positions, or has an id
/// beyond the vocabulary.
at::Tensor embeddings(const models::Model& model, std::span<const std::vector<std::int32_t>> texts);

}  // namespace attune::infer
