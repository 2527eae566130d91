// conv1d of linear.h.
#include <ATen/TensorOperators.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/mm.h>
#include <torch/csrc/autograd/custom_function.h>

#include "attune/nn/linear.h"
#include "fused.h"

namespace attune::nn {

namespace {

at::Tensor product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return bias.defined() ? at::addmm(bias, x, weight) : at::mm(x, weight);
}

class Conv1dFunction : public torch::autograd::Function<Conv1dFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias) {
    context->save_for_backward({x, weight});
    context->saved_data["bias"] = bias.has_value();
    return product(x, weight, bias.value_or(at::Tensor()));
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor grad = gradients[0].contiguous();
    torch::autograd::variable_list results(3);
    if (context->needs_input_grad(0)) results[0] = at::mm(grad, saved[1].t());
    if (context->needs_input_grad(1)) {
      at::Tensor preset = fused::preset_gradient(saved[1]);
      if (preset.defined()) {
        preset.addmm_(saved[0].t(), grad);
      } else {
        results[1] = at::mm(saved[0].t(), grad);
      }
    }
    const bool need_bias = context->saved_data["bias"].toBool() && context->needs_input_grad(2);
    if (need_bias) results[2] = fused::column_sums(grad);
    return results;
  }
};

}  // namespace

at::Tensor conv1d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const bool ours = x.dim() == 2 && fused::possible({x, weight, bias}) && fused::recording({x, weight, bias});
  return ours ? Conv1dFunction::apply(x, weight, fused::optional(bias)) : product(x, weight, bias);
}

}  // namespace attune::nn
