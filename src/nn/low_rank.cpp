// See linear.h: a linear layer with a low-rank change as one function. Beside x only [T, r] is kept for backward, and
// no other pass over [T, in] or [T, out] is made than the products' own (and dropout's).
#include <ATen/ops/addmm.h>
#include <torch/csrc/autograd/custom_function.h>

#include <utility>

#include "attune/nn/linear.h"
#include "fused.h"
#include "gemm.h"
#include "products.h"

namespace attune::nn {

namespace {

struct LowRankSettings : torch::CustomClassHolder {
  LowRankSettings(double factor, DropoutSite site, products::Orientation stored)
      : scale(factor), dropout(std::move(site)), orientation(stored) {}
  double scale;
  DropoutSite dropout;
  products::Orientation orientation;
};

struct Changed {
  at::Tensor reduced, y;  ///< A drop(x) [T, r]; [T, out]
};

/// `x` and `factor` are the input and the weight in the format of the product.
Changed changed(const at::Tensor& x, const at::Tensor& factor, const std::optional<at::Tensor>& bias,
                const at::Tensor& a, const at::Tensor& b, const LowRankSettings& settings) {
  const at::ScalarType type = factor.scalar_type();
  const at::Tensor y = gemm::linear(x, products::as_linear(factor, settings.orientation), products::in_type(bias, type));
  const at::Tensor reduced = gemm::mm(nn::dropout(x, settings.dropout), a.to(type).t());
  return {reduced, y.addmm_(reduced, b.to(type).t(), 1, settings.scale)};
}

class LowRankFunction : public torch::autograd::Function<LowRankFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& given,
                            const at::Tensor& weight, const std::optional<at::Tensor>& bias, const at::Tensor& a,
                            const at::Tensor& b, const at::Tensor& x, const at::Tensor& factor,
                            const c10::intrusive_ptr<LowRankSettings>& settings) {
    const Changed result = changed(x, factor, bias, a, b, *settings);
    const bool keep = weight.requires_grad() || a.requires_grad();
    context->save_for_backward({keep ? x : at::Tensor(), weight, a, b, result.reduced,
                                given.requires_grad() ? factor : at::Tensor()});
    context->saved_data["bias"] = bias.has_value();
    context->saved_data["settings"] = c10::IValue::make_capsule(settings);
    return result.y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &a = saved[2], &b = saved[3], &reduced = saved[4],
                     &factor = saved[5];
    const auto capsule = context->saved_data["settings"].toCapsule();
    const auto& settings = static_cast<const LowRankSettings&>(*capsule);
    const bool has_bias = context->saved_data["bias"].toBool();
    const std::size_t first = has_bias ? 3 : 2;  // of a and b among the inputs that needs_input_grad counts
    const at::Tensor grad = gradients[0].contiguous();
    const at::ScalarType type = grad.scalar_type();
    const at::Tensor grad_reduced = gemm::mm(grad, b.to(type)) * settings.scale;  // [T, r]
    torch::autograd::variable_list results(8);
    if (context->needs_input_grad(0)) {
      at::Tensor& grad_x = results[0];
      grad_x = gemm::mm(grad, products::as_linear(factor, settings.orientation));
      if (settings.dropout) {  // dropout is linear: it is its own backward
        grad_x.add_(nn::dropout(gemm::mm(grad_reduced, a.to(type)), settings.dropout));
      } else {
        grad_x.addmm_(grad_reduced, a.to(type));
      }
    }
    if (context->needs_input_grad(1)) {
      const bool rows_are_out = settings.orientation == products::Orientation::linear;
      results[1] = products::gradient(rows_are_out ? grad.t() : x.t(), rows_are_out ? x : grad, weight);
    }
    if (has_bias && context->needs_input_grad(2)) results[2] = fused::column_sums(grad);
    if (context->needs_input_grad(first)) {
      results[3] = products::gradient(grad_reduced.t(), nn::dropout(x, settings.dropout), a);
    }
    if (context->needs_input_grad(first + 1)) {
      results[4] = products::gradient(grad.t(), reduced * settings.scale, b);
    }
    return results;
  }
};

at::Tensor apply(const Operand& x, const Operand& weight, const at::Tensor& bias, const LowRankTerm& term,
                 products::Orientation orientation) {
  auto settings = c10::make_intrusive<LowRankSettings>(term.scale, term.dropout, orientation);
  const std::optional<at::Tensor> added = fused::optional(bias);
  const at::ScalarType type = products::type_of(x.values);
  const at::Tensor input = x.in(type), factor = weight.in(type);
  if (fused::recording({x.values, weight.values, bias, term.a, term.b})) {
    return LowRankFunction::apply(x.values, weight.values, added, term.a, term.b, input, factor, settings);
  }
  return changed(input, factor, added, term.a, term.b, *settings).y;
}

}  // namespace

at::Tensor linear(const Operand& x, const Operand& weight, const at::Tensor& bias, const LowRankTerm& term) {
  return apply(x, weight, bias, term, products::Orientation::linear);
}

at::Tensor conv1d(const Operand& x, const Operand& weight, const at::Tensor& bias, const LowRankTerm& term) {
  return apply(x, weight, bias, term, products::Orientation::conv1d);
}

}  // namespace attune::nn
