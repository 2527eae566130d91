// What prepare() of every model does with a packed stream.
#pragma once

#include <cstdint>
#include <vector>

#include "attune/models/model.h"

namespace attune::models {

/// Error{data} when a sequence has more than `most` tokens.
void check_length(const nn::Layout& layout, std::int64_t most);

/// The first token of each sequence.
Rows first_of_each(const Input& input);
/// The rightmost token of each sequence that is no padding; its first one where all are.
Rows last_of_each(const Input& input, std::int64_t padding_id);
/// RoBERTa's positions: the tokens of a sequence that are no padding count from padding_id + 1 + `before`, padding has
/// padding_id.
at::Tensor positions_behind_padding(const Input& input, std::int64_t padding_id, std::int64_t before = 0);

/// Whether a head gives something for every row of the stream, wanted or not.
inline bool gives_rows(Task task) {
  return task != Task::sequence_classification && !models_language(task);
}

/// What an LM head gives: its logits, or with Input::defer_vocabulary what they are made of.
Output vocabulary_output(const nn::Vocabulary& vocabulary, const Context& context);

}  // namespace attune::models
