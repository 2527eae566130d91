// The beginnings that texts share, as a tree: an edge is a run of tokens that all texts below it have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace attune::infer {

class TextTrie {
 public:
  static constexpr std::ptrdiff_t kNone = -1;

  /// Tokens [begin, end) of a text that goes through it.
  struct Edge {
    std::size_t text = 0;  ///< number of add(), from 0
    std::int64_t begin = 0, end = 0;
    std::ptrdiff_t parent = kNone;
  };

  /// Texts come in lexicographic order. `ids` must outlive the next call.
  void add(std::span<const std::int32_t> ids);

  const std::vector<Edge>& edges() const { return edges_; }
  /// The edge that a text ends with; kNone for an empty one.
  std::ptrdiff_t last_edge(std::size_t text) const { return last_[text]; }
  /// The edges by how many lie above them; parents come before their children.
  std::vector<std::vector<std::size_t>> levels() const;

 private:
  void split(std::size_t place, std::int64_t at);

  std::vector<Edge> edges_;
  std::vector<std::ptrdiff_t> last_;
  std::vector<std::size_t> path_;  ///< edges of the text that was added last
  std::span<const std::int32_t> previous_;
};

}  // namespace attune::infer
