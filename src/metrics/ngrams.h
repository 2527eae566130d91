// N-grams of a sequence as a multiset: sorted views into the sequence. Its symbols are code points or numbers of words.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace attune::metrics {

/// Numbers words, so that a text is a sequence of symbols and equal words are equal symbols.
class WordNumbers {
 public:
  std::u32string of(std::span<const std::string> words);

 private:
  std::map<std::string, char32_t, std::less<>> numbers_;
};

/// Sorted; every occurrence is an entry.
using Ngrams = std::vector<std::u32string_view>;

/// All runs of `n` symbols of `sequence`, which must outlive the result.
Ngrams ngrams(std::u32string_view sequence, std::size_t n);

/// How many entries both have: Σ over n-grams of the smaller count.
std::size_t matches(const Ngrams& a, const Ngrams& b);

/// Each n-gram as often as in that of both where it is more frequent.
Ngrams largest_counts(const Ngrams& a, const Ngrams& b);

}  // namespace attune::metrics
