// See tfidf.h.
#include "attune/baseline/tfidf.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "attune/text/words.h"

namespace attune::baseline {

TfidfVectorizer::TfidfVectorizer(std::span<const std::string> texts) {
  std::map<std::string, double> texts_with;
  for (const std::string& text : texts) {
    const std::vector<std::string> words = text::lower_case_words(text);
    for (const std::string& word : std::set<std::string>(words.begin(), words.end())) texts_with[word] += 1;
  }
  for (const auto& [word, count] : texts_with) {
    words_.push_back(word);
    idf_.push_back(std::log((1 + static_cast<double>(texts.size())) / (1 + count)) + 1);
  }
}

SparseRows TfidfVectorizer::transform(std::span<const std::string> texts) const {
  SparseRows rows;
  rows.columns = words_.size();
  for (const std::string& text : texts) {
    std::map<std::size_t, double> counts;
    for (const std::string& word : text::lower_case_words(text)) {
      const auto found = std::ranges::lower_bound(words_, word);
      if (found != words_.end() && *found == word) counts[static_cast<std::size_t>(found - words_.begin())] += 1;
    }
    double squares = 0;
    for (auto& [column, count] : counts) {
      count *= idf_[column];
      squares += count * count;
    }
    for (const auto& [column, weight] : counts) {
      rows.column.push_back(static_cast<std::uint32_t>(column));
      rows.value.push_back(weight / std::sqrt(squares));
    }
    rows.begins.push_back(rows.column.size());
  }
  return rows;
}

}  // namespace attune::baseline
