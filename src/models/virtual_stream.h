// Virtual tokens in a packed stream: what prepare(), embeddings and attention of every model do with them.
#pragma once

#include "attune/models/model.h"

namespace attune::models {

/// Puts `tokens` (null: none) in front of each sequence of `input`: in the stream, or before the keys, and then
/// positions go on behind them. Fills Context::virtual_rows. An input that has them already is only looked through.
/// Virtual token j has the id vocab_size + j on the way, and 0 afterwards.
void take_in_virtual_tokens(const VirtualTokens* tokens, std::int64_t vocab_size, Input& input, VirtualRows& rows);

/// Positions that the virtual tokens will take of a stream that does not have them yet.
std::int64_t positions_to_come(const VirtualTokens* tokens, const Input& input);

/// Embeddings [T, H] with those of the virtual tokens in their rows.
at::Tensor with_virtual_embeddings(const at::Tensor& x, const Context& context);

/// A block's keys and values [rows, key heads, size] with the virtual ones before each sequence's own, where there are
/// any.
void put_before(int block, int blocks, const Context& context, at::Tensor& key, at::Tensor& value);

/// Where the sequences' keys lie, the virtual ones among them; of a pass without a past.
const nn::Layout& key_layout(const Context& context);

}  // namespace attune::models
