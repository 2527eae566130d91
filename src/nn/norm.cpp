// LayerNorm with bias, dropout and residual (norm.h, dropout.h): one pass forward, one backward.
#include "attune/nn/norm.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include "attune/base/error.h"
#include "attune/nn/plain.h"
#include "fused.h"

namespace attune::nn {

namespace {

/// What a call is about besides its tensors; kept for backward.
struct NormSettings : torch::CustomClassHolder {
  NormSettings(const DropoutSite& branch_site, const DropoutSite& output_site, double eps)
      : branch(branch_site), output(output_site), epsilon(eps) {}
  fused::SiteKeys branch, output;
  double epsilon;
};

struct NormInputs {
  at::Tensor x, bias, residual, weight, norm_bias;  ///< bias and residual may be undefined
};

/// Norms are computed in float32 whatever the branch and the weights come in.
NormInputs widened(const NormInputs& in) {
  return {fused::at_least_float(in.x), fused::at_least_float(in.bias), fused::at_least_float(in.residual),
          fused::at_least_float(in.weight), fused::at_least_float(in.norm_bias)};
}

/// As the kernels take them: a branch in bfloat16 as it is.
NormInputs for_kernels(const NormInputs& in) {
  NormInputs inputs = widened(in);
  inputs.x = fused::readable(in.x);
  return inputs;
}

bool possible(const NormInputs& in) {
  return fused::possible({in.x, in.bias, in.residual, in.weight, in.norm_bias});
}

struct NormOutputs {
  at::Tensor y, sum, mean, inverse_deviation;
};

NormOutputs norm_forward(const NormInputs& in, const NormSettings& settings, bool keep_sum) {
  const at::Tensor x = in.x.contiguous();
  const at::Tensor residual = in.residual.defined() ? in.residual.contiguous() : in.residual;
  const at::Tensor weight = in.weight.contiguous();
  const at::Tensor norm_bias = in.norm_bias.contiguous();
  const at::Tensor bias = in.bias.defined() ? in.bias.contiguous() : in.bias;
  const std::int64_t rows = x.size(0);

  const at::TensorOptions options = x.options().dtype(at::kFloat);
  NormOutputs out;
  out.y = at::empty(x.sizes(), options);
  out.mean = at::empty({rows}, options);
  out.inverse_deviation = at::empty({rows}, options);
  const bool x_is_sum =
      x.scalar_type() == at::kFloat && !bias.defined() && !residual.defined() && settings.branch.p <= 0.0;
  if (x_is_sum) {
    out.sum = x;
  } else {
    out.sum = keep_sum ? at::empty(x.sizes(), options) : out.y;
  }
  fused::with_format(x, [&](auto format) {
    using T = decltype(format);
    const kernels::LayerNormForward<T> call{.x = fused::data<T>(x),
                                            .bias = fused::data(bias),
                                            .residual = fused::data(residual),
                                            .weight = fused::data(weight),
                                            .norm_bias = fused::data(norm_bias),
                                            .sum = x_is_sum ? nullptr : fused::mutable_data(out.sum),
                                            .mean = fused::mutable_data(out.mean),
                                            .inverse_deviation = fused::mutable_data(out.inverse_deviation),
                                            .y = fused::mutable_data(out.y),
                                            .branch_drop = settings.branch.drop(),
                                            .output_drop = settings.output.drop(),
                                            .epsilon = static_cast<float>(settings.epsilon),
                                            .rows = rows,
                                            .features = x.size(1)};
    fused::parallel(rows, x.size(1), [&](std::int64_t begin, std::int64_t end) {
      kernels::table().rows<T>().layer_norm_forward(call, begin, end);
    });
  });
  return out;
}

class NormFunction : public torch::autograd::Function<NormFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& norm_bias, const std::optional<at::Tensor>& residual,
                            const std::optional<at::Tensor>& bias, const c10::intrusive_ptr<NormSettings>& settings) {
    const NormOutputs out = norm_forward(
        {x, bias.value_or(at::Tensor()), residual.value_or(at::Tensor()), weight, norm_bias}, *settings, true);
    context->saved_data["residual"] = residual.has_value();
    context->saved_data["bias"] = bias.has_value();
    context->saved_data["format"] = static_cast<std::int64_t>(x.scalar_type());
    context->save_for_backward({out.sum, out.mean, out.inverse_deviation, weight});
    context->saved_data["settings"] = c10::IValue::make_capsule(settings);
    return out.y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto capsule = context->saved_data["settings"].toCapsule();
    const auto& settings = static_cast<const NormSettings&>(*capsule);
    const bool has_residual = context->saved_data["residual"].toBool();
    const bool need_x = context->needs_input_grad(0);
    const bool need_weight = context->needs_input_grad(1);
    const bool need_norm_bias = context->needs_input_grad(2);
    const bool need_residual = has_residual && context->needs_input_grad(3);
    const bool need_bias = context->saved_data["bias"].toBool() && context->needs_input_grad(has_residual ? 4 : 3);
    const bool need_sums = need_weight || need_norm_bias || need_bias;

    const at::Tensor grad = gradients[0].contiguous();
    const at::Tensor weight = saved[3].contiguous();
    const std::int64_t rows = grad.size(0);
    const std::int64_t features = grad.size(1);
    const std::int64_t blocks = kernels::blocks_of(rows);
    const auto format_of_x = static_cast<at::ScalarType>(context->saved_data["format"].toInt());
    // Without dropout on the branch its gradient is the residual's: if they have one format, one tensor serves both.
    const bool apart = settings.branch.p > 0.0 || format_of_x != at::kFloat;
    const at::Tensor grad_x = need_x || (need_residual && !apart)
                                  ? at::empty(grad.sizes(), grad.options().dtype(format_of_x))
                                  : at::Tensor();
    const at::Tensor grad_sum = need_residual && apart ? at::empty(grad.sizes(), grad.options()) : at::Tensor();
    const at::Tensor partials =
        need_sums ? at::empty({blocks, need_bias ? 3 : 2, features}, grad.options()) : at::Tensor();
    const auto run = [&](auto format) {
      using T = decltype(format);
      const kernels::LayerNormBackward<T> call{.grad = fused::data(grad),
                                               .sum = fused::data(saved[0]),
                                               .weight = fused::data(weight),
                                               .mean = fused::data(saved[1]),
                                               .inverse_deviation = fused::data(saved[2]),
                                               .grad_sum = fused::mutable_data(grad_sum),
                                               .grad_x = fused::mutable_data<T>(grad_x),
                                               .partials = fused::mutable_data(partials),
                                               .bias_partials = need_bias,
                                               .branch_drop = settings.branch.drop(),
                                               .output_drop = settings.output.drop(),
                                               .rows = rows,
                                               .features = features};
      fused::parallel(blocks, kernels::kBlockRows * features, [&](std::int64_t begin, std::int64_t end) {
        kernels::table().rows<T>().layer_norm_backward(call, begin, end);
      });
    };
    fused::with_format(format_of_x, run);
    const at::Tensor sums = need_sums ? fused::sum_blocks(partials) : at::Tensor();
    const auto part = [&](bool needed, std::int64_t row) { return needed ? sums.select(0, row) : at::Tensor(); };
    const at::Tensor& grad_residual = apart ? grad_sum : grad_x;
    return {need_x ? grad_x : at::Tensor(),
            part(need_weight, 0),
            part(need_norm_bias, 1),
            need_residual ? grad_residual : at::Tensor(),
            part(need_bias, 2),
            at::Tensor()};
  }
};

at::Tensor norm(const NormInputs& in, const DropoutSite& branch, const DropoutSite& output, double epsilon) {
  for (const DropoutSite* site : {&branch, &output}) {
    if (*site && site->token_keys.size(0) != in.x.size(0)) internal_error("dropout: one token key a row is needed");
  }
  auto settings = c10::make_intrusive<NormSettings>(branch, output, epsilon);
  if (!fused::recording({in.x, in.bias, in.residual, in.weight, in.norm_bias})) {
    return norm_forward(in, *settings, false).y;
  }
  return NormFunction::apply(in.x, in.weight, in.norm_bias, fused::optional(in.residual), fused::optional(in.bias),
                             settings);
}

}  // namespace

at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double epsilon) {
  return layer_norm_dropout(x, weight, bias, epsilon, {});
}

at::Tensor layer_norm_dropout(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double epsilon,
                              const DropoutSite& site) {
  const NormInputs given{x, {}, {}, weight, bias};
  if (x.dim() == 2 && possible(given)) return norm(for_kernels(given), {}, site, epsilon);
  const NormInputs in = widened(given);
  return plain::layer_norm_dropout(in.x, in.weight, in.norm_bias, epsilon, site);
}

at::Tensor bias_dropout_residual_layer_norm(const at::Tensor& x, const at::Tensor& bias, const at::Tensor& residual,
                                            const DropoutSite& site, const at::Tensor& weight,
                                            const at::Tensor& norm_bias, double epsilon) {
  const NormInputs given{x, bias, residual, weight, norm_bias};
  if (!possible(given)) {
    const NormInputs in = widened(given);
    return plain::bias_dropout_residual_layer_norm(in.x, in.bias, in.residual, site, in.weight, in.norm_bias, epsilon);
  }
  if (x.dim() != 2 || x.sizes() != residual.sizes()) internal_error("x and residual must be [T, H]");
  return norm(for_kernels(given), site, {}, epsilon);
}

}  // namespace attune::nn
