// See text_trie.h.
#include "text_trie.h"

#include <algorithm>

namespace attune::infer {

/// The edge at this place of the path becomes two: what lies before token `at` is a new edge, so that texts which end
/// with the old one still do.
void TextTrie::split(std::size_t place, std::int64_t at) {
  const std::size_t lower = path_[place];
  Edge upper = edges_[lower];
  upper.end = at;
  edges_.push_back(upper);
  edges_[lower].begin = at;
  edges_[lower].parent = static_cast<std::ptrdiff_t>(edges_.size()) - 1;
  path_[place] = edges_.size() - 1;
}

void TextTrie::add(std::span<const std::int32_t> ids) {
  const std::size_t text = last_.size();
  const auto length = static_cast<std::int64_t>(ids.size());
  const std::int64_t common = std::ranges::mismatch(previous_, ids).in1 - previous_.begin();
  while (!path_.empty() && edges_[path_.back()].begin >= common) path_.pop_back();
  if (!path_.empty() && edges_[path_.back()].end > common) split(path_.size() - 1, common);
  if (length > common) {
    const std::ptrdiff_t parent = path_.empty() ? kNone : static_cast<std::ptrdiff_t>(path_.back());
    edges_.push_back({.text = text, .begin = common, .end = length, .parent = parent});
    path_.push_back(edges_.size() - 1);
  }
  last_.push_back(path_.empty() ? kNone : static_cast<std::ptrdiff_t>(path_.back()));
  previous_ = ids;
}

std::vector<std::vector<std::size_t>> TextTrie::levels() const {
  std::vector<std::vector<std::size_t>> levels;
  for (std::size_t edge = 0; edge < edges_.size(); ++edge) {
    std::size_t depth = 0;
    for (std::ptrdiff_t above = edges_[edge].parent; above != kNone; above = edges_[above].parent) ++depth;
    if (levels.size() <= depth) levels.resize(depth + 1);
    levels[depth].push_back(edge);
  }
  return levels;
}

}  // namespace attune::infer
