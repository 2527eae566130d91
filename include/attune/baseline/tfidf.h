// Texts as weights of their words, equal to scikit-learn's TfidfVectorizer with its defaults.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "attune/baseline/sparse_rows.h"

namespace attune::baseline {

class TfidfVectorizer {
 public:
  /// Learns the words (text/words.h) of `texts` and how rare they are:
  /// idf = ln((1 + texts) / (1 + texts with the word)) + 1.
  explicit TfidfVectorizer(std::span<const std::string> texts);

  /// A row a text: how often it has each learned word, times idf, divided by the row's Euclidean norm. Words that were
  /// not learned count nothing, and a text of such words alone is a row of zeros.
  SparseRows transform(std::span<const std::string> texts) const;

  /// [columns] in the order of their code points. None are learned where no text has a word of two characters, for
  /// which scikit-learn raises an error.
  const std::vector<std::string>& words() const { return words_; }
  /// [columns]
  const std::vector<double>& idf() const { return idf_; }

 private:
  std::vector<std::string> words_;
  std::vector<double> idf_;
};

}  // namespace attune::baseline
