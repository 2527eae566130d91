// See scores.h.
#include "task/scores.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include <ATen/Parallel.h>
#include <nlohmann/json.hpp>

#include "attune/metrics/classification.h"
#include "attune/metrics/entities.h"
#include "attune/metrics/intervals.h"
#include "attune/metrics/multilabel.h"
#include "attune/metrics/paired.h"
#include "attune/metrics/regression.h"
#include "attune/metrics/spans.h"
#include "attune/metrics/table.h"
#include "task/common.h"

namespace attune::task {

namespace {

class ClassScoring : public Scoring {
 public:
  ClassScoring(std::span<const Prediction> predictions, const std::vector<std::string>& labels) : labels_(labels) {
    bool was_written = false;  // labels read from generated texts, whose probabilities nobody knows
    for (const Prediction& prediction : predictions) {
      if (prediction.encoded->label == nn::kIgnoreIndex) continue;
      examples_.push_back(prediction.encoded->example);
      gold_.push_back(prediction.encoded->label);
      const std::vector<double> scores = softmax(prediction.logits);
      predicted_.push_back(std::max_element(scores.begin(), scores.end()) - scores.begin());
      probabilities_.insert(probabilities_.end(), scores.begin(), scores.end());
      was_written = was_written || prediction.generated.has_value();
    }
    if (was_written) probabilities_.clear();
    scorer_.emplace(input());
  }

  metrics::Values values(std::span<const double> weights) const override { return scorer_->values(weights); }
  files::Json detail() const override { return metrics::detail_to_json(metrics::classification_report(input())); }

 private:
  metrics::ClassificationInput input() const {
    return {.gold = gold_, .predicted = predicted_, .probabilities = probabilities_, .labels = labels_, .weights = {}};
  }
  std::vector<std::string> labels_;
  std::vector<std::int64_t> gold_, predicted_;
  std::vector<double> probabilities_;
  std::optional<metrics::ClassificationScorer> scorer_;
};

class LabelSetScoring : public Scoring {
 public:
  LabelSetScoring(std::span<const Prediction> predictions, const std::vector<std::string>& labels) : labels_(labels) {
    for (const Prediction& prediction : predictions) {
      if (prediction.encoded->targets.empty()) continue;
      examples_.push_back(prediction.encoded->example);
      const std::vector<double> scores = sigmoid(prediction.logits);
      for (std::size_t c = 0; c < scores.size(); ++c) {
        gold_.push_back(prediction.encoded->targets[c] > 0.5F ? 1 : 0);
        predicted_.push_back(scores[c] > 0.5 ? 1 : 0);
      }
      probabilities_.insert(probabilities_.end(), scores.begin(), scores.end());
    }
    scorer_.emplace(metrics::MultilabelInput{.gold = gold_, .predicted = predicted_, .probabilities = probabilities_, .labels = labels_, .weights = {}});
  }

  metrics::Values values(std::span<const double> weights) const override { return scorer_->values(weights); }
  files::Json detail() const override { return {{"per_class", metrics::per_class_to_json(scorer_->per_label())}}; }

 private:
  std::vector<std::string> labels_;
  std::vector<std::uint8_t> gold_, predicted_;
  std::vector<double> probabilities_;
  std::optional<metrics::MultilabelScorer> scorer_;
};

class ValueScoring : public Scoring {
 public:
  explicit ValueScoring(std::span<const Prediction> predictions) {
    for (const Prediction& prediction : predictions) {
      if (prediction.encoded->targets.empty()) continue;
      examples_.push_back(prediction.encoded->example);
      gold_.push_back(prediction.encoded->targets[0]);
      predicted_.push_back(prediction.logits.front());
    }
    scorer_.emplace(gold_, predicted_);
  }
  metrics::Values values(std::span<const double> weights) const override { return scorer_->values(weights); }

 private:
  std::vector<double> gold_, predicted_;
  std::optional<metrics::RegressionScorer> scorer_;
};

class TagScoring : public Scoring {
 public:
  explicit TagScoring(std::vector<TaggedRow> rows) {
    for (TaggedRow& row : rows) {
      examples_.push_back(row.example);
      gold_.push_back(std::move(row.gold));
      predicted_.push_back(std::move(row.predicted));
    }
    scorer_.emplace(gold_, predicted_);
  }
  metrics::Values values(std::span<const double> weights) const override { return scorer_->report(weights).values; }
  files::Json detail() const override {
    files::Json types = files::Json::object();
    for (const auto& [type, scores] : scorer_->report().per_type) {
      types[type] = {{"precision", scores.precision}, {"recall", scores.recall}, {"f1", scores.f1}, {"support", scores.support}};
    }
    return {{"per_type", types}};
  }

 private:
  std::vector<std::vector<std::string>> gold_, predicted_;
  std::optional<metrics::EntityScorer> scorer_;
};

/// Exact match and F1 are means over questions, so a weighted mean of each question's scores is all there is to do.
class AnswerScoring : public Scoring {
 public:
  explicit AnswerScoring(const std::vector<AnsweredRow>& rows) {
    for (const AnsweredRow& row : rows) {
      examples_.push_back(row.example);
      scores_.push_back(metrics::score_answer(row.answer, row.gold));
      answers_.push_back(row.answer);
      gold_.push_back(row.gold);
    }
  }
  metrics::Values values(std::span<const double> weights) const override {
    if (weights.empty()) return metrics::answer_values(answers_, gold_);
    double exact = 0, f1 = 0, total = 0;
    for (std::size_t i = 0; i < scores_.size(); ++i) {
      exact += weights[i] * scores_[i].exact_match;
      f1 += weights[i] * scores_[i].f1;
      total += weights[i];
    }
    return {{"exact_match", 100.0 * exact / total}, {"f1", 100.0 * f1 / total}};
  }

 private:
  std::vector<metrics::AnswerScores> scores_;
  std::vector<std::string> answers_;
  std::vector<std::vector<std::string>> gold_;
};

class RowScores : public Scores {
 public:
  RowScores(std::unique_ptr<Scoring> scoring, std::span<const Prediction> predictions, std::span<const data::Example> examples)
      : scoring_(std::move(scoring)), predictions_(predictions), examples_(examples) {}

  files::Json metrics() const override { return summarise(predictions_, scoring_.get()); }
  files::Json intervals() const override {
    const Scoring* const run = scoring_.get();
    return bootstrap_intervals({&run, 1}, examples_);
  }
  files::Json detail() const override { return scoring_->detail(); }
  const Scoring* scoring() const override { return scoring_.get(); }

 private:
  std::unique_ptr<Scoring> scoring_;
  std::span<const Prediction> predictions_;
  std::span<const data::Example> examples_;
};

}  // namespace

std::unique_ptr<Scores> scores_of(std::unique_ptr<Scoring> scoring, std::span<const Prediction> predictions,
                                  std::span<const data::Example> examples) {
  return std::make_unique<RowScores>(std::move(scoring), predictions, examples);
}

files::Json Scoring::detail() const { return files::Json::object(); }

std::size_t Scoring::trials(std::string_view metric) const {
  const bool is_share = metric == "accuracy" || metric == "subset_accuracy" || metric == "exact_match";
  return is_share ? examples_.size() : 0;
}

std::unique_ptr<Scoring> score_classes(std::span<const Prediction> predictions, const std::vector<std::string>& labels) {
  return std::make_unique<ClassScoring>(predictions, labels);
}
std::unique_ptr<Scoring> score_label_sets(std::span<const Prediction> predictions, const std::vector<std::string>& labels) {
  return std::make_unique<LabelSetScoring>(predictions, labels);
}
std::unique_ptr<Scoring> score_values(std::span<const Prediction> predictions) { return std::make_unique<ValueScoring>(predictions); }
std::unique_ptr<Scoring> score_tags(std::vector<TaggedRow> rows) { return std::make_unique<TagScoring>(std::move(rows)); }
std::unique_ptr<Scoring> score_answers(const std::vector<AnsweredRow>& rows) { return std::make_unique<AnswerScoring>(rows); }

files::Json summarise(std::span<const Prediction> predictions, const Scoring* scoring) {
  double loss = 0, weight = 0;
  std::int64_t rows = 0, windows = 0, counted_row = -1;
  for (const Prediction& prediction : predictions) {
    loss += prediction.loss_sum;
    weight += prediction.loss_weight;
    const Encoded& encoded = *prediction.encoded;
    if (encoded.window == 0) counted_row = -1;
    if (!(prediction.loss_weight > 0)) continue;
    ++windows;
    rows += encoded.example == counted_row ? 0 : 1;
    counted_row = encoded.example;
  }
  files::Json summary = {{"loss", weight > 0 && !std::isnan(loss) ? files::Json(loss / weight) : files::Json(nullptr)}, {"rows", rows}};
  if (windows != rows) summary["windows"] = windows;
  if (scoring == nullptr || scoring->examples().empty()) return summary;
  summary.update(metrics::to_json(scoring->values({})));
  return summary;
}

namespace {

/// `units`: rows or groups that were drawn.
metrics::Interval interval_of_metric(const Scoring& run, const std::string& name, const metrics::Interval& resampled,
                                     std::size_t units) {
  const std::size_t trials = std::min(run.trials(name), units);
  if (trials == 0) return resampled;
  return metrics::share_interval(resampled, static_cast<double>(trials), metrics::bounds_of(name, {}).high);
}

}  // namespace

files::Json bootstrap_intervals(std::span<const Scoring* const> runs, std::span<const data::Example> examples) {
  files::Json intervals = files::Json::object();
  const std::vector<std::int64_t>& scored = runs.front()->examples();
  if (scored.empty()) return intervals;
  std::map<std::string, std::int64_t> group_ids;
  std::vector<std::int64_t> groups;
  for (const std::int64_t example : scored) {
    const std::string& group = examples[example].group;
    if (!group.empty()) groups.push_back(group_ids.try_emplace(group, static_cast<std::int64_t>(group_ids.size())).first->second);
  }
  metrics::BootstrapOptions options;
  options.threads = at::get_num_threads();
  if (groups.size() == scored.size()) options.groups = groups;
  std::vector<metrics::WeightedValues> values;
  for (const Scoring* run : runs) values.emplace_back([run](std::span<const double> weights) { return run->values(weights); });
  const std::size_t units = options.groups.empty() ? scored.size() : group_ids.size();
  for (const auto& [name, resampled] : metrics::bootstrap_over_seeds(scored.size(), values, options)) {
    // What these rows are, no estimate; a maximum over labels is larger in most resamples, so that its interval need not hold it.
    if (name == "majority_rate") continue;
    const metrics::Interval interval = interval_of_metric(*runs.front(), name, resampled, units);
    if (std::isfinite(interval.low) && std::isfinite(interval.high)) intervals[name] = {interval.low, interval.high};
  }
  return intervals;
}

files::Json intervals_over_seeds(std::span<const std::unique_ptr<Scores>> seeds, std::span<const data::Example> examples) {
  std::vector<const Scoring*> runs;
  for (const auto& scores : seeds) runs.push_back(scores->scoring());
  if (std::ranges::find(runs, nullptr) != runs.end()) return files::Json::object();
  return bootstrap_intervals(runs, examples);
}

}  // namespace attune::task
