// Training a real encoder in bfloat16, from half-precision weights, and without kernels.
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>

#include <cmath>

#include "attune/task/kinds.h"
#include "attune/train/trainer.h"
#include "catch.h"
#include "models/golden.h"
#include "train/fake.h"
#include "without_kernels.h"

using namespace attune;
using namespace attune::testing;

namespace {

const models::Execution kHalf = {.device = at::kCPU, .precision = nn::Precision::bfloat16};

/// A golden encoder on rows whose first word gives the label away; dropout on.
struct EncoderRun {
  explicit EncoderRun(const std::string& golden, const models::Execution& execution = {}) : loaded(load(golden)) {
    loaded.model->set_execution(execution);
    task::TaskOptions options;
    options.labels = {.kind = data::TargetKind::single, .names = {"calm", "brisk", "über"}};
    task = task::make_classification(options);
    for (task::Encoded& row : rows) {
      for (std::int32_t& id : row.ids) id += 3;
    }
    job.model = loaded.model.get();
    job.task = task.get();
    job.trainable.assign(loaded.model->parameters().size(), true);
    job.train.rows = rows;
    job.seed = 7;
    job.options.per_device_train_batch_size = 3;
    job.options.gradient_accumulation_steps = 2;
    job.options.learning_rate = 2e-3;
    job.options.max_steps = 8;
    job.options.eval_strategy = "no";
    job.options.save_strategy = "no";
  }
  EncoderRun(const EncoderRun&) = delete;
  EncoderRun& operator=(const EncoderRun&) = delete;

  static models::LoadedModel load(const std::string& golden) {
    models::LoadOptions options = golden_options(golden);
    options.hidden_dropout = options.attention_dropout = 0.1;
    return models::load_model(golden_folder(golden), options);
  }
  std::vector<double> losses() {
    std::vector<double> values;
    for (const train::TrajectoryPoint& point : train::train(job).trajectory) values.push_back(point.loss);
    return values;
  }
  std::string hash() { return train::weights_sha256(*loaded.model); }

  models::LoadedModel loaded;
  std::unique_ptr<task::Task> task;
  std::vector<task::Encoded> rows = fake_rows(18);
  train::TrainJob job;
};

double worst(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

}  // namespace

TEST_CASE("training without kernels follows training with them", "[train][execution]") {
  for (const std::string golden : {"bert_sequence", "distilbert_sequence", "electra_sequence"}) {
    INFO(golden);
    const std::vector<double> with = EncoderRun(golden).losses();
    CHECK(std::abs(with.front() - with.back()) > 1e-2);  // it moves
    const WithoutKernels plain;
    CHECK(worst(EncoderRun(golden).losses(), with) < 1e-4);
  }
}

TEST_CASE("training in bfloat16 follows training in float32 within rounding, and is not the same",
          "[train][execution]") {
  const std::vector<double> exact = EncoderRun("bert_sequence").losses();
  const std::vector<double> half = EncoderRun("bert_sequence", kHalf).losses();
  CHECK(worst(half, exact) < 2e-2);
  CHECK(worst(half, exact) > 1e-6);
  const WithoutKernels plain;
  CHECK(worst(EncoderRun("bert_sequence", kHalf).losses(), half) < 2e-2);
}

TEST_CASE("in bfloat16 the weights, their gradients and moments stay float32", "[train][execution]") {
  const TemporaryFolder folder;
  EncoderRun run("bert_bfloat16", kHalf);
  run.job.folder = folder.path();
  run.job.options.save_strategy = "steps";
  run.job.options.save_steps = 8;
  run.losses();
  for (const char* file : {"trainable.safetensors", "optimizer.safetensors"}) {
    for (const auto& [name, tensor] :
         tensor::load_tensors(folder / (std::string("checkpoints/checkpoint-8/") + file))) {
      INFO(file << " " << name);
      CHECK(tensor.scalar_type() == at::kFloat);
    }
  }
  // Smaller updates than bfloat16 can hold were not lost.
  const at::Tensor weight = value_of(run.loaded, "bert.encoder.layer.0.output.dense.weight");
  CHECK_FALSE(at::equal(weight, weight.to(at::kBFloat16).to(at::kFloat)));
}

TEST_CASE("a run in bfloat16 resumed from any step ends with the bits of the uninterrupted one", "[train][execution]") {
  const TemporaryFolder folder;
  EncoderRun whole("bert_bfloat16", kHalf);
  whole.job.folder = folder.path();
  whole.job.options.save_strategy = "steps";
  whole.job.options.save_steps = 1;
  whole.job.options.save_total_limit = 0;
  whole.losses();
  for (const int step : {1, 4, 7}) {
    INFO("resumed from step " << step);
    EncoderRun resumed("bert_bfloat16", kHalf);
    resumed.job.folder = folder.path();
    resumed.job.resume_from = folder / ("checkpoints/checkpoint-" + std::to_string(step));
    resumed.losses();
    CHECK(resumed.hash() == whole.hash());
  }
}

TEST_CASE("evaluation computes in the precision of training", "[train][execution]") {
  const auto logits = [](const models::Execution& execution) {
    EncoderRun run("bert_sequence", execution);
    return train::predict(*run.loaded.model, *run.task, run.rows, 4).front().logits;
  };
  CHECK(logits(kHalf) != logits({}));
  CHECK(std::abs(logits(kHalf)[0] - logits({})[0]) < 2e-2);
}
