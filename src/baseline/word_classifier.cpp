// See word_classifier.h.
#include "attune/baseline/word_classifier.h"

namespace attune::baseline {

WordClassifier::WordClassifier(std::span<const std::string> texts, std::span<const std::int64_t> labels,
                               std::size_t classes, const LogisticOptions& options)
    : vectorizer_(texts), regression_(vectorizer_.transform(texts), labels, classes, options) {}

std::vector<double> WordClassifier::probabilities(std::span<const std::string> texts) const {
  return regression_.probabilities(vectorizer_.transform(texts));
}

}  // namespace attune::baseline
