// Packs rows into one stream: what every task's collate begins with.
#pragma once

#include <span>

#include "attune/task/task.h"

namespace attune::task {

/// What dead segments hold for token ids.
inline constexpr std::int64_t kDeadId = 0;

/// ids, positions, segments and layout of the rows, T rounded up to a rung of the shape ladder; dropout keys when training.
Batch pack(std::span<const Encoded* const> rows, const BatchKey& key);

/// The batch on a device, for the loss; predict() of a task reads its batch on the CPU. The labels stay there: losses look
/// at them before they copy them, without waiting for the device.
Batch to_device(Batch batch, const at::Device& device);

/// The learned tokens of rows of a language model: which rows of the stream predict them, and what they are.
struct WantedTokens {
  std::vector<std::int64_t> rows, labels;
  std::vector<float> weights;
  void add(std::int64_t row, std::int64_t label, double weight);
  /// Input::wanted, labels and weights of the batch, whose logits are never made as a whole.
  void set(Batch& batch, bool weighted) const;
};

/// Float [N] of the rows' weights, or undefined when all are 1.
at::Tensor row_weights(std::span<const Encoded* const> rows);

/// Ids as read from the row or made by the tokenizer (cut to max_length). Fills ids, type_ids, example, row, weight.
Encoded encode_text(const data::Example& example, const text::Encoding& encoding);
/// The same for a row with `input_ids`. Error{data} when it is longer than max_length or an id lies outside the vocabulary.
Encoded encode_ids(const data::Example& example, std::int64_t max_length, std::size_t vocab_size);

/// Tokenises all texts (pairs) of the rows with all cores; rows with input_ids are taken as they are.
std::vector<Encoded> encode_texts(std::span<const data::Example> examples, const text::Tokenizer& tokenizer, std::int64_t max_length);

}  // namespace attune::task
