// Every network on a GPU beside the CPU: logits and gradients, with the same dropout, in both precisions.
#include "cuda.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>

#include <cmath>

#include "attune/tensor/device.h"
#include "models/golden.h"

using namespace attune;
using namespace attune::models;
using namespace attune::testing;

namespace {

struct DevicePass {
  at::Tensor logits;
  Tensors gradients;
};

/// What a pass is made with.
struct Way {
  Execution execution = {};
  bool dropout = false;
  bool dead_rows = false;
};

/// The golden's batch; with a dead segment, and with keys for dropout.
Input batch_of(const Tensors& expected, const Way& way) {
  Input input = golden_input(expected);
  if (way.dead_rows) {
    const std::int64_t live = input.ids.size(0);
    const auto extended = [&](const at::Tensor& x) { return x.new_zeros({64}).index_copy(0, at::arange(live), x); };
    input.ids = extended(input.ids);
    input.positions = extended(input.positions);
    input.segments = extended(input.segments);
    input.layout.total = 64;
  }
  if (way.dropout) input.dropout = {.step_key = 5, .token_keys = at::arange(input.ids.size(0), at::kLong) * 977};
  return input;
}

LoadedModel load_with_dropout(const std::string& name) {
  LoadOptions options = golden_options(name);
  const bool has_hidden = name.starts_with("bert") || name.starts_with("distilbert") || name.starts_with("electra") ||
                          name.starts_with("roberta") || name.starts_with("gpt");
  if (has_hidden) options.hidden_dropout = 0.2;
  options.attention_dropout = options.classifier_dropout = 0.2;
  return load_model(golden_folder(name), options);
}

/// Forward and backward of a golden; the gradients of what is asked for are those of Σ logits · direction.
DevicePass pass_of(const LoadedModel& loaded, const Tensors& expected, const Way& way) {
  loaded.model->set_execution(way.execution);
  const at::Device device = way.execution.device;
  const Context context = loaded.model->prepare(to_device(batch_of(expected, way), device), way.dropout);
  at::Tensor logits = forward(*loaded.model, context).logits;
  CHECK(logits.device() == device);
  const at::Tensor direction = expected.at("direction").to(device);
  if (logits.size(0) > direction.size(0)) logits = logits.narrow(0, 0, direction.size(0));  // dead rows
  (logits * direction).sum().backward();
  DevicePass pass{logits.detach(), {}};
  for (const Parameter& parameter : loaded.model->parameters()) {
    if (parameter.tensor.grad().defined()) pass.gradients[parameter.name] = parameter.tensor.grad().cpu();
  }
  return pass;
}

DevicePass pass_of(const std::string& name, const Way& way) {
  return pass_of(way.dropout ? load_with_dropout(name) : load_golden(name), golden_tensors(name), way);
}

/// ‖Δ‖ / ‖g‖ over all gradients together.
double gradients_off_by(const Tensors& got, const Tensors& want) {
  double difference = 0, size = 0;
  if (got.size() != want.size()) return 1e30;
  for (const auto& [name, gradient] : want) {
    const double norm = gradient.norm().item<double>();
    const double off = off_by(got.at(name), gradient) * norm;
    difference += off * off;
    size += norm * norm;
  }
  return std::sqrt(difference / size);
}

struct Distance {
  double logits, gradients;
};

Distance distance(const DevicePass& got, const DevicePass& want) {
  return {off_by(got.logits, want.logits), gradients_off_by(got.gradients, want.gradients)};
}

void check_close(const DevicePass& got, const DevicePass& want, const Distance& tolerance) {
  const auto [logits, gradients] = distance(got, want);
  INFO("logits off by " << logits << " of " << tolerance.logits << ", gradients by " << gradients << " of " << tolerance.gradients);
  CHECK(logits < tolerance.logits);
  CHECK(gradients < tolerance.gradients);
}

void check_close(const DevicePass& got, const DevicePass& want, double tolerance) {
  check_close(got, want, Distance{tolerance, tolerance});
}

const Execution kGpuFloat = {.device = at::Device(at::kCUDA, 0), .precision = nn::Precision::float32};
const Execution kCpuHalf = {.device = at::kCPU, .precision = nn::Precision::bfloat16};
const Execution kGpuHalf = {.device = at::Device(at::kCUDA, 0), .precision = nn::Precision::bfloat16};

}  // namespace

TEST_CASE("logits and gradients on a GPU are the CPU's", "[cuda][models]") {
  ATTUNE_NEEDS_GPU();
  for (const std::string& name : kGoldenModels) {
    DYNAMIC_SECTION(name) {
      const DevicePass cpu = pass_of(name, {});
      check_close(pass_of(name, {.execution = kGpuFloat}), cpu, 1e-5);
      check_close(pass_of(name, {.execution = kGpuFloat, .dead_rows = true}), cpu, 1e-5);
    }
  }
}

TEST_CASE("with dropout logits and gradients on a GPU are the CPU's", "[cuda][models]") {
  ATTUNE_NEEDS_GPU();
  for (const std::string& name : kGoldenModels) {
    DYNAMIC_SECTION(name) {
      const DevicePass cpu = pass_of(name, {.dropout = true});
      check_close(pass_of(name, {.execution = kGpuFloat, .dropout = true}), cpu, 1e-5);
      check_close(pass_of(name, {.execution = kGpuFloat, .dropout = true, .dead_rows = true}),
                  pass_of(name, {.dropout = true, .dead_rows = true}), 1e-5);
    }
  }
}

TEST_CASE("in bfloat16 logits and gradients on a GPU are the CPU's up to rounding", "[cuda][models]") {
  ATTUNE_NEEDS_GPU();
  for (const std::string& name : kGoldenModels) {
    DYNAMIC_SECTION(name) {
      for (const bool dropout : {false, true}) {
        const DevicePass exact = pass_of(name, {.dropout = dropout});
        const DevicePass half = pass_of(name, {.execution = kGpuHalf, .dropout = dropout});
        // What rounding costs differs from network to network. The CPU keeps attention's scores and probabilities in float32, a
        // GPU rounds them too.
        const Distance cpu = distance(pass_of(name, {.execution = kCpuHalf, .dropout = dropout}), exact);
        check_close(half, exact, Distance{std::max(5e-3, 2 * cpu.logits), std::max(1e-2, 2 * cpu.gradients)});
        CHECK(off_by(half.logits, exact.logits) > 1e-5);  // it did round
      }
    }
  }
}

TEST_CASE("a GPU gives the same bits again", "[cuda][models]") {
  ATTUNE_NEEDS_GPU();
  for (const std::string name : {"bert_sequence", "gpt2_causal_lm", "llama_causal_lm"}) {
    for (const Execution& execution : {kGpuFloat, kGpuHalf}) {
      for (const bool dropout : {false, true}) {
        DYNAMIC_SECTION(name << (dropout ? " dropout " : " ") << static_cast<int>(execution.precision)) {
          const Way way{.execution = execution, .dropout = dropout};
          const DevicePass first = pass_of(name, way), second = pass_of(name, way);
          CHECK(at::equal(first.logits, second.logits));
          for (const auto& [key, gradient] : first.gradients) {
            INFO(key);
            CHECK(at::equal(gradient, second.gradients.at(key)));
          }
        }
      }
    }
  }
}

TEST_CASE("half-precision weights on a GPU give what they give on the CPU", "[cuda][models]") {
  ATTUNE_NEEDS_GPU();
  for (const std::string name : {"bert_bfloat16", "bert_float16"}) {
    DYNAMIC_SECTION(name) {
      const at::NoGradGuard no_grad;
      const Tensors expected = golden_tensors(name);
      const LoadedModel loaded = load_golden(name);
      loaded.model->set_execution(kGpuFloat);
      const Context context = loaded.model->prepare(to_device(golden_input(expected), gpu()), false);
      CHECK(off_by(forward(*loaded.model, context).logits, expected.at("logits")) < 1e-5);
    }
  }
}

TEST_CASE("a model that was on a GPU saves the values that it had", "[cuda][models]") {
  ATTUNE_NEEDS_GPU();
  const TemporaryFolder folder;
  const LoadedModel loaded = load_golden("bert_sequence");
  loaded.model->set_execution(kGpuFloat);
  save_model(loaded, loaded.folder, folder / "out");
  const Tensors before = tensor::load_tensors(golden_folder("bert_sequence") + "/model.safetensors");
  for (const auto& [name, value] : tensor::load_tensors(folder / "out/model.safetensors")) {
    INFO(name);
    CHECK(at::equal(value, before.at(name)));
  }
}

TEST_CASE("the memory that a GPU gave is known", "[cuda][models]") {
  ATTUNE_NEEDS_GPU();
  const auto before = tensor::peak_memory(gpu());
  const at::Tensor x = on_gpu(at::arange(std::int64_t{1} << 24, at::kFloat));
  const auto after = tensor::peak_memory(gpu());
  if (!after) return;  // an older LibTorch does not say
  CHECK(*after >= std::int64_t{1} << 26);
  CHECK(*after >= before.value_or(0));
  CHECK_FALSE(tensor::peak_memory(at::kCPU));
}
