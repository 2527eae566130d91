// Methods without a language model: what a prompted or tuned one has to beat. Whatever they know, they know from the
// training rows.
#include <algorithm>
#include <utility>

#include "attune/baseline/majority.h"
#include "attune/baseline/word_classifier.h"
#include "attune/metrics/probabilities.h"
#include "method_kinds.h"

namespace attune::study {

namespace {

/// Text and second text of each row, as one.
std::vector<std::string> plain_texts(const std::vector<data::Example>& rows) {
  std::vector<std::string> texts;
  for (const data::Example& row : rows) texts.push_back(row.has_pair ? row.text + "\n" + *row.text_pair : row.text);
  return texts;
}

/// Empty where all rows weigh 1.
std::vector<double> weights_of(const std::vector<data::Example>& rows) {
  if (std::ranges::all_of(rows, [](const data::Example& row) { return row.weight == 1; })) return {};
  std::vector<double> weights;
  for (const data::Example& row : rows) weights.push_back(row.weight);
  return weights;
}

class Majority : public Fitted {
 public:
  explicit Majority(const MethodRows& rows)
      : rows_(rows),
        majority_(baseline::majority_class(gold_of(rows.labels, rows.train), rows.labels.names.size(),
                                           weights_of(rows.train))) {}

  std::unique_ptr<Answers> answer(const std::string& split, const report::EventBus&) override {
    auto answers = std::make_unique<Answers>();
    for (std::size_t row = 0; row < rows_.of(split).size(); ++row) {
      answers->predicted.push_back(majority_.label);
      answers->probabilities.insert(answers->probabilities.end(), majority_.shares.begin(), majority_.shares.end());
    }
    return answers;
  }

 private:
  const MethodRows& rows_;
  baseline::MajorityClass majority_;
};

class Words : public Fitted {
 public:
  explicit Words(const MethodRows& rows)
      : rows_(rows),
        weights_(weights_of(rows.train)),
        classifier_(plain_texts(rows.train), gold_of(rows.labels, rows.train), rows.labels.names.size(),
                    {.weights = weights_}) {}

  std::unique_ptr<Answers> answer(const std::string& split, const report::EventBus&) override {
    auto answers = std::make_unique<Answers>();
    answers->probabilities = classifier_.probabilities(plain_texts(rows_.of(split)));
    answers->predicted = metrics::argmax_rows(answers->probabilities, rows_.labels.names.size());
    return answers;
  }

 private:
  const MethodRows& rows_;
  std::vector<double> weights_;
  baseline::WordClassifier classifier_;
};

}  // namespace

std::unique_ptr<Fitted> fit_majority(const MethodTask& task) {
  return std::make_unique<Majority>(task.bench.rows);
}

std::unique_ptr<Fitted> fit_words(const MethodTask& task) {
  return std::make_unique<Words>(task.bench.rows);
}

}  // namespace attune::study
