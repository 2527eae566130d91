// See ngrams.h.
#include "ngrams.h"

#include <algorithm>
#include <iterator>

namespace attune::metrics {

std::u32string WordNumbers::of(std::span<const std::string> words) {
  std::u32string sequence;
  for (const std::string& word : words) {
    sequence += numbers_.try_emplace(word, static_cast<char32_t>(numbers_.size())).first->second;
  }
  return sequence;
}

Ngrams ngrams(std::u32string_view sequence, std::size_t n) {
  Ngrams result;
  for (std::size_t i = 0; i + n <= sequence.size(); ++i) result.push_back(sequence.substr(i, n));
  std::sort(result.begin(), result.end());
  return result;
}

std::size_t matches(const Ngrams& a, const Ngrams& b) {
  std::size_t count = 0;
  for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end();) {
    const int order = i->compare(*j);
    count += order == 0;
    if (order <= 0) ++i;
    if (order >= 0) ++j;
  }
  return count;
}

Ngrams largest_counts(const Ngrams& a, const Ngrams& b) {
  Ngrams result;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result));
  return result;
}

}  // namespace attune::metrics
