// The baseline that knows words and no language: logistic regression on TF-IDF weights, what
// make_pipeline(TfidfVectorizer(), LogisticRegression()) is in scikit-learn. A tuned or prompted model that is no
// better was not worth its cost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "attune/baseline/logistic.h"
#include "attune/baseline/tfidf.h"

namespace attune::baseline {

class WordClassifier {
 public:
  /// Learns from `texts` [rows] in valid UTF-8 with `labels` [rows] in 0 … classes-1. Without any word it gives every
  /// text the shares of the classes. Errors as LogisticRegression.
  WordClassifier(std::span<const std::string> texts, std::span<const std::int64_t> labels, std::size_t classes,
                 const LogisticOptions& options = {});

  /// [rows × classes], row-major; metrics::argmax_rows() chooses.
  std::vector<double> probabilities(std::span<const std::string> texts) const;

 private:
  TfidfVectorizer vectorizer_;
  LogisticRegression regression_;
};

}  // namespace attune::baseline
