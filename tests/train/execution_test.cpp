// Training a real encoder in bfloat16, from half-precision weights, and without kernels.
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>

#include <cmath>

#include "catch.h"
#include "models/golden.h"
#include "train/encoder_run.h"
#include "without_kernels.h"

using namespace attune;
using namespace attune::testing;

namespace {

const models::Execution kHalf = {.device = at::kCPU, .precision = nn::Precision::bfloat16};

double worst(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

/// Whether products in bfloat16 would read every weight as it is now.
bool copies_follow(const models::Model& model) {
  bool all = true, any = false;
  for (const models::Parameter& parameter : model.parameters()) {
    if (!parameter.rounded.defined()) continue;
    any = true;
    all = all && parameter.has_copy() && at::equal(parameter.rounded, parameter.tensor.detach().to(at::kBFloat16));
  }
  return any && all;
}

/// Early in training an evaluation is best that later ones are not.
void keep_best(EncoderRun& run, const std::vector<data::Example>& examples) {
  run.job.validation = train::Split{.rows = run.rows, .examples = examples};
  run.job.options.eval_strategy = "steps";
  run.job.options.eval_steps = 1;
  run.job.options.load_best_model_at_end = true;
  run.job.options.metric_for_best_model = "loss";
  run.job.options.greater_is_better = true;
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

TEST_CASE("what products in bfloat16 read are the weights as they are, rounded", "[train][execution]") {
  const std::vector<data::Example> examples(18);
  for (const std::string optimiser : {"adamw_torch_fused", "sgd"}) {
    INFO(optimiser);
    const TemporaryFolder folder;
    EncoderRun run("bert_sequence", kHalf);
    CHECK(copies_follow(*run.loaded.model));
    run.job.options.optim = optimiser;
    run.job.folder = folder.path();
    run.job.options.save_strategy = "steps";
    run.job.options.save_steps = 4;
    run.losses();
    CHECK(copies_follow(*run.loaded.model));
    EncoderRun resumed("bert_sequence", kHalf);
    resumed.job.options = run.job.options;
    resumed.job.options.save_strategy = "no";
    resumed.job.folder = folder.path();
    resumed.job.resume_from = folder / "checkpoints/checkpoint-8";  // the end: no step follows
    resumed.losses();
    CHECK(resumed.hash() == run.hash());
    CHECK(copies_follow(*resumed.loaded.model));
    EncoderRun best("bert_sequence", kHalf);
    best.job.options.optim = optimiser;
    keep_best(best, examples);
    CHECK(train::train(best.job).best_step != 8);
    CHECK(copies_follow(*best.loaded.model));
  }
}

TEST_CASE("copies of weights follow frozen layers, dtypes and executions", "[train][execution]") {
  EncoderRun part("bert_sequence", kHalf);
  for (std::size_t i = 0; i < part.job.trainable.size(); ++i) {
    part.job.trainable[i] = part.loaded.model->parameters()[i].stages.front() >= part.loaded.model->depth();
  }
  part.losses();
  CHECK(copies_follow(*part.loaded.model));
  models::round_to_dtype(part.loaded);
  CHECK(copies_follow(*part.loaded.model));
  part.loaded.model->set_execution({});
  for (const models::Parameter& parameter : part.loaded.model->parameters()) CHECK_FALSE(parameter.has_copy());
  CHECK(part.loaded.model->parameters().front().rounded.defined() == false);  // only token ids read the table

  for (const std::string golden : {"bert_bfloat16", "bert_float16"}) {
    INFO(golden);
    EncoderRun half(golden, kHalf);
    half.losses();
    CHECK(copies_follow(*half.loaded.model));
    models::round_to_dtype(half.loaded);
    CHECK(copies_follow(*half.loaded.model));
  }
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
