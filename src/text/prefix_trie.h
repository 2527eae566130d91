// Keys to numbers, with the question that tokenizers ask: which is the longest key that this text begins with?
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace attune::text {

/// A trie over bytes whose edges lie in one open-addressing table: one probe a byte, whatever the number of keys.
class PrefixTrie {
 public:
  struct Match {
    std::uint32_t length = 0;  ///< bytes; 0 = no key matched
    std::int32_t value = -1;
  };

  PrefixTrie();
  /// Adds a non-empty key; a key that is there keeps its value. Throws std::length_error beyond 2^24 nodes.
  void insert(std::string_view key, std::int32_t value);
  bool empty() const { return values_.size() == 1; }

  Match longest_prefix(std::string_view text) const {
    Match match;
    std::uint32_t node = 0;
    for (std::uint32_t i = 0; i < text.size(); ++i) {
      node = child(node, static_cast<unsigned char>(text[i]));
      if (node == 0) break;
      if (values_[node] >= 0) match = {i + 1, values_[node]};
    }
    return match;
  }

 private:
  struct Edge {
    std::uint32_t key = 0;   ///< parent << 8 | byte
    std::uint32_t node = 0;  ///< 0 = free: the root is nobody's child
  };

  std::size_t slot(std::uint32_t key) const { return (key * 0x9e3779b1u) >> shift_; }
  std::uint32_t child(std::uint32_t node, unsigned char byte) const {
    const std::uint32_t key = node << 8 | byte;
    for (std::size_t i = slot(key);; i = (i + 1) & (edges_.size() - 1)) {
      if (edges_[i].node == 0 || edges_[i].key == key) return edges_[i].node;
    }
  }
  void add_edge(Edge edge);
  void grow();

  std::vector<Edge> edges_;           ///< a power of two, at most half full
  int shift_;                         ///< 32 - log2(edges_.size())
  std::vector<std::int32_t> values_;  ///< of each node, -1 where no key ends
};

}  // namespace attune::text
