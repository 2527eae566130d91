// See activation.h.
#include "attune/nn/activation.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/tanh.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "attune/base/error.h"
#include "attune/nn/plain.h"

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

at::Tensor bias_activate(const at::Tensor& x, const at::Tensor& bias, Activation activation) {
  return plain::bias_activate(x, bias, activation);
}

}  // namespace attune::nn
