// Training on a GPU beside the CPU: optimisers, losses of each task, resumption, recomputation, prediction.
#include "cuda.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>

#include <cmath>

#include "attune/adapt/freeze.h"
#include "attune/adapt/adapter.h"
#include "attune/optim/clip.h"
#include "attune/optim/optimizer.h"
#include "attune/task/kinds.h"
#include "attune/train/trainer.h"
#include "models/golden.h"
#include "raises.h"
#include "train/fake.h"

using namespace attune;
using namespace attune::testing;

namespace {

const models::Execution kTrainFloat = {.device = at::Device(at::kCUDA, 0), .precision = nn::Precision::float32};
const models::Execution kTrainHalf = {.device = at::Device(at::kCUDA, 0), .precision = nn::Precision::bfloat16};

/// A golden network on rows of its vocabulary, with dropout where it has some, under the task that its name says.
struct DeviceRun {
  explicit DeviceRun(const std::string& golden, const models::Execution& execution = {}, bool lora = false)
      : loaded(load_dropping(golden)) {
    task::TaskOptions options;
    options.kind = golden_task(golden);
    options.labels.names = loaded.model->spec().labels;
    for (task::Encoded& row : rows) set_targets(row, options.kind);
    switch (options.kind) {
      case models::Task::causal_lm:
        options.labels.kind = data::TargetKind::none;
        task = task::make_causal_lm(options);
        break;
      case models::Task::token_classification:
        options.labels.kind = data::TargetKind::tags;
        task = task::make_token_labels(options);
        break;
      case models::Task::question_answering:
        options.labels.kind = data::TargetKind::answers;
        task = task::make_span_qa(options);
        break;
      default:
        options.labels.kind = data::TargetKind::single;
        options.class_weights.assign(options.labels.names.size(), 0.7);
        options.label_smoothing = 0.1;
        task = task::make_classification(options);
    }
    adapt::TuningOptions tuning;
    if (lora) {
      tuning.method = "lora";
      tuning.lora.target_modules.pattern = "all-linear";
      tuning.lora.lora_dropout = 0.1;
      tuning.lora.use_dora = true;
      adapt::attach_adapter(loaded, adapt::plan_adapter(loaded, tuning.lora), 1);
    }
    loaded.model->set_execution(execution);
    job.trainable = adapt::trainable_parameters(*loaded.model, tuning);
    job.model = loaded.model.get();
    job.task = task.get();
    job.train.rows = rows;
    job.seed = 7;
    job.options.per_device_train_batch_size = 3;
    job.options.gradient_accumulation_steps = 2;
    job.options.learning_rate = 2e-3;
    job.options.weight_decay = 0.01;
    job.options.max_grad_norm = 0.5;
    job.options.max_steps = 8;
    job.options.eval_strategy = "no";
    job.options.save_strategy = "no";
  }
  DeviceRun(const DeviceRun&) = delete;
  DeviceRun& operator=(const DeviceRun&) = delete;

  static models::LoadedModel load_dropping(const std::string& golden) {
    models::LoadOptions options = golden_options(golden);
    options.attention_dropout = 0.1;
    const bool has_hidden = !golden.starts_with("llama") && !golden.starts_with("qwen") && !golden.starts_with("gemma") &&
                            !golden.starts_with("mistral");
    if (has_hidden) options.hidden_dropout = 0.1;
    return models::load_model(golden_folder(golden), options);
  }
  static void set_targets(task::Encoded& row, models::Task kind) {
    for (std::int32_t& id : row.ids) id += 3;
    row.token_labels.reset();
    row.learned.assign(row.ids.size(), 1);
    row.learned.front() = 0;
    for (const std::int32_t id : row.ids) row.token_labels.edit().push_back(id % 4 == 0 ? -100 : id % 3);
    if (kind != models::Task::question_answering) return;
    row.label = 0;
    row.end = static_cast<std::int64_t>(row.ids.size()) - 1;
  }
  std::vector<train::TrajectoryPoint> train() { return train::train(job).trajectory; }
  std::string hash() { return train::weights_sha256(*loaded.model); }

  models::LoadedModel loaded;
  std::unique_ptr<task::Task> task;
  std::vector<task::Encoded> rows = fake_rows(18);
  train::TrainJob job;
};

/// The largest relative difference of losses and of gradient norms.
double trajectories_off_by(const std::vector<train::TrajectoryPoint>& a, const std::vector<train::TrajectoryPoint>& b) {
  if (a.size() != b.size()) return 1e30;
  double off = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    off = std::max(off, std::abs(a[i].loss - b[i].loss) / std::abs(b[i].loss));
    off = std::max(off, std::abs(a[i].grad_norm - b[i].grad_norm) / b[i].grad_norm);
  }
  return off;
}

const std::vector<std::string> kTrained = {"bert_sequence",    "electra_sequence",  "distilbert_token",  "bert_span",
                                           "roberta_sequence", "gpt2_causal_lm",    "gpt2_sequence",     "gpt_neox_causal_lm",
                                           "llama_causal_lm",  "gemma2_causal_lm", "mistral_sequence", "qwen3_token"};

}  // namespace

TEST_CASE("optimisers on a GPU make the CPU's steps", "[cuda][optim]") {
  ATTUNE_NEEDS_GPU();
  for (const std::string name : {"adamw_torch_fused", "sgd"}) {
    for (const double momentum : {0.0, 0.9}) {
      DYNAMIC_SECTION(name << " momentum " << momentum) {
        const std::vector<std::vector<std::int64_t>> shapes{{7, 5}, {3}, {40, 11}, {1}};
        std::vector<at::Tensor> start, gradients;
        for (const auto& shape : shapes) {
          start.push_back(at::randn(shape));
          gradients.push_back(at::randn(shape));
        }
        const auto stepped = [&](const at::Device& device) {
          std::vector<at::Tensor> parameters;
          for (const at::Tensor& x : start) parameters.push_back(x.to(device).clone());
          tensor::ParameterArena arena(parameters);
          const auto optimizer = optim::make_optimizer({.name = name, .momentum = momentum}, arena,
                                                       {{1e-2, 0.1, {0, 2}}, {3e-3, 0.0, {1, 3}}});
          for (std::int64_t step = 1; step <= 5; ++step) {
            for (std::size_t i = 0; i < shapes.size(); ++i) {
              arena.gradients().slices()[i].copy_(gradients[i] * static_cast<double>(step));
            }
            const double norm = optim::gradient_norm(arena);
            optimizer->step({.number = step, .rate_factor = 1.0 / static_cast<double>(step), .gradient_factor = optim::clip_factor(norm, 1.0)});
          }
          return std::pair(arena.values().flat().cpu(), arena.values().flat().norm().item<double>());
        };
        const auto [cpu, cpu_norm] = stepped(at::kCPU);
        const auto [there, norm] = stepped(gpu());
        CHECK(off_by(there, cpu) < 1e-6);
        CHECK(norm == Approx(cpu_norm).epsilon(1e-6));
      }
    }
  }
}

TEST_CASE("training on a GPU follows training on the CPU, dropout included", "[cuda][train]") {
  ATTUNE_NEEDS_GPU();
  for (const std::string& golden : kTrained) {
    DYNAMIC_SECTION(golden) {
      const auto cpu = DeviceRun(golden).train(), there = DeviceRun(golden, kTrainFloat).train();
      CHECK(std::abs(cpu.front().loss - cpu.back().loss) > 1e-3);  // it moves
      CHECK(trajectories_off_by(there, cpu) < 1e-4);
    }
  }
}

TEST_CASE("training an adapter on a GPU follows the CPU", "[cuda][train]") {
  ATTUNE_NEEDS_GPU();
  for (const std::string golden : {"bert_sequence", "gpt2_causal_lm", "llama_causal_lm"}) {
    DYNAMIC_SECTION(golden) {
      CHECK(trajectories_off_by(DeviceRun(golden, kTrainFloat, true).train(), DeviceRun(golden, {}, true).train()) < 1e-4);
    }
  }
}

TEST_CASE("training in bfloat16 on a GPU follows float32 within rounding", "[cuda][train]") {
  ATTUNE_NEEDS_GPU();
  for (const std::string& golden : kTrained) {
    DYNAMIC_SECTION(golden) {
      const auto exact = DeviceRun(golden, kTrainFloat).train(), half = DeviceRun(golden, kTrainHalf).train();
      double worst = 0;
      for (std::size_t i = 0; i < exact.size(); ++i) worst = std::max(worst, std::abs(exact[i].loss - half[i].loss));
      CHECK(worst < 3e-2);
      CHECK(worst > 1e-7);
    }
  }
}

TEST_CASE("on a GPU recomputed stages and a second run give the same bits", "[cuda][train]") {
  ATTUNE_NEEDS_GPU();
  for (const std::string golden : {"bert_sequence", "gpt2_causal_lm", "llama_causal_lm"}) {
    for (const models::Execution& execution : {kTrainFloat, kTrainHalf}) {
      DYNAMIC_SECTION(golden << static_cast<int>(execution.precision)) {
        DeviceRun first(golden, execution), again(golden, execution), recomputed(golden, execution);
        recomputed.job.options.gradient_checkpointing = true;
        first.train();
        again.train();
        recomputed.train();
        CHECK(again.hash() == first.hash());
        CHECK(recomputed.hash() == first.hash());
      }
    }
  }
}

TEST_CASE("a run on a GPU resumed from any step ends with the bits of the uninterrupted one", "[cuda][train]") {
  ATTUNE_NEEDS_GPU();
  const TemporaryFolder folder;
  DeviceRun whole("bert_sequence", kTrainFloat);
  whole.job.folder = folder.path();
  whole.job.options.save_strategy = "steps";
  whole.job.options.save_steps = 1;
  whole.job.options.save_total_limit = 0;
  whole.train();
  for (const int step : {1, 4, 7}) {
    INFO("resumed from step " << step);
    DeviceRun resumed("bert_sequence", kTrainFloat);
    resumed.job.folder = folder.path();
    resumed.job.resume_from = folder / ("checkpoints/checkpoint-" + std::to_string(step));
    resumed.train();
    CHECK(resumed.hash() == whole.hash());
  }
}

TEST_CASE("predictions from a GPU are the CPU's", "[cuda][train]") {
  ATTUNE_NEEDS_GPU();
  for (const std::string& golden : kTrained) {
    DYNAMIC_SECTION(golden) {
      DeviceRun cpu(golden), there(golden, kTrainFloat);
      const auto want = train::predict(*cpu.loaded.model, *cpu.task, cpu.rows, 4);
      const auto got = train::predict(*there.loaded.model, *there.task, there.rows, 4);
      REQUIRE(got.size() == want.size());
      double logits = 0, loss = 0;
      for (std::size_t i = 0; i < got.size(); ++i) {
        loss = std::max(loss, std::abs(got[i].loss_sum - want[i].loss_sum));
        REQUIRE(got[i].logits.size() == want[i].logits.size());
        for (std::size_t j = 0; j < got[i].logits.size(); ++j) {
          logits = std::max(logits, std::abs(static_cast<double>(got[i].logits[j]) - want[i].logits[j]));
        }
      }
      CHECK(logits < 1e-4);
      CHECK(loss < 1e-3);
    }
  }
}

TEST_CASE("a loss on a GPU that is no number stops the run before the step", "[cuda][train]") {
  ATTUNE_NEEDS_GPU();
  DeviceRun run("bert_sequence", kTrainFloat);
  for (models::Parameter& parameter : run.loaded.model->parameters()) {
    if (parameter.name == "classifier.bias") parameter.tensor.set_data(parameter.tensor.detach() / 0 * 0);
  }
  CHECK_RAISES(run.train(), diverged, "the loss is");
}
