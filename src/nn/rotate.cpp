// rotate of rotary.h.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include "attune/base/error.h"
#include "attune/nn/plain.h"
#include "attune/nn/rotary.h"
#include "fused.h"

namespace attune::nn {

namespace {

at::Tensor turned(const at::Tensor& given, const at::Tensor& cos, const at::Tensor& sin, float direction) {
  const at::Tensor x = given.stride(2) == 1 || given.size(2) == 1 ? given : given.contiguous();
  at::Tensor y = at::empty(x.sizes(), x.options());
  const kernels::Rotation<float> call{.x = {x.const_data_ptr<float>(), x.stride(0), x.stride(1)},
                                      .y = {y.mutable_data_ptr<float>(), y.stride(0), y.stride(1)},
                                      .cos = fused::data(cos),
                                      .sin = fused::data(sin),
                                      .direction = direction,
                                      .heads = x.size(1),
                                      .size = x.size(2),
                                      .pairs = cos.size(1)};
  fused::parallel(x.size(0), x.size(1) * x.size(2),
                  [&](std::int64_t begin, std::int64_t end) { kernels::table().rotate(call, begin, end); });
  return y;
}

class RotateFunction : public torch::autograd::Function<RotateFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& cos,
                            const at::Tensor& sin) {
    context->save_for_backward({cos, sin});
    return turned(x, cos, sin, 1.0f);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    return {turned(gradients[0], saved[0], saved[1], -1.0f), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor rotate(const at::Tensor& x, const RotaryTable& table) {
  const bool shapes = x.dim() == 3 && table.cos.dim() == 2 && table.cos.size(0) == x.size(0) &&
                      table.cos.sizes() == table.sin.sizes() && 2 * table.cos.size(1) <= x.size(2);
  if (!shapes) internal_error("rotate: x [T, heads, d] and a table [T, pairs] with 2 · pairs <= d are needed");
  if (!fused::possible({x})) return plain::rotate(x, table);
  const at::Tensor cos = table.cos.contiguous();
  const at::Tensor sin = table.sin.contiguous();
  const at::Tensor wide = fused::at_least_float(x);
  return fused::recording({x}) ? RotateFunction::apply(wide, cos, sin) : turned(wide, cos, sin, 1.0f);
}

namespace plain {

at::Tensor rotate(const at::Tensor& x, const RotaryTable& table) {
  const std::int64_t pairs = table.cos.size(1);
  const at::Tensor cos = table.cos.unsqueeze(1).to(x.scalar_type());
  const at::Tensor sin = table.sin.unsqueeze(1).to(x.scalar_type());
  const at::Tensor first = x.narrow(2, 0, pairs);
  const at::Tensor second = x.narrow(2, pairs, pairs);
  const std::vector<at::Tensor> parts{first * cos - second * sin, second * cos + first * sin,
                                      x.narrow(2, 2 * pairs, x.size(2) - 2 * pairs)};
  return at::cat(parts, 2);
}

}  // namespace plain

}  // namespace attune::nn
