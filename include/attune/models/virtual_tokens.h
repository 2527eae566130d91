// Virtual tokens: what an adapter puts in front of every text. Either embeddings, which go through the network like
// those of tokens (prompt tuning, Lester et al. 2021; p-tuning, Liu et al. 2021), or the keys and values that attention
// in every block finds before its own (prefix tuning, Li and Liang 2021). Where the numbers come from is the adapter's
// business.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

namespace attune::models {

struct VirtualTokens {
  enum class Place { embeddings, keys };

  Place place = Place::embeddings;
  std::int64_t count = 0;
  std::int64_t width = 0;  ///< numbers a token: the hidden size, or 2 · blocks · key heads · head size
  /// columns(first, number): these numbers of all tokens, float32 [count, number], with the graph to what trains. Of
  /// keys and values those of whole blocks.
  std::function<at::Tensor(std::int64_t first, std::int64_t number)> columns;

  /// All numbers, as PEFT's files hold them: [count, width]; keys and values in the order key 0, value 0, key 1, …
  at::Tensor values() const { return columns(0, width); }
};

/// The keys and values [count, key heads, head size] of a block.
struct KeysAndValues {
  at::Tensor keys, values;
};
KeysAndValues keys_and_values(const VirtualTokens& tokens, int block, int blocks, std::int64_t key_heads);

}  // namespace attune::models
