// See linear.h.
#include "attune/nn/linear.h"

#include <ATen/ops/embedding.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include "attune/nn/precision.h"
#include "fused.h"
#include "gemm.h"
#include "products.h"

namespace attune::nn {

namespace {

/// `x` and `factor` are the input and the weight in the format of the product.
class LinearFunction : public torch::autograd::Function<LinearFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& given,
                            const at::Tensor& weight, const std::optional<at::Tensor>& bias, const at::Tensor& x,
                            const at::Tensor& factor, std::int64_t orientation) {
    // What a frozen weight was multiplied with is not needed again, nor a weight whose input asks for no gradient. A copy
    // that is smaller than the weight is kept for backward; a larger one is made again.
    const bool keep = given.requires_grad() && factor.element_size() < weight.element_size();
    context->save_for_backward({weight.requires_grad() ? x : at::Tensor(), weight, keep ? factor : at::Tensor()});
    context->saved_data["bias"] = bias.has_value();
    context->saved_data["orientation"] = orientation;
    return gemm::linear(x, products::as_linear(factor, products::Orientation{orientation}),
                        products::in_type(bias, x.scalar_type()));
  }

  /// The engine gives each gradient the format of its input.
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& weight = saved[1];
    const at::Tensor grad = gradients[0].contiguous();
    const products::Orientation orientation{context->saved_data["orientation"].toInt()};
    torch::autograd::variable_list results(6);
    if (context->needs_input_grad(0)) {
      const at::Tensor factor = saved[2].defined() ? saved[2] : weight.to(grad.scalar_type());
      results[0] = gemm::mm(grad, products::as_linear(factor, orientation));
    }
    if (context->needs_input_grad(1)) {
      const bool rows_are_out = orientation == products::Orientation::linear;
      results[1] = products::gradient(rows_are_out ? grad.t() : x.t(), rows_are_out ? x : grad, weight);
    }
    const bool need_bias = context->saved_data["bias"].toBool() && context->needs_input_grad(2);
    if (need_bias) results[2] = fused::column_sums(grad);
    return results;
  }
};

at::Tensor oriented(const Operand& x, const Operand& weight, const at::Tensor& bias, products::Orientation orientation) {
  const std::optional<at::Tensor> added = fused::optional(bias);
  const at::ScalarType type = products::type_of(x.values);
  const bool recording = fused::recording({x.values, weight.values, bias});
  if (recording && x.values.dim() != 2) {
    const at::Tensor factor = products::as_linear(weight.values.to(type), orientation);
    return gemm::linear(x.values.to(type), factor, products::in_type(added, type));
  }
  const at::Tensor input = x.in(type), factor = weight.in(type);
  if (recording) {
    return LinearFunction::apply(x.values, weight.values, added, input, factor, static_cast<std::int64_t>(orientation));
  }
  return gemm::linear(input, products::as_linear(factor, orientation), products::in_type(added, type));
}

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

Operand shared(const at::Tensor& x) {
  return current_precision() == Precision::bfloat16 ? Operand(x, x.detach().to(at::kBFloat16)) : Operand(x);
}

at::Tensor linear(const Operand& x, const Operand& weight, const at::Tensor& bias) {
  return oriented(x, weight, bias, products::Orientation::linear);
}

at::Tensor conv1d(const Operand& x, const Operand& weight, const at::Tensor& bias) {
  return oriented(x, weight, bias, products::Orientation::conv1d);
}

at::Tensor embedding(const at::Tensor& ids, const at::Tensor& weight, std::int64_t padding_id) {
  const bool ours = ids.dim() == 1 && ids.scalar_type() == at::kLong && weight.scalar_type() == at::kFloat &&
                    fused::possible({weight}) && fused::recording({weight});
  if (ours) return EmbeddingFunction::apply(ids, weight, padding_id);
  return fused::at_least_float(at::embedding(weight, ids, padding_id));
}

}  // namespace attune::nn
