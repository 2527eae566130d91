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

/// x as the kernel reads it: float32 or bfloat16 with a dense last dimension.
at::Tensor readable_tokens(const at::Tensor& given) {
  const at::Tensor x = fused::readable(given);
  return x.stride(2) == 1 || x.size(2) == 1 ? x : x.contiguous();
}

template <class X, class Y>
kernels::Rotation<X, Y> rotation_of(const at::Tensor& x, const at::Tensor& y, const at::Tensor& cos, const at::Tensor& sin,
                                    float direction) {
  return {.x = {fused::data<X>(x), x.stride(0), x.stride(1)},
          .y = {fused::mutable_data<Y>(y), y.stride(0), y.stride(1)},
          .cos = fused::data(cos),
          .sin = fused::data(sin),
          .direction = direction,
          .heads = x.size(1),
          .size = x.size(2),
          .pairs = cos.size(1)};
}

template <class Call>
void turn_tokens(const at::Tensor& x, const Call& call, void (*kernel)(const Call&, std::int64_t, std::int64_t)) {
  fused::parallel(x.size(0), x.size(1) * x.size(2), [&](std::int64_t begin, std::int64_t end) { kernel(call, begin, end); });
}

/// → float32.
at::Tensor turned(const at::Tensor& given, const at::Tensor& cos, const at::Tensor& sin) {
  const at::Tensor x = readable_tokens(given);
  at::Tensor y = at::empty(x.sizes(), x.options().dtype(at::kFloat));
  fused::with_format(x, [&](auto format) {
    using T = decltype(format);
    turn_tokens(x, rotation_of<T, float>(x, y, cos, sin, 1.0f), kernels::table().rows<T>().rotate);
  });
  return y;
}

/// The gradient of something in a format that readable() gives.
at::Tensor turned_back(const at::Tensor& gradient, const at::Tensor& cos, const at::Tensor& sin, at::ScalarType format_of_x) {
  const at::Tensor grad = readable_tokens(gradient);
  at::Tensor grad_x = at::empty(grad.sizes(), grad.options().dtype(format_of_x));
  fused::with_format(format_of_x, [&](auto format) {
    using T = decltype(format);
    turn_tokens(grad, rotation_of<float, T>(grad, grad_x, cos, sin, -1.0f), kernels::table().rows<T>().rotate_back);
  });
  return grad_x;
}

class RotateFunction : public torch::autograd::Function<RotateFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& cos,
                            const at::Tensor& sin) {
    context->save_for_backward({cos, sin});
    context->saved_data["format"] = static_cast<std::int64_t>(x.scalar_type());
    return turned(x, cos, sin);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto format = static_cast<at::ScalarType>(context->saved_data["format"].toInt());
    return {turned_back(gradients[0], saved[0], saved[1], format), at::Tensor(), at::Tensor()};
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
  const at::Tensor given = fused::readable(x);
  return fused::recording({x}) ? RotateFunction::apply(given, cos, sin) : turned(given, cos, sin);
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
