// Adapters on a GPU beside the CPU.
#include "cuda.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>

#include "adapt/golden_adapter.h"
#include "attune/adapt/adapter.h"

using namespace attune;
using namespace attune::testing;

namespace {

struct AdapterPass {
  at::Tensor logits;
  Tensors gradients;
};

AdapterPass adapter_pass(const GoldenAdapter& golden, const models::LoadedModel& loaded, const models::Execution& execution,
                         bool training) {
  loaded.model->set_execution(execution);
  for (models::Parameter& parameter : loaded.model->parameters()) {
    parameter.tensor.mutable_grad() = at::Tensor();
    parameter.tensor.set_requires_grad(parameter.with_adapter);
  }
  models::Input input = golden_input(golden_tensors(golden.base));
  if (training) input.dropout = {.step_key = 3, .token_keys = at::arange(input.ids.size(0), at::kLong)};
  const models::Context context = loaded.model->prepare(models::to_device(input, execution.device), training);
  const at::Tensor logits = models::forward(*loaded.model, context).logits;
  (logits * golden.direction().to(execution.device)).sum().backward();
  AdapterPass pass{logits.detach().cpu(), {}};
  for (const models::Parameter& parameter : loaded.model->parameters()) {
    if (parameter.with_adapter) pass.gradients[parameter.name] = parameter.tensor.grad().cpu();
  }
  return pass;
}

void check_adapter(const AdapterPass& got, const AdapterPass& want, double tolerance) {
  CHECK(off_by(got.logits, want.logits) < tolerance);
  REQUIRE(got.gradients.size() == want.gradients.size());
  double difference = 0, size = 0;
  for (const auto& [name, gradient] : want.gradients) {
    difference += (got.gradients.at(name) - gradient).square().sum().item<double>();
    size += gradient.square().sum().item<double>();
  }
  INFO("gradients off by " << std::sqrt(difference / size));
  CHECK(std::sqrt(difference / size) < tolerance);
}

const models::Execution kFloatGpu = {.device = at::Device(at::kCUDA, 0), .precision = nn::Precision::float32};
const models::Execution kHalfGpu = {.device = at::Device(at::kCUDA, 0), .precision = nn::Precision::bfloat16};

}  // namespace

TEST_CASE("logits and gradients under an adapter on a GPU are the CPU's", "[cuda][adapt]") {
  ATTUNE_NEEDS_GPU();
  for (const std::string& name : golden_adapters()) {
    DYNAMIC_SECTION(name) {
      const GoldenAdapter golden(name);
      for (const bool training : {false, true}) {
        INFO("training " << training);
        const AdapterPass cpu = adapter_pass(golden, golden.load(), {}, training);
        check_adapter(adapter_pass(golden, golden.load(), kFloatGpu, training), cpu, 1e-5);
        check_adapter(adapter_pass(golden, golden.load(), kHalfGpu, training), cpu, 4e-2);
      }
    }
  }
}

TEST_CASE("an adapter attached to or merged into a model on a GPU is the CPU's", "[cuda][adapt]") {
  ATTUNE_NEEDS_GPU();
  const at::NoGradGuard no_grad;
  for (const std::string name : {"bert_bias_all", "gpt2_dora", "llama_embeddings"}) {
    DYNAMIC_SECTION(name) {
      const GoldenAdapter golden(name);
      models::LoadedModel loaded = golden.load();
      loaded.model->set_execution(kFloatGpu);
      const models::Input input = models::to_device(golden_input(golden_tensors(golden.base)), gpu());
      const auto logits = [&] { return models::forward(*loaded.model, loaded.model->prepare(input, false)).logits; };
      const at::Tensor before = logits();
      adapt::merge_adapter(loaded);
      CHECK(off_by(logits(), before) < 1e-5);
    }
  }
  adapt::LoraOptions options;
  options.target_modules.pattern = "all-linear";
  options.use_dora = true;
  models::LoadedModel loaded = load_golden("bert_sequence");
  loaded.model->set_execution(kFloatGpu);
  adapt::attach_adapter(loaded, adapt::plan_adapter(loaded, options), 1);
  for (const models::Parameter& parameter : loaded.model->parameters()) CHECK(parameter.tensor.is_cuda());
}
