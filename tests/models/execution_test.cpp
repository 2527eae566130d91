// How a model runs: in bfloat16 beside the reference's autocast, and without kernels as other devices do.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/record_function.h>

#include <cmath>
#include <memory>
#include <set>

#include "catch.h"
#include "models/golden.h"
#include "without_kernels.h"

using namespace attune;
using namespace attune::models;
using namespace attune::testing;

namespace {

/// Products of two matrices that were computed in float32 while one of these lives.
class FloatProducts {
 public:
  FloatProducts() : handle_(at::addThreadLocalCallback(at::RecordFunctionCallback(record).needsInputs(true))) {
    found().clear();
  }
  ~FloatProducts() { at::removeCallback(handle_); }
  static std::set<std::string>& found() {
    static std::set<std::string> names;
    return names;
  }

 private:
  static std::unique_ptr<at::ObserverContext> record(const at::RecordFunction& function) {
    static const std::set<std::string> kProducts = {"aten::mm", "aten::addmm", "aten::addmm_", "aten::bmm",
                                                    "aten::linear"};
    if (!kProducts.contains(function.name())) return nullptr;
    int matrices = 0;
    for (const c10::IValue& input : function.inputs()) {
      if (input.isTensor() && input.toTensor().dim() >= 2 && input.toTensor().scalar_type() == at::kFloat) ++matrices;
    }
    if (matrices >= 2) found().insert(function.name());
    return nullptr;
  }
  at::CallbackHandle handle_;
};

struct Pass {
  at::Tensor logits;
  std::map<std::string, at::Tensor> gradients;
};

Pass run(const std::string& name, const Execution& execution) {
  const Tensors expected = golden_tensors(name);
  const LoadedModel loaded = load_golden(name);
  loaded.model->set_execution(execution);
  const Output output = forward(*loaded.model, loaded.model->prepare(golden_input(expected), false));
  (output.logits * expected.at("direction")).sum().backward();
  Pass pass{output.logits.detach().to(at::kFloat), {}};
  for (const Parameter& parameter : loaded.model->parameters()) {
    if (parameter.tensor.grad().defined()) pass.gradients["grad." + parameter.name] = parameter.tensor.grad();
  }
  return pass;
}

/// ‖got - want‖ / ‖want‖ over all tensors whose names begin with "grad.".
double gradient_error(const std::map<std::string, at::Tensor>& got, const Tensors& want) {
  double difference = 0, size = 0;
  for (const auto& [name, gradient] : got) {
    const at::Tensor& exact = want.at(name);
    difference += (gradient - exact).square().sum().item<double>();
    size += exact.square().sum().item<double>();
  }
  return std::sqrt(difference / size);
}

double error(const at::Tensor& got, const at::Tensor& want) {
  return ((got - want).norm() / want.norm()).item<double>();
}

const Execution kHalf = {.device = at::kCPU, .precision = nn::Precision::bfloat16};

}  // namespace

TEST_CASE("in bfloat16 no product of matrices is computed in float32, forward or backward", "[models][execution]") {
  for (const std::string& name : kGoldenModels) {
    INFO(name);
    {
      const FloatProducts watch;
      run(name, kHalf);
      CHECK(FloatProducts::found().empty());
    }
    const FloatProducts watch;
    run(name, {});
    CHECK_FALSE(FloatProducts::found().empty());  // the watch works
  }
}

TEST_CASE("logits and gradients in bfloat16 are as near to float32 as the reference's autocast",
          "[models][execution]") {
  for (const std::string name : {"bert_sequence", "distilbert_token", "electra_masked_lm"}) {
    INFO(name);
    const Tensors exact = golden_tensors(name);
    const Tensors autocast = tensor::load_tensors(golden_folder(name) + "/autocast.safetensors");
    std::map<std::string, at::Tensor> their_gradients = autocast;
    their_gradients.erase("logits");
    const Pass ours = run(name, kHalf);
    REQUIRE(ours.gradients.size() == their_gradients.size());
    const double logits = error(ours.logits, exact.at("logits")), gradients = gradient_error(ours.gradients, exact);
    INFO("logits off by " << logits << ", gradients by " << gradients);
    CHECK(logits < 1.5 * error(autocast.at("logits"), exact.at("logits")));
    CHECK(gradients < 1.5 * gradient_error(their_gradients, exact));
    CHECK(logits > 1e-4);  // it did round
    CHECK(error(ours.logits, autocast.at("logits")) < 1e-2);
  }
}

TEST_CASE("without kernels, logits and gradients are the reference's", "[models][execution]") {
  const WithoutKernels plain;
  for (const std::string& name : kGoldenModels) {
    INFO(name);
    const Tensors exact = golden_tensors(name);
    const Pass ours = run(name, {});
    CHECK((ours.logits - exact.at("logits")).abs().max().item<double>() < 1e-5);
    for (const auto& [key, gradient] : ours.gradients) {
      INFO(key);
      const at::Tensor& want = exact.at(key);
      CHECK((gradient - want).abs().max().item<double>() < 1e-6 + 1e-4 * want.abs().max().item<double>());
    }
  }
}

TEST_CASE("without kernels dropout has the same masks", "[models][execution]") {
  const at::NoGradGuard no_grad;
  for (const std::string name : {"bert_sequence", "distilbert_token", "electra_sequence"}) {
    INFO(name);
    const LoadedModel loaded = load_golden(name);
    Input input = golden_input(golden_tensors(name));
    input.dropout = {.step_key = 5, .token_keys = at::arange(input.ids.size(0), at::kLong)};
    const at::Tensor with = forward(*loaded.model, loaded.model->prepare(input, true)).logits;
    const WithoutKernels plain;
    const at::Tensor without = forward(*loaded.model, loaded.model->prepare(input, true)).logits;
    CHECK((with - without).abs().max().item<double>() < 1e-5);
  }
}

TEST_CASE("in bfloat16 without kernels the model computes what it computes with them, up to rounding",
          "[models][execution]") {
  for (const std::string name : {"bert_sequence", "electra_masked_lm"}) {
    INFO(name);
    const Pass with = run(name, kHalf);
    const WithoutKernels plain;
    const Pass without = run(name, kHalf);
    CHECK(error(without.logits, with.logits) < 1e-2);
    CHECK(gradient_error(without.gradients, with.gradients) < 2e-2);
  }
}
