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

/// x itself when it has dense rows, else a copy.
at::Tensor dense_rows(const at::Tensor& x) {
  return x.stride(1) == 1 || x.size(1) == 1 ? x : x.contiguous();
}

at::Tensor gated_forward(const at::Tensor& gate, const at::Tensor& up, kernels::Gate activation) {
  at::Tensor y = at::empty(gate.sizes(), gate.options());
  fused::with_format(gate, [&](auto format) {
    using T = decltype(format);
    const kernels::GatedForward<T> call{.gate = fused::data<T>(gate),
                                        .up = fused::data<T>(up),
                                        .y = fused::mutable_data<T>(y),
                                        .activation = activation,
                                        .gate_stride = gate.stride(0),
                                        .up_stride = up.stride(0),
                                        .rows = gate.size(0),
                                        .features = gate.size(1)};
    fused::parallel(call.rows, call.features, [&](std::int64_t begin, std::int64_t end) {
      kernels::table().rows<T>().gated_forward(call, begin, end);
    });
  });
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
    const auto activation = static_cast<kernels::Gate>(context->saved_data["activation"].toInt());
    fused::with_format(grad, [&](auto format) {
      using T = decltype(format);
      const kernels::GatedBackward<T> call{.grad = fused::data<T>(grad),
                                           .gate = fused::data<T>(saved[0]),
                                           .up = fused::data<T>(saved[1]),
                                           .grad_gate = fused::mutable_data<T>(grad_gate),
                                           .grad_up = fused::mutable_data<T>(grad_up),
                                           .activation = activation,
                                           .gate_stride = saved[0].stride(0),
                                           .up_stride = saved[1].stride(0),
                                           .rows = grad.size(0),
                                           .features = grad.size(1)};
      fused::parallel(call.rows, call.features, [&](std::int64_t begin, std::int64_t end) {
        kernels::table().rows<T>().gated_backward(call, begin, end);
      });
    });
    return {grad_gate, grad_up, at::Tensor()};
  }
};

}  // namespace

at::Tensor gated(const at::Tensor& gate, const at::Tensor& up, Activation activation) {
  if (gate.sizes() != up.sizes()) internal_error("gated: gate and up must have one shape");
  const auto kernel = gate_of(activation);
  if (!kernel || gate.dim() != 2 || !fused::possible({gate, up})) return plain::gated(gate, up, activation);
  // Both in one format: that of the products, if they come from these.
  const bool same = gate.scalar_type() == up.scalar_type();
  const at::Tensor dense_gate = dense_rows(same ? fused::readable(gate) : fused::at_least_float(gate));
  const at::Tensor dense_up = dense_rows(same ? fused::readable(up) : fused::at_least_float(up));
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
