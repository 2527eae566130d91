// Gated activations of activation.h: one pass forward, one backward.
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tanh.h>
#include <torch/csrc/autograd/custom_function.h>

#include "attune/base/error.h"
#include "attune/nn/activation.h"
#include "attune/nn/plain.h"
#include "fused.h"
#include "gate.h"

namespace attune::nn {

namespace {

/// x itself when the kernels can read it, float32 with dense rows, else a copy.
at::Tensor dense_rows(const at::Tensor& given) {
  const at::Tensor x = fused::at_least_float(given);
  return x.stride(1) == 1 || x.size(1) == 1 ? x : x.contiguous();
}

at::Tensor gated_forward(const at::Tensor& gate, const at::Tensor& up, kernels::Gate activation) {
  at::Tensor y = at::empty(gate.sizes(), gate.options());
  const kernels::GatedForward<float> call{.gate = fused::data(gate),
                                          .up = fused::data(up),
                                          .y = fused::mutable_data(y),
                                          .activation = activation,
                                          .gate_stride = gate.stride(0),
                                          .up_stride = up.stride(0),
                                          .rows = gate.size(0),
                                          .features = gate.size(1)};
  fused::parallel(call.rows, call.features,
                  [&](std::int64_t begin, std::int64_t end) { kernels::table().gated_forward(call, begin, end); });
  return y;
}

class GatedFunction : public torch::autograd::Function<GatedFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& gate, const at::Tensor& up,
                            std::int64_t activation) {
    context->save_for_backward({gate, up});
    context->saved_data["activation"] = activation;
    return gated_forward(gate, up, static_cast<kernels::Gate>(activation));
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor grad = gradients[0].contiguous();
    const at::Tensor grad_gate = at::empty(grad.sizes(), grad.options());
    const at::Tensor grad_up = at::empty(grad.sizes(), grad.options());
    const kernels::GatedBackward<float> call{
        .grad = fused::data(grad),
        .gate = fused::data(saved[0]),
        .up = fused::data(saved[1]),
        .grad_gate = fused::mutable_data(grad_gate),
        .grad_up = fused::mutable_data(grad_up),
        .activation = static_cast<kernels::Gate>(context->saved_data["activation"].toInt()),
        .gate_stride = saved[0].stride(0),
        .up_stride = saved[1].stride(0),
        .rows = grad.size(0),
        .features = grad.size(1)};
    fused::parallel(call.rows, call.features,
                    [&](std::int64_t begin, std::int64_t end) { kernels::table().gated_backward(call, begin, end); });
    return {grad_gate, grad_up, at::Tensor()};
  }
};

}  // namespace

at::Tensor gated(const at::Tensor& gate, const at::Tensor& up, Activation activation) {
  if (gate.sizes() != up.sizes()) internal_error("gated: gate and up must have one shape");
  const auto kernel = gate_of(activation);
  if (!kernel || gate.dim() != 2 || !fused::possible({gate, up})) return plain::gated(gate, up, activation);
  const at::Tensor dense_gate = dense_rows(gate);
  const at::Tensor dense_up = dense_rows(up);
  if (!fused::recording({gate, up})) return gated_forward(dense_gate, dense_up, *kernel);
  return GatedFunction::apply(dense_gate, dense_up, static_cast<std::int64_t>(*kernel));
}

at::Tensor softcap(const at::Tensor& x, double cap) {
  return at::tanh(x / cap) * cap;
}

namespace plain {

at::Tensor gated(const at::Tensor& gate, const at::Tensor& up, Activation activation) {
  return activate(gate, activation) * up;
}

}  // namespace plain

}  // namespace attune::nn
