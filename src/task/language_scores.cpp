// Scores of a language model: how likely the rows are, and how near generated texts come to the rows' own answers.
#include <cmath>
#include <string>
#include <vector>

#include "task/scores.h"

namespace attune::task {

namespace {

class LanguageScoring : public Scoring {
 public:
  explicit LanguageScoring(std::span<const Prediction> predictions) : texts_(predictions) {
    for (const Prediction& prediction : predictions) {
      const Encoded& row = *prediction.encoded;
      const bool goes_on = row.window > 0 && !examples_.empty() && examples_.back() == row.example;
      if (!goes_on) {
        examples_.push_back(row.example);
        sums_.emplace_back();
      }
      units_.push_back(sums_.size() - 1);
      sums_.back().loss += prediction.loss_sum;
      sums_.back().weight += prediction.loss_weight;
      for (const float logprob : prediction.logits) sums_.back().nll -= row.weight * logprob;
    }
  }

  metrics::Values values(std::span<const double> weights) const override {
    const auto weight_of = [&](std::size_t unit) { return weights.empty() ? 1.0 : weights[unit]; };
    Sums all;
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      all.loss += weight_of(i) * sums_[i].loss;
      all.nll += weight_of(i) * sums_[i].nll;
      all.weight += weight_of(i) * sums_[i].weight;
    }
    metrics::Values values = {{"loss", all.loss / all.weight}, {"perplexity", std::exp(all.nll / all.weight)}};
    if (texts_.texts() == 0) return values;
    std::vector<double> of_predictions;
    for (const std::size_t unit : units_) of_predictions.push_back(weight_of(unit));
    for (const auto& value : texts_.values(of_predictions)) values.push_back(value);
    return values;
  }

 private:
  struct Sums {
    double loss = 0, nll = 0, weight = 0;
  };
  std::vector<Sums> sums_;           ///< one an example
  std::vector<std::size_t> units_;   ///< of each prediction, its example's sums
  TextScores texts_;
};

}  // namespace

TextScores::TextScores(std::span<const Prediction> predictions) {
  std::vector<std::string> generated;
  std::vector<std::vector<std::string>> references;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    if (!predictions[i].generated) continue;
    places_.push_back(i);
    row_weights_.push_back(predictions[i].encoded->weight);
    generated.push_back(*predictions[i].generated);
    references.push_back({predictions[i].encoded->prompt->reference});
  }
  scorer_.emplace(generated, references);
}

metrics::Values TextScores::values(std::span<const double> weights) const {
  std::vector<double> of_texts = row_weights_;
  for (std::size_t i = 0; i < places_.size() && !weights.empty(); ++i) of_texts[i] *= weights[places_[i]];
  return scorer_->values(of_texts);
}

std::unique_ptr<Scoring> score_language(std::span<const Prediction> predictions) {
  return std::make_unique<LanguageScoring>(predictions);
}

}  // namespace attune::task
