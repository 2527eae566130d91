// Test doubles of a model and a task: small enough to reason about, with everything the trainer relies on — stages,
// packed streams, keyed dropout, optionally a head tied to the embeddings and a memory that two blocks read.
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tanh.h>

#include <atomic>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "attune/base/random.h"
#include "attune/models/model.h"
#include "attune/task/task.h"
#include "attune/train/trainer.h"

namespace attune::testing {

inline at::Tensor random_tensor(const std::vector<std::int64_t>& shape, std::uint64_t seed, double scale = 0.4) {
  at::Tensor tensor = at::empty(shape, at::kFloat);
  const RandomKey key(seed, "fake");
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    tensor.data_ptr<float>()[i] = static_cast<float>(scale * key.normal(i));
  }
  return tensor;
}

struct FakeOptions {
  bool tied = false;    ///< the head reads the embedding matrix: one class a word
  bool memory = false;  ///< block 0 makes a memory that all later blocks read
  double dropout = 0.0;
};

/// Embedding, two blocks tanh(W h + b) + h, and a linear head on the mean over each sequence.
class FakeModel final : public models::Model {
 public:
  static constexpr std::int64_t kWords = 11, kHidden = 6, kClasses = 3;

  explicit FakeModel(FakeOptions options = {}) : options_(options) {
    const int head = depth() + 1;
    add("fake.embeddings.word_embeddings.weight", {kWords, kHidden},
        options.tied ? std::vector{0, head} : std::vector{0}, models::ParameterKind::embedding);
    for (int i = 0; i < depth(); ++i) {
      const std::string layer = "fake.encoder.layer." + std::to_string(i);
      add(layer + ".dense.weight", {kHidden, kHidden}, {i + 1}, models::ParameterKind::matrix);
      add(layer + ".dense.bias", {kHidden}, {i + 1}, models::ParameterKind::bias);
    }
    if (!options.tied) add("classifier.weight", {kClasses, kHidden}, {head}, models::ParameterKind::matrix, true);
    add("classifier.bias", {options.tied ? kWords : kClasses}, {head}, models::ParameterKind::bias, true);
    spec_.num_hidden_layers = depth();
  }

  const models::ModelSpec& spec() const override { return spec_; }
  int depth() const override { return 2; }
  std::vector<models::Parameter>& parameters() override { return parameters_; }
  const std::vector<models::Parameter>& parameters() const override { return parameters_; }

  models::Context prepare(models::Input input, bool training) const override {
    models::Context context;
    context.input = std::move(input);
    context.dropout_on.assign(depth() + 2, training);
    return context;
  }
  models::State embed(const models::Context& context) const override {
    ++stages_run;
    models::State state;
    state.hidden = drop(at::embedding(parameters_[0].tensor, context.input.ids), 0, context);
    return state;
  }
  models::State block(int i, const models::State& state, const models::Context& context) const override {
    const at::Tensor& weight = parameters_[1 + 2 * i].tensor;
    const at::Tensor& bias = parameters_[2 + 2 * i].tensor;
    at::Tensor hidden = at::tanh(at::linear(state.hidden, weight, bias)) + state.hidden;
    models::State next = state;
    if (options_.memory && i == 0) next.memory = hidden * 0.5;
    if (state.memory.defined()) hidden = hidden + state.memory * weight.sum();
    next.hidden = drop(hidden, i + 1, context);
    return next;
  }
  models::Output head(const models::State& state, const models::Context& context) const override {
    std::vector<at::Tensor> means;
    const nn::Layout& layout = context.input.layout;
    for (std::int64_t i = 0; i < layout.sequences(); ++i) {
      at::Tensor mean = state.hidden.narrow(0, layout.cu_seqlens[i], layout.length(i)).mean(0);
      if (options_.memory) mean = mean + state.memory.narrow(0, layout.cu_seqlens[i], layout.length(i)).mean(0);
      means.push_back(mean);
    }
    const at::Tensor& weight = options_.tied ? parameters_[0].tensor : parameters_[5].tensor;
    models::Output output;
    output.logits = at::linear(at::stack(means), weight, parameters_.back().tensor);
    return output;
  }

  mutable std::atomic<int> stages_run = 0;  ///< several tiles at a time

 private:
  void add(const std::string& name, std::vector<std::int64_t> shape, std::vector<int> stages,
           models::ParameterKind kind, bool is_head = false) {
    models::Parameter parameter;
    parameter.name = name;
    parameter.tensor = random_tensor(shape, parameters_.size() + 1);
    parameter.shape = std::move(shape);
    parameter.stages = std::move(stages);
    parameter.kind = kind;
    parameter.is_head = is_head;
    parameters_.push_back(std::move(parameter));
  }
  at::Tensor drop(const at::Tensor& x, int stage, const models::Context& context) const {
    if (!context.dropout_on[stage] || options_.dropout == 0) return x;
    return nn::dropout(x, context.input.dropout.site(stage, options_.dropout));
  }

  FakeOptions options_;
  models::ModelSpec spec_;
  std::vector<models::Parameter> parameters_;
};

class FakeScores final : public task::Scores {
 public:
  explicit FakeScores(files::Json metrics) : metrics_(std::move(metrics)) {}
  files::Json metrics() const override { return metrics_; }

 private:
  files::Json metrics_;
};

/// Classification with row weights. `script` may change the metrics of an evaluation (counted from 0).
class FakeTask final : public task::Task {
 public:
  std::vector<task::Encoded> encode(std::span<const data::Example>, const text::Tokenizer&) const override {
    return {};
  }

  task::Batch collate(std::span<const task::Encoded* const> rows, const task::BatchKey& key) const override {
    task::Batch batch;
    std::vector<std::int64_t> ids, labels, keys;
    std::vector<std::int32_t> lengths;
    std::vector<float> weights;
    for (const task::Encoded* row : rows) {
      seen_rows.push_back(row->row);
      const RandomKey row_key = RandomKey(0, "row").with(row->row).with(key.epoch);
      for (std::size_t i = 0; i < row->ids.size(); ++i) {
        ids.push_back(row->ids[i]);
        keys.push_back(static_cast<std::int64_t>(row_key.with(i).value()));
      }
      lengths.push_back(static_cast<std::int32_t>(row->ids.size()));
      labels.push_back(row->label);
      weights.push_back(static_cast<float>(row->weight));
      batch.rows.push_back(row);
    }
    batch.input.ids = to_tensor(ids);
    batch.input.layout = nn::make_layout(lengths);
    if (key.training) {
      batch.input.dropout.step_key = RandomKey(key.seed, "dropout").with(key.step).value();
      batch.input.dropout.token_keys = to_tensor(keys);
    }
    batch.labels = to_tensor(labels);
    batch.weights = at::empty({static_cast<std::int64_t>(weights.size())}, at::kFloat);
    std::copy(weights.begin(), weights.end(), batch.weights.data_ptr<float>());
    batch.tokens = static_cast<std::int64_t>(ids.size());
    if (on_collate) on_collate(key, batch);
    return batch;
  }
  std::vector<std::string> metric_names() const override { return {"loss", "accuracy"}; }
  double loss_weight(const task::Encoded& row, const task::BatchKey&) const override { return row.weight; }
  std::optional<task::BlindLoss> blind_loss(const files::ListView<task::Encoded>&) const override { return blind; }
  nn::LossSum loss(const models::Output& output, const task::Batch& batch) const override {
    at::Tensor each = row_losses(output, batch) * batch.weights;
    if (poison) each = poison(each);
    return {.sum = each.sum(), .weight = batch.weights.sum().item<double>()};
  }
  std::vector<task::Prediction> predict(const models::Output& output, const task::Batch& batch) const override {
    const at::Tensor losses = row_losses(output, batch);
    std::vector<task::Prediction> predictions;
    for (std::size_t i = 0; i < batch.rows.size(); ++i) {
      task::Prediction prediction;
      prediction.encoded = batch.rows[i];
      const at::Tensor row = output.logits[static_cast<std::int64_t>(i)].contiguous();
      prediction.logits.assign(row.data_ptr<float>(), row.data_ptr<float>() + row.numel());
      prediction.loss_sum = losses[static_cast<std::int64_t>(i)].item<double>();
      prediction.loss_weight = 1;
      predictions.push_back(std::move(prediction));
    }
    return predictions;
  }
  std::unique_ptr<task::Scores> scores(std::span<const task::Prediction> predictions, std::span<const data::Example>) const override {
    double loss = 0;
    for (const task::Prediction& prediction : predictions) loss += prediction.loss_sum;
    files::Json metrics = {{"loss", loss / static_cast<double>(predictions.size())}, {"labels", {"a", "b", "c"}}};
    if (script) metrics["scripted"] = script(evaluations);
    ++evaluations;
    return std::make_unique<FakeScores>(std::move(metrics));
  }
  files::Json describe(std::span<const task::Prediction>, const data::Example&, bool) const override { return {}; }

  std::function<double(int evaluation)> script;
  std::function<at::Tensor(const at::Tensor& losses)> poison;
  std::function<void(const task::BatchKey&, const task::Batch&)> on_collate;
  std::optional<task::BlindLoss> blind;
  mutable int evaluations = 0;
  mutable std::vector<std::int64_t> seen_rows;

 private:
  static at::Tensor to_tensor(const std::vector<std::int64_t>& values) {
    at::Tensor tensor = at::empty({static_cast<std::int64_t>(values.size())}, at::kLong);
    std::copy(values.begin(), values.end(), tensor.data_ptr<std::int64_t>());
    return tensor;
  }
  static at::Tensor row_losses(const models::Output& output, const task::Batch& batch) {
    return at::cross_entropy_loss(output.logits, batch.labels, {}, at::Reduction::None);
  }
};

/// `count` rows of 1…7 tokens with a label that the words give away, and weights 1, 2, 1, 2, ….
inline std::vector<task::Encoded> fake_rows(std::int64_t count, std::uint64_t seed = 1) {
  const RandomKey key(seed, "rows");
  std::vector<task::Encoded> rows(count);
  for (std::int64_t i = 0; i < count; ++i) {
    task::Encoded& row = rows[i];
    row.example = row.row = i;
    row.weight = 1.0 + static_cast<double>(i % 2);
    const std::int64_t length = 1 + static_cast<std::int64_t>(key.bits(3 * i) % 7);
    for (std::int64_t t = 0; t < length; ++t) {
      row.ids.push_back(static_cast<std::int32_t>(key.with(i).bits(t) % FakeModel::kWords));
    }
    row.label = row.ids.front() % FakeModel::kClasses;
  }
  return rows;
}

/// A run over fake rows, with settings that tests change before `train()`.
struct FakeRun {
  explicit FakeRun(FakeOptions options = {}) : model(options) {
    job.model = &model;
    job.task = &task;
    job.trainable.assign(model.parameters().size(), true);
    job.seed = 7;
    job.options.per_device_train_batch_size = 4;
    job.options.learning_rate = 1e-2;
    job.options.num_train_epochs = 3;
    job.options.logging_steps = 1;
    job.options.eval_strategy = "no";
    job.options.save_strategy = "no";
    job.options.weight_decay = 0.01;
    job.train.rows = rows;
  }
  FakeRun(const FakeRun&) = delete;
  FakeRun& operator=(const FakeRun&) = delete;

  void validate_each(const std::string& strategy, double steps = 1) {
    job.validation = train::Split{.rows = validation, .examples = {}};
    job.options.eval_strategy = strategy;
    job.options.eval_steps = steps;
  }
  train::TrainResult train() { return train::train(job); }
  std::string hash() { return train::weights_sha256(model); }

  FakeModel model;
  FakeTask task;
  std::vector<task::Encoded> rows = fake_rows(18);
  std::vector<task::Encoded> validation = fake_rows(10, 2);
  train::TrainJob job;
};

}  // namespace attune::testing
