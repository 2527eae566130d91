// See prefix_trie.h.
#include "prefix_trie.h"

#include <stdexcept>
#include <utility>

namespace attune::text {

namespace {
constexpr int kFirstBits = 8;
constexpr std::size_t kMaxNodes = std::size_t{1} << 24;
}  // namespace

PrefixTrie::PrefixTrie() : edges_(std::size_t{1} << kFirstBits), shift_(32 - kFirstBits), values_{-1} {}

void PrefixTrie::insert(std::string_view key, std::int32_t value) {
  std::uint32_t node = 0;
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    std::uint32_t next = child(node, byte);
    if (next == 0) {
      if (values_.size() == kMaxNodes) throw std::length_error("too many different beginnings of tokens");
      next = static_cast<std::uint32_t>(values_.size());
      values_.push_back(-1);
      if (values_.size() * 2 > edges_.size()) grow();
      add_edge({node << 8 | byte, next});
    }
    node = next;
  }
  if (values_[node] < 0) values_[node] = value;
}

void PrefixTrie::add_edge(Edge edge) {
  std::size_t i = slot(edge.key);
  while (edges_[i].node != 0) i = (i + 1) & (edges_.size() - 1);
  edges_[i] = edge;
}

void PrefixTrie::grow() {
  const std::vector<Edge> old = std::exchange(edges_, std::vector<Edge>(edges_.size() * 2));
  --shift_;
  for (const Edge& edge : old) {
    if (edge.node != 0) add_edge(edge);
  }
}

}  // namespace attune::text
