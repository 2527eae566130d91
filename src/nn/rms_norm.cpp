// RMSNorm of norm.h: one pass forward, one backward.
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/rsqrt.h>
#include <torch/csrc/autograd/custom_function.h>

#include "attune/nn/norm.h"
#include "attune/nn/plain.h"
#include "fused.h"

namespace attune::nn {

namespace {

struct RmsOutputs {
  at::Tensor y, inverse_rms;
};

/// x [rows, features], contiguous.
RmsOutputs rms_forward(const at::Tensor& x, const at::Tensor& weight, double epsilon, double offset) {
  const at::TensorOptions options = x.options().dtype(at::kFloat);
  RmsOutputs out{at::empty(x.sizes(), options), at::empty({x.size(0)}, options)};
  fused::with_format(x, [&](auto format) {
    using T = decltype(format);
    const kernels::RmsNormForward<T> call{.x = fused::data<T>(x),
                                          .weight = fused::data(weight),
                                          .y = fused::mutable_data(out.y),
                                          .inverse_rms = fused::mutable_data(out.inverse_rms),
                                          .offset = static_cast<float>(offset),
                                          .epsilon = static_cast<float>(epsilon),
                                          .rows = x.size(0),
                                          .features = x.size(1)};
    fused::parallel(x.size(0), x.size(1), [&](std::int64_t begin, std::int64_t end) {
      kernels::table().rows<T>().rms_norm_forward(call, begin, end);
    });
  });
  return out;
}

class RmsNormFunction : public torch::autograd::Function<RmsNormFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            double epsilon, double offset) {
    const RmsOutputs out = rms_forward(x, weight, epsilon, offset);
    context->save_for_backward({x, weight, out.inverse_rms});
    context->saved_data["offset"] = offset;
    return out.y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor grad = gradients[0].contiguous();
    const bool need_weight = context->needs_input_grad(1);
    const std::int64_t blocks = kernels::blocks_of(grad.size(0));
    const at::Tensor& x = saved[0];
    const at::Tensor grad_x = context->needs_input_grad(0) ? at::empty(x.sizes(), x.options()) : at::Tensor();
    const at::Tensor partials = need_weight ? at::empty({blocks, grad.size(1)}, grad.options()) : at::Tensor();
    const auto offset = static_cast<float>(context->saved_data["offset"].toDouble());
    fused::with_format(x, [&](auto format) {
      using T = decltype(format);
      const kernels::RmsNormBackward<T> call{.grad = fused::data(grad),
                                             .x = fused::data<T>(x),
                                             .weight = fused::data(saved[1]),
                                             .inverse_rms = fused::data(saved[2]),
                                             .grad_x = fused::mutable_data<T>(grad_x),
                                             .partials = fused::mutable_data(partials),
                                             .offset = offset,
                                             .rows = grad.size(0),
                                             .features = grad.size(1)};
      fused::parallel(blocks, kernels::kBlockRows * grad.size(1), [&](std::int64_t begin, std::int64_t end) {
        kernels::table().rows<T>().rms_norm_backward(call, begin, end);
      });
    });
    return {grad_x, need_weight ? fused::sum_blocks(partials) : at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon, double offset) {
  if (!fused::possible({x, weight})) return plain::rms_norm(x, weight, epsilon, offset);
  const at::Tensor rows = fused::readable(x).reshape({-1, x.size(-1)}).contiguous();
  const at::Tensor dense_weight = fused::at_least_float(weight).contiguous();
  const at::Tensor y = fused::recording({x, weight}) ? RmsNormFunction::apply(rows, dense_weight, epsilon, offset)
                                                     : rms_forward(rows, dense_weight, epsilon, offset).y;
  return y.view(x.sizes());
}

namespace plain {

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon, double offset) {
  const auto wide = x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const at::Tensor exact = x.to(wide);
  const at::Tensor normed = exact * at::rsqrt(exact.square().mean(-1, /*keepdim=*/true) + epsilon);
  if (offset != 0.0) return (normed * (weight.to(wide) + offset)).to(x.scalar_type());
  return normed.to(x.scalar_type()) * weight;  // rounds before the weight, as the reference does
}

}  // namespace plain

}  // namespace attune::nn
