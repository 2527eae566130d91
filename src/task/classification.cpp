// Sequence classification: one label, several labels, or a number a row.
#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/metrics/table.h"
#include "attune/task/kinds.h"
#include "attune/task/pack.h"
#include "task/common.h"
#include "task/scores.h"

namespace attune::task {

namespace {

using data::TargetKind;

class Classification : public Task {
 public:
  explicit Classification(const TaskOptions& options) : options_(options) {
    if (options_.class_weights.empty()) return;
    const std::vector<float> weights(options_.class_weights.begin(), options_.class_weights.end());
    class_weights_ = float_tensor(weights, {static_cast<std::int64_t>(weights.size())});
  }

  std::vector<Encoded> encode(std::span<const data::Example> examples, const text::Tokenizer& tokenizer) const override {
    std::vector<Encoded> rows = encode_texts(examples, tokenizer, options_.max_length);
    for (std::size_t i = 0; i < rows.size(); ++i) set_target(rows[i], examples[i]);
    return rows;
  }

  Batch collate(std::span<const Encoded* const> rows, const BatchKey& key) const override {
    Batch batch = pack(rows, key);
    batch.weights = row_weights(rows);
    std::vector<std::int64_t> labels;
    std::vector<float> targets;
    for (const Encoded* row : rows) {
      labels.push_back(row->label);
      targets.insert(targets.end(), row->targets.begin(), row->targets.end());
    }
    if (is_single()) batch.labels = long_tensor(labels);
    if (!targets.empty()) {
      const auto count = static_cast<std::int64_t>(rows.size());
      batch.targets = float_tensor(targets, {count, static_cast<std::int64_t>(targets.size()) / count});
    }
    return batch;
  }

  double loss_weight(const Encoded& row, const BatchKey&) const override {
    if (!is_single()) return row.weight * static_cast<double>(row.targets.size());
    return row.label == nn::kIgnoreIndex ? 0.0 : row.weight * class_weight(row.label);
  }

  nn::LossSum loss(const models::Output& output, const Batch& batch) const override {
    switch (options_.labels.kind) {
      case TargetKind::single:
        return nn::cross_entropy(output.logits, batch.labels, class_weights_, batch.weights, options_.label_smoothing);
      case TargetKind::multi: return nn::binary_cross_entropy(output.logits, batch.targets, batch.weights);
      case TargetKind::value: return nn::squared_error(output.logits, batch.targets, batch.weights);
      default: internal_error("a classification loss without labels");
    }
  }

  std::optional<BlindLoss> blind_loss(const files::ListView<Encoded>& rows) const override {
    if (is_single()) return blind_choice(options_.labels.names.size());
    if (options_.labels.kind == TargetKind::multi) return blind_choice(2);
    return blind_number(rows);
  }

  std::vector<Prediction> predict(const models::Output& output, const Batch& batch) const override {
    const std::vector<float> logits = to_floats(output.logits);
    const std::size_t columns = logits.size() / batch.rows.size();
    std::vector<Prediction> predictions;
    for (std::size_t i = 0; i < batch.rows.size(); ++i) {
      Prediction prediction;
      prediction.encoded = batch.rows[i];
      prediction.logits.assign(logits.begin() + i * columns, logits.begin() + (i + 1) * columns);
      prediction.loss_weight = loss_weight(*prediction.encoded, {});
      if (prediction.loss_weight > 0) prediction.loss_sum = row_loss(prediction) * prediction.encoded->weight;
      predictions.push_back(std::move(prediction));
    }
    return predictions;
  }

  std::vector<std::string> metric_names() const override {
    if (options_.labels.kind == TargetKind::value) return metrics::metric_names({metrics::Predicted::number});
    if (options_.labels.kind == TargetKind::multi) return metrics::metric_names({metrics::Predicted::label_set});
    return metrics::metric_names({options_.labels.names.size() == 2 ? metrics::Predicted::one_of_two : metrics::Predicted::one_of_many});
  }

  std::unique_ptr<Scores> scores(std::span<const Prediction> predictions, std::span<const data::Example> examples) const override {
    return scores_of(scoring(predictions), predictions, examples);
  }

  files::Json describe(std::span<const Prediction> windows, const data::Example& example, bool with_logits) const override;

 private:
  std::unique_ptr<Scoring> scoring(std::span<const Prediction> predictions) const {
    if (options_.labels.kind == TargetKind::value) return score_values(predictions);
    if (options_.labels.kind == TargetKind::multi) return score_label_sets(predictions, options_.labels.names);
    return score_classes(predictions, options_.labels.names);
  }

  /// Numbers have no scale of their own: their variance, which a model has that always says their mean, and as much again.
  static std::optional<BlindLoss> blind_number(const files::ListView<Encoded>& rows) {
    double count = 0, mean = 0, squares = 0;
    rows.for_each([&](const Encoded& row) {
      for (const float target : row.targets) {
        const double off = target - mean;
        mean += off / ++count;
        squares += off * (target - mean);
      }
    });
    if (squares == 0) return std::nullopt;
    return BlindLoss{.loss = squares / count, .margin = squares / count};
  }

  bool is_single() const { return options_.labels.kind == TargetKind::single; }
  double class_weight(std::int64_t label) const { return options_.class_weights.empty() ? 1.0 : options_.class_weights[label]; }

  std::int64_t label_id(const std::string& name, const data::Example& example) const {
    if (const auto id = options_.labels.find(name)) return *id;
    throw unknown_label(name, options_.labels.names, example);
  }

  void set_target(Encoded& row, const data::Example& example) const {
    if (std::holds_alternative<std::monostate>(example.target)) return;
    const TargetKind kind = options_.labels.kind;
    if (const auto* label = std::get_if<data::ClassLabel>(&example.target); label && kind == TargetKind::single) {
      row.label = label_id(label->name, example);
    } else if (const auto* set = std::get_if<data::LabelSet>(&example.target); set && kind == TargetKind::multi) {
      std::vector<float>& targets = row.targets.edit();
      targets.assign(options_.labels.names.size(), 0.0F);
      for (const std::string& name : set->names) targets[label_id(name, example)] = 1.0F;
    } else if (const auto* value = std::get_if<data::Value>(&example.target); value && kind == TargetKind::value) {
      row.targets.edit().assign(1, static_cast<float>(value->value));
    } else {
      throw wrong_target(example);
    }
  }

  /// The row's Σ of losses without its row weight, as nn::losses defines them.
  double row_loss(const Prediction& prediction) const {
    const std::vector<float>& logits = prediction.logits;
    const Encoded& row = *prediction.encoded;
    if (is_single()) {
      return class_weight(row.label) * smoothed_nll(logits, static_cast<std::size_t>(row.label), options_.label_smoothing);
    }
    double sum = 0;
    for (std::size_t c = 0; c < logits.size(); ++c) {
      const double x = logits[c], target = row.targets[c];
      sum += options_.labels.kind == TargetKind::value
                 ? (x - target) * (x - target)
                 : std::max(x, 0.0) - x * target + std::log1p(std::exp(-std::abs(x)));  // BCE of a logit, stable form
    }
    return sum;
  }

  TaskOptions options_;
  at::Tensor class_weights_;
};

files::Json Classification::describe(std::span<const Prediction> windows, const data::Example& example, bool with_logits) const {
  const Prediction& prediction = windows.front();
  if (is_single()) return describe_class(prediction, options_.labels.names, example, with_logits);
  files::Json line = {{"id", example.id}};
  if (options_.labels.kind == TargetKind::value) {
    line["score"] = prediction.logits.front();
  } else {
    const std::vector<double> scores = sigmoid(prediction.logits);
    line["labels"] = files::Json::array();
    for (std::size_t c = 0; c < scores.size(); ++c) {
      if (scores[c] > 0.5) line["labels"].push_back(options_.labels.names[c]);
      line["scores"][options_.labels.names[c]] = scores[c];
    }
  }
  add_gold(line, example);
  if (with_logits) line["logits"] = prediction.logits;
  return line;
}

}  // namespace

std::unique_ptr<Task> make_classification(const TaskOptions& options) { return std::make_unique<Classification>(options); }

}  // namespace attune::task
