// See linear.h.
#include "attune/nn/linear.h"

#include <ATen/ops/embedding.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include "fused.h"

namespace attune::nn {

namespace {

class LinearFunction : public torch::autograd::Function<LinearFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias) {
    context->save_for_backward({x, weight});
    context->saved_data["bias"] = bias.has_value();
    return at::linear(x, weight, bias);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& weight = saved[1];
    const at::Tensor grad = gradients[0].contiguous();
    torch::autograd::variable_list results(3);
    if (context->needs_input_grad(0)) results[0] = at::mm(grad, weight);
    if (context->needs_input_grad(1)) {
      at::Tensor preset = fused::preset_gradient(weight);
      if (preset.defined()) {
        preset.addmm_(grad.t(), x);
      } else {
        results[1] = at::mm(grad.t(), x);
      }
    }
    const bool need_bias = context->saved_data["bias"].toBool() && context->needs_input_grad(2);
    if (need_bias) results[2] = fused::column_sums(grad);
    return results;
  }
};

class EmbeddingFunction : public torch::autograd::Function<EmbeddingFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& ids, const at::Tensor& weight,
                            std::int64_t padding_id) {
    context->save_for_backward({ids, weight});
    context->saved_data["padding_id"] = padding_id;
    return at::embedding(weight, ids);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor ids = saved[0].contiguous();
    const at::Tensor grad = gradients[0].contiguous();
    const at::Tensor preset = fused::preset_gradient(saved[1]);
    const at::Tensor table = preset.defined() ? preset : at::zeros(saved[1].sizes(), saved[1].options());
    const kernels::RowAddition<float> call{.x = fused::data(grad),
                                           .ids = ids.const_data_ptr<std::int64_t>(),
                                           .table = fused::mutable_data(table),
                                           .rows = ids.size(0),
                                           .features = table.size(1),
                                           .padding_id = context->saved_data["padding_id"].toInt()};
    // Threads share columns, not rows, so that a row's sum has one order. 16 columns are a cache line.
    const std::int64_t lines = (call.features + 15) / 16;
    fused::parallel(lines, 16 * call.rows, [&](std::int64_t begin, std::int64_t end) {
      kernels::table().add_rows(call, 16 * begin, std::min(16 * end, call.features));
    });
    return {at::Tensor(), preset.defined() ? at::Tensor() : table, at::Tensor()};
  }
};

}  // namespace

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const bool ours = x.dim() == 2 && fused::possible({x, weight, bias}) && fused::recording({x, weight, bias});
  return ours ? LinearFunction::apply(x, weight, fused::optional(bias)) : at::linear(x, weight, bias);
}

at::Tensor embedding(const at::Tensor& ids, const at::Tensor& weight, std::int64_t padding_id) {
  const bool ours =
      ids.dim() == 1 && ids.scalar_type() == at::kLong && fused::possible({weight}) && fused::recording({weight});
  return ours ? EmbeddingFunction::apply(ids, weight, padding_id) : at::embedding(weight, ids, padding_id);
}

}  // namespace attune::nn
