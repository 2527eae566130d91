// See activation.h.
#include "attune/nn/activation.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/tanh.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "attune/base/error.h"
#include "attune/nn/plain.h"
#include "fused.h"
#include "gate.h"

namespace attune::nn {

namespace {

struct Name {
  std::string_view name;
  Activation activation;
};

// Transformers has several spellings of one function; its variants differ by rounding only.
constexpr std::array kNames{
    Name{"gelu", Activation::gelu},
    Name{"gelu_python", Activation::gelu},
    Name{"gelu_new", Activation::gelu_tanh},
    Name{"gelu_pytorch_tanh", Activation::gelu_tanh},
    Name{"gelu_fast", Activation::gelu_tanh},
    Name{"gelu_accurate", Activation::gelu_tanh},
    Name{"quick_gelu", Activation::quick_gelu},
    Name{"relu", Activation::relu},
    Name{"silu", Activation::silu},
    Name{"swish", Activation::silu},
    Name{"tanh", Activation::tanh},
};

}  // namespace

Activation activation_by_name(const std::string& name) {
  const auto* found = std::find_if(kNames.begin(), kNames.end(), [&](const Name& row) { return row.name == name; });
  if (found != kNames.end()) return found->activation;
  std::string known;
  for (const Name& row : kNames) known += (known.empty() ? "" : ", ") + std::string(row.name);
  throw Error(ErrorKind::model,
              {.file = {}, .what = "unknown activation \"" + name + "\"", .where = {}, .hint = "known are " + known});
}

at::Tensor activate(const at::Tensor& x, Activation activation) {
  switch (activation) {
    case Activation::gelu:
      return at::gelu(x);
    case Activation::gelu_tanh:
      return at::gelu(x, "tanh");
    case Activation::quick_gelu:
      return x * at::sigmoid(1.702 * x);
    case Activation::relu:
      return at::relu(x);
    case Activation::silu:
      return at::silu(x);
    case Activation::tanh:
      return at::tanh(x);
  }
  internal_error("activation outside its enumeration");
}

std::optional<kernels::Gate> gate_of(Activation activation) {
  switch (activation) {
    case Activation::gelu:
      return kernels::Gate::gelu;
    case Activation::gelu_tanh:
      return kernels::Gate::gelu_tanh;
    case Activation::quick_gelu:
      return kernels::Gate::quick_gelu;
    case Activation::silu:
      return kernels::Gate::silu;
    default:
      return std::nullopt;
  }
}

namespace {

at::Tensor gate_forward(const at::Tensor& given, const at::Tensor& bias, kernels::Gate gate) {
  const at::Tensor x = fused::readable(given).contiguous();
  at::Tensor y = at::empty(x.sizes(), x.options());
  fused::with_format(x, [&](auto format) {
    using T = decltype(format);
    const kernels::GateForward<T> call{.x = fused::data<T>(x),
                                       .bias = fused::data(bias),
                                       .y = fused::mutable_data<T>(y),
                                       .gate = gate,
                                       .rows = x.size(0),
                                       .features = x.size(1)};
    fused::parallel(x.size(0), x.size(1), [&](std::int64_t begin, std::int64_t end) {
      kernels::table().rows<T>().gate_forward(call, begin, end);
    });
  });
  return y.to(given.scalar_type());
}

class GateFunction : public torch::autograd::Function<GateFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const std::optional<at::Tensor>& given_bias, std::int64_t gate) {
    const at::Tensor bias = given_bias.value_or(at::Tensor());
    context->save_for_backward({x, bias});
    context->saved_data["gate"] = gate;
    return gate_forward(x, bias, static_cast<kernels::Gate>(gate));
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor x = fused::readable(saved[0]).contiguous();
    const at::Tensor grad = gradients[0].to(x.scalar_type()).contiguous();
    const std::int64_t blocks = kernels::blocks_of(x.size(0));
    const bool need_bias = saved[1].defined() && context->needs_input_grad(1);
    const at::Tensor partials =
        need_bias ? at::empty({blocks, x.size(1)}, x.options().dtype(at::kFloat)) : at::Tensor();
    const at::Tensor grad_x = at::empty(x.sizes(), x.options());
    const auto gate = static_cast<kernels::Gate>(context->saved_data["gate"].toInt());
    fused::with_format(x, [&](auto format) {
      using T = decltype(format);
      const kernels::GateBackward<T> call{.grad = fused::data<T>(grad),
                                          .x = fused::data<T>(x),
                                          .bias = fused::data(saved[1]),
                                          .grad_x = fused::mutable_data<T>(grad_x),
                                          .partials = fused::mutable_data(partials),
                                          .gate = gate,
                                          .rows = x.size(0),
                                          .features = x.size(1)};
      fused::parallel(blocks, kernels::kBlockRows * x.size(1), [&](std::int64_t begin, std::int64_t end) {
        kernels::table().rows<T>().gate_backward(call, begin, end);
      });
    });
    return {grad_x, need_bias ? fused::sum_blocks(partials) : at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor bias_activate(const at::Tensor& x, const at::Tensor& bias, Activation activation) {
  const auto gate = gate_of(activation);
  const at::Tensor wide_bias = fused::at_least_float(bias);
  if (!gate || x.dim() != 2 || !fused::possible({x, bias})) {
    return plain::bias_activate(fused::at_least_float(x), wide_bias, activation).to(x.scalar_type());
  }
  const at::Tensor dense_bias = wide_bias.defined() ? wide_bias.contiguous() : wide_bias;
  if (!fused::recording({x, bias})) return gate_forward(x, dense_bias, *gate);
  return GateFunction::apply(x, fused::optional(dense_bias), static_cast<std::int64_t>(*gate));
}

}  // namespace attune::nn
