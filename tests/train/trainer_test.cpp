// The loop: accumulation, counts, order of rows, freezing, divergence, evaluation that leaves no trace.
#include "attune/train/trainer.h"

#include <ATen/ops/equal.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <utility>

#include "attune/base/random.h"
#include "attune/base/signals.h"
#include "attune/train/evaluate.h"
#include "attune/train/plan.h"
#include "attune/train/trainables.h"
#include "catch.h"
#include "raises.h"
#include "train/encoder_run.h"
#include "train/fake.h"

using namespace attune;
using testing::EncoderRun;
using testing::FakeRun;
using Splits = std::vector<std::pair<int, int>>;  // batch size, batches a step

TEST_CASE("splitting the rows of a step into batches changes neither loss nor gradient norm", "[train]") {
  // 18 rows in steps of 8: the last step of an epoch has 2 rows, so its last windows are ragged.
  std::vector<train::TrajectoryPoint> whole;
  for (const auto& [batch, accumulation] : Splits{{8, 1}, {4, 2}, {2, 4}, {1, 8}, {3, 3}}) {
    FakeRun run({.dropout = 0.1});
    run.job.options.per_device_train_batch_size = batch;
    run.job.options.gradient_accumulation_steps = accumulation;
    run.job.options.max_grad_norm = 0;
    const auto trajectory = run.train().trajectory;
    if (whole.empty()) whole = trajectory;
    if (batch * accumulation == 8) {
      REQUIRE(trajectory.size() == whole.size());
      for (std::size_t i = 0; i < whole.size(); ++i) {
        INFO(batch << " × " << accumulation << ", step " << i + 1);
        CHECK(trajectory[i].loss == Approx(whole[i].loss).epsilon(i == 0 ? 1e-6 : 1e-4));
        CHECK(trajectory[i].grad_norm == Approx(whole[i].grad_norm).epsilon(i == 0 ? 1e-6 : 1e-3));
      }
    } else {
      CHECK(trajectory[0].loss != Approx(whole[0].loss).epsilon(1e-6));  // other rows: the comparison can fail
    }
  }
}

TEST_CASE("every step of an accumulated run has the gradients of the same rows in one batch", "[train]") {
  for (const std::int64_t rows : {8, 5}) {
    at::Tensor expected;
    for (const auto& [batch, accumulation] : Splits{{8, 1}, {2, 4}, {1, 8}}) {
      FakeRun run;
      run.rows = testing::fake_rows(rows);
      run.job.train.rows = run.rows;
      run.job.options.per_device_train_batch_size = batch;
      run.job.options.gradient_accumulation_steps = accumulation;
      run.job.options.max_steps = 1;
      run.job.options.optim = "sgd";  // one step of rate 1: the change of the weights is the gradient
      run.job.options.learning_rate = 1;
      run.job.options.weight_decay = 0;
      run.job.options.lr_scheduler_type = "constant";
      run.job.options.max_grad_norm = 0;
      const at::Tensor before = run.model.parameters()[1].tensor.clone();
      run.train();
      const at::Tensor gradient = before - run.model.parameters()[1].tensor;
      if (!expected.defined()) expected = gradient;
      CHECK((gradient - expected).abs().max().item<double>() <= 1e-6 * expected.abs().max().item<double>() + 1e-7);
    }
  }
}

TEST_CASE("steps are counted as the reference trainer counts them", "[train]") {
  const auto plan = [](double epochs, std::int64_t max_steps, std::int64_t batch, std::int64_t accumulation) {
    train::TrainingOptions options;
    options.num_train_epochs = epochs;
    options.max_steps = max_steps;
    options.per_device_train_batch_size = batch;
    options.gradient_accumulation_steps = accumulation;
    return train::Plan(options, 1, train::Plan::Numbers(18, 1));
  };
  CHECK(plan(3, -1, 4, 1).total_steps() == 15);
  CHECK(plan(3, -1, 4, 2).total_steps() == 9);  // 5 batches: windows of 2, 2, 1
  CHECK(plan(0.5, -1, 4, 2).total_steps() == 2);
  CHECK(plan(3, 7, 4, 2).total_steps() == 7);
  CHECK(plan(3, -1, 4, 2).epoch_after(1) == Approx(0.4));
  CHECK(plan(3, -1, 4, 2).epoch_after(3) == 1.0);
  CHECK(plan(3, -1, 4, 2).window(2).batches.size() == 1);
  CHECK(plan(3, -1, 4, 2).window(3).epoch == 1);
}

TEST_CASE("each epoch reads every row once, in the order of torch.randperm under seed + epoch", "[train]") {
  for (const bool own_seed : {false, true}) {
    FakeRun run;
    if (own_seed) run.job.options.data_seed = 99;
    run.train();
    std::vector<std::int64_t> expected;
    for (std::uint64_t epoch = 0; epoch < 3; ++epoch) {
      for (const std::int64_t row : torch_randperm(18, (own_seed ? 99 : 7) + epoch)) expected.push_back(row);
    }
    CHECK(run.task.seen_rows == expected);
  }
}

TEST_CASE("a mixture reads rows as often as their weights say, another part of a fraction each epoch", "[train]") {
  train::TrainingOptions options;
  options.per_device_train_batch_size = 5;
  std::vector<double> passes(10, 0.5);
  passes.insert(passes.end(), 4, 2.25);
  train::Plan plan(options, 1, train::Plan::Numbers(14, 1), passes);
  CHECK(plan.epoch_end(0) == 3);  // 5 + 9 rows
  const auto counts = [&](std::int64_t epoch) {
    std::vector<int> count(14, 0);
    for (const std::int64_t row : plan.order(epoch)) ++count[static_cast<std::size_t>(row)];
    return count;
  };
  const std::vector<int> first = counts(0);
  CHECK(std::accumulate(first.begin(), first.begin() + 10, 0) == 5);
  CHECK(*std::max_element(first.begin(), first.begin() + 10) == 1);
  CHECK(std::accumulate(first.begin() + 10, first.end(), 0) == 9);
  CHECK(*std::min_element(first.begin() + 10, first.end()) == 2);
  CHECK(counts(0) == first);
  CHECK(counts(1) != first);
  options.train_sampling_strategy = "sequential";
  CHECK(train::Plan(options, 1, train::Plan::Numbers(3, 1)).order(4) == train::Plan::Numbers{0, 1, 2});
}

TEST_CASE("grouping by length keeps every row and puts like lengths together", "[train]") {
  train::TrainingOptions options;
  options.per_device_train_batch_size = 4;
  options.group_by_length = true;
  train::Plan::Numbers lengths;
  for (std::uint32_t i = 0; i < 50; ++i) lengths.push_back(i * 7 % 50);
  const train::Plan plan(options, 1, lengths);
  const train::Plan::Numbers order = plan.order(0);
  CHECK(std::set<std::int64_t>(order.begin(), order.end()).size() == 50);
  CHECK(lengths[order[0]] == 49);
  CHECK(plan.order(1) != order);
}

TEST_CASE("learning rates are logged as used: 0 in the first step of a warmup", "[train]") {
  FakeRun run;
  run.job.options.warmup_steps = 0.2;  // 3 of 15
  const auto result = run.train();
  const auto rate = [&](std::size_t i) { return result.log_history.at(i).at("learning_rate").get<double>(); };
  CHECK(rate(0) == 0.0);
  CHECK(rate(1) == Approx(1e-2 / 3));
  CHECK(rate(3) == 1e-2);
  CHECK(rate(14) == Approx(1e-2 / 12));
  CHECK(result.steps == 15);
  CHECK(result.epochs == 3.0);
  CHECK(result.stopped_by == "end");
}

TEST_CASE("training learns", "[train]") {
  FakeRun run;
  run.job.options.num_train_epochs = 40;
  const auto result = run.train();
  CHECK(result.trajectory.back().loss < 0.3 * result.trajectory.front().loss);
}

TEST_CASE("a frozen tensor has the same bits at the end, and its stages run without dropout", "[train]") {
  std::set<std::string> hashes;
  for (const bool frozen_dropout : {false, true}) {
    FakeRun run({.dropout = 0.5});
    for (std::size_t i = 0; i < 3; ++i) run.job.trainable[i] = false;  // embeddings and block 0
    run.job.options.frozen_dropout = frozen_dropout;
    std::vector<at::Tensor> before;
    for (const auto& parameter : run.model.parameters()) before.push_back(parameter.tensor.clone());
    run.train();
    for (std::size_t i = 0; i < before.size(); ++i) {
      INFO(run.model.parameters()[i].name);
      CHECK(at::equal(before[i], run.model.parameters()[i].tensor) == (i < 3));
      CHECK_FALSE(run.model.parameters()[i].tensor.requires_grad());
    }
    hashes.insert(run.hash());
  }
  CHECK(hashes.size() == 2);  // frozen_dropout changes the run
}

TEST_CASE("layer-wise decay and the head rate make one group a rate and decay", "[train]") {
  testing::FakeModel model;
  const train::Trainables trained(model, std::vector<bool>(model.parameters().size(), true));
  train::TrainingOptions options;
  options.learning_rate = 1.0;
  options.layerwise_lr_decay = 0.5;
  options.head_learning_rate = 3.0;
  options.weight_decay = 0.1;
  std::map<std::string, std::pair<double, double>> seen;
  for (const auto& group : trained.groups(options)) {
    for (const std::size_t i : group.members) seen[trained.names()[i]] = {group.learning_rate, group.weight_decay};
  }
  CHECK(seen.size() == model.parameters().size());
  CHECK(seen["fake.embeddings.word_embeddings.weight"] == std::pair(0.125, 0.1));
  CHECK(seen["fake.encoder.layer.0.dense.weight"] == std::pair(0.25, 0.1));
  CHECK(seen["fake.encoder.layer.1.dense.bias"] == std::pair(0.5, 0.0));
  CHECK(seen["classifier.weight"] == std::pair(3.0, 0.1));
  CHECK(seen["classifier.bias"] == std::pair(3.0, 0.0));
}

TEST_CASE("a non-finite loss stops before its step is applied", "[train]") {
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    FakeRun clean, poisoned;
    clean.job.stop_after = 6;
    clean.train();
    int batches = 0;
    poisoned.task.poison = [&](const at::Tensor& losses) { return ++batches == 7 ? losses * bad : losses; };
    CHECK_RAISES(poisoned.train(), diverged, "at step 7; the step was not applied");
    CHECK(poisoned.hash() == clean.hash());
  }
}

TEST_CASE("a non-finite gradient stops before its step is applied and names its tensor", "[train]") {
  FakeRun clean, poisoned;
  clean.job.stop_after = 2;
  clean.train();
  // sqrt at 0: the value is 0, its slope infinite, and infinite times 0 is no number.
  int batches = 0;
  poisoned.task.poison = [&](const at::Tensor& losses) {
    return ++batches == 3 ? losses + (losses * 0).sqrt() : losses;
  };
  CHECK_RAISES(poisoned.train(), diverged, "first bad gradient: '");
  CHECK(poisoned.hash() == clean.hash());
}

TEST_CASE("outputs that are not finite become no prediction", "[train]") {
  FakeRun run;
  CHECK(train::predict(run.model, run.task, run.rows, 2).size() == run.rows.size());
  at::Tensor bias = run.model.parameters().back().tensor;
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), -std::numeric_limits<double>::infinity()}) {
    bias[1] = bad;
    CHECK_RAISES(train::predict(run.model, run.task, run.rows, 2), diverged, "the model's outputs are not finite");
  }
}

TEST_CASE("a step without anything to learn from is an error", "[train]") {
  FakeRun run;
  for (task::Encoded& row : run.rows) row.weight = 0;
  CHECK_RAISES(run.train(), data, "has anything to learn from");
}

TEST_CASE("the embedding of every token trains that occurs in a row, and no other", "[train]") {
  EncoderRun run("bert_sequence");
  run.rows.resize(17);
  for (std::size_t i = 0; i < run.rows.size(); ++i) run.rows[i].ids = {3, static_cast<std::int32_t>(14 + i)};
  run.job.train.rows = run.rows;
  const auto words = std::ranges::find_if(run.loaded.model->parameters(),
                                          [](const models::Parameter& parameter) { return parameter.name.ends_with("word_embeddings.weight"); });
  const at::Tensor before = words->tensor.detach().clone();
  run.losses();
  for (std::int64_t id = 14; id < 32; ++id) {
    INFO(id);
    CHECK(at::equal(words->tensor.select(0, id), before.select(0, id)) == (id == 31));
  }
}

TEST_CASE("errors of a batch name the lines of its rows", "[train]") {
  FakeRun run;
  std::vector<data::Example> examples(run.rows.size());
  for (std::size_t i = 0; i < examples.size(); ++i) {
    examples[i].origin = {i < 2 ? "a.jsonl" : "b.jsonl", static_cast<std::int64_t>(i) + 101};
  }
  run.job.train.examples = examples;
  run.job.options.train_sampling_strategy = "sequential";
  run.task.poison = [](const at::Tensor& losses) { return losses * std::numeric_limits<double>::quiet_NaN(); };
  CHECK_RAISES(run.train(), diverged, "(a.jsonl lines 101, 102, b.jsonl lines 103, 104; ");
  for (task::Encoded& row : run.rows) row.example = 17 - row.example;
  CHECK_RAISES(run.train(), diverged, "(b.jsonl lines 118, 117, 116, 115; ");
  for (task::Encoded& row : run.rows) row.example = 17 - row.example;
  run.job.options.per_device_train_batch_size = 9;
  CHECK_RAISES(run.train(), diverged, "b.jsonl lines 103, 104, 105, 106, 107, 108, …; ");
  for (task::Encoded& row : run.rows) row.weight = 0;
  CHECK_RAISES(run.train(), data, "a.jsonl lines 101, 102, b.jsonl lines 103");
  at::Tensor bias = run.model.parameters().back().tensor;
  bias[1] = std::numeric_limits<double>::quiet_NaN();
  CHECK_RAISES(train::predict(run.model, run.task, std::span(run.rows).first(1), 2, examples), diverged, "(among a.jsonl line 101)");
  CHECK_RAISES(train::predict(run.model, run.task, run.rows, 2), diverged, "(among ");
}

TEST_CASE("a loss that rises far above its start is told of once", "[train]") {
  FakeRun run;
  run.task.blind = task::BlindLoss{.loss = std::log(3.0), .margin = 0.5};
  run.job.options.num_train_epochs = 20;
  struct Warnings : report::Observer {
    void on_event(const report::Event& event) override {
      if (event["event"] == "warning") messages.push_back(event["message"].get<std::string>());
    }
    std::vector<std::string> messages;
  };
  const auto warnings = std::make_shared<Warnings>();
  report::EventBus events;
  events.add(warnings);
  run.job.events = &events;
  run.train();
  CHECK(warnings->messages.empty());
  run.job.options.learning_rate = 30;
  run.job.options.lr_scheduler_type = "constant";
  const auto result = run.train();
  CHECK(result.trajectory.back().loss > 5);
  REQUIRE(warnings->messages.size() == 1);
  for (const char* part : {"step ", "the loss has risen to ", "learning rate of 30", "training.learning_rate", "training.warmup_steps"}) {
    INFO(warnings->messages[0]);
    CHECK(warnings->messages[0].find(part) != std::string::npos);
  }
}

TEST_CASE("a finite loss beyond all scales ends the training", "[train]") {
  FakeRun run;
  run.task.blind = task::BlindLoss{.loss = std::log(3.0), .margin = 0.5};
  int steps = 0;
  run.task.poison = [&](const at::Tensor& losses) { return ++steps > 2 ? losses * 1e14 : losses; };
  CHECK_RAISES(run.train(), diverged, "more than 1e+09 times what the training began with");
  CHECK(steps == 3);
  run.task.blind.reset();  // of a task without a scale nothing is said
  steps = 0;
  CHECK_NOTHROW(run.train());

  FakeRun evaluated;
  evaluated.task.blind = task::BlindLoss{.loss = std::log(3.0), .margin = 0.5};
  evaluated.validate_each("steps");
  evaluated.job.options.learning_rate = 1e7;
  evaluated.job.options.lr_scheduler_type = "constant";
  CHECK_RAISES(evaluated.train(), diverged, "after step 1 the loss of the validation rows is ");
}

TEST_CASE("evaluation leaves no trace in the weights", "[train]") {
  FakeRun silent({.dropout = 0.2}), watched({.dropout = 0.2});
  silent.train();
  watched.validate_each("steps");
  watched.job.options.load_best_model_at_end = false;
  const auto result = watched.train();
  CHECK(watched.task.evaluations == 15);
  CHECK(silent.hash() == watched.hash());
  CHECK(result.best_step.has_value());
}

TEST_CASE("the same seed gives the same bits and another seed others", "[train]") {
  FakeRun a({.dropout = 0.2}), b({.dropout = 0.2}), c({.dropout = 0.2});
  c.job.seed = 8;
  a.train();
  b.train();
  c.train();
  CHECK(a.hash() == b.hash());
  CHECK(a.hash() != c.hash());
}

TEST_CASE("hashes are recorded at powers of two and at the end", "[train]") {
  FakeRun run;
  const auto result = run.train();
  std::set<std::int64_t> recorded;
  for (const auto& point : result.trajectory) {
    if (point.weights_sha256.empty()) continue;
    recorded.insert(point.step);
    CHECK(point.tensors_sha256.size() == run.model.parameters().size());
  }
  CHECK(recorded == std::set<std::int64_t>{1, 2, 4, 8, 15});
  CHECK(result.trajectory.back().weights_sha256 == run.hash());
}

TEST_CASE("predictions come back in the order of the rows, in batches by length and token budget", "[train]") {
  FakeRun run;
  const auto batches = train::length_batches(run.rows, 2);
  std::size_t rows = 0;
  std::int64_t longest = 0;
  for (const auto& row : run.rows) longest = std::max<std::int64_t>(longest, static_cast<std::int64_t>(row.ids.size()));
  for (const auto& batch : batches) {
    std::int64_t tokens = 0;
    for (const std::int64_t i : batch) tokens += static_cast<std::int64_t>(run.rows[i].ids.size());
    CHECK(tokens <= 2 * longest);
    rows += batch.size();
  }
  CHECK(rows == run.rows.size());
  CHECK(batches.size() < run.rows.size() / 2);
  const auto predictions = train::predict(run.model, run.task, run.rows, 2);
  for (std::size_t i = 0; i < run.rows.size(); ++i) {
    CHECK(predictions[i].encoded == &run.rows[i]);
    const auto alone = train::predict(run.model, run.task, std::span(run.rows).subspan(i, 1), 1);
    CHECK(predictions[i].logits[0] == Approx(alone[0].logits[0]).margin(1e-6));
  }
  CHECK(train::predict(run.model, run.task, {}, 2).empty());
}

TEST_CASE("settings that contradict each other are refused", "[train]") {
  FakeRun stopping;
  stopping.job.early_stopping.enabled = true;
  CHECK_RAISES(stopping.train(), usage, "early stopping needs validation rows");
  FakeRun metric;
  metric.validate_each("epoch");
  metric.job.options.metric_for_best_model = "f1";
  CHECK_RAISES(metric.train(), usage, "defined are eval_loss");
  FakeRun none;
  none.job.train.rows = {};
  CHECK_RAISES(none.train(), data, "no training rows");
}
