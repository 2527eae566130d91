// See arena.h.
#include "attune/tensor/arena.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include <utility>

#include "attune/base/error.h"

namespace attune::tensor {

namespace {

constexpr std::int64_t kAlignment = 64;  // bytes: a cache line and a vector register of AVX-512

std::int64_t elements(const std::vector<std::int64_t>& shape) {
  std::int64_t product = 1;
  for (const std::int64_t size : shape) product *= size;
  return product;
}

std::vector<std::vector<std::int64_t>> shapes_of(const std::vector<at::Tensor>& tensors) {
  std::vector<std::vector<std::int64_t>> shapes;
  for (const at::Tensor& tensor : tensors) shapes.push_back(tensor.sizes().vec());
  return shapes;
}

at::TensorOptions master_options(const std::vector<at::Tensor>& parameters) {
  const auto options = at::TensorOptions().dtype(at::kFloat);
  if (parameters.empty()) return options;
  for (const at::Tensor& parameter : parameters) {
    if (parameter.device() != parameters.front().device()) internal_error("trained weights lie on several devices");
  }
  return options.device(parameters.front().device());
}

}  // namespace

Arena::Arena(const std::vector<std::vector<std::int64_t>>& shapes, const at::TensorOptions& options) {
  const auto step = kAlignment / static_cast<std::int64_t>(options.dtype().itemsize());
  std::vector<std::int64_t> begins;
  std::int64_t total = 0;
  for (const auto& shape : shapes) {
    begins.push_back(total);
    total += (elements(shape) + step - 1) / step * step;
  }
  flat_ = at::zeros({total}, options);
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    slices_.push_back(flat_.narrow(0, begins[i], elements(shapes[i])).view(shapes[i]));
  }
}

ParameterArena::ParameterArena(std::vector<at::Tensor> parameters)
    : parameters_(std::move(parameters)),
      values_(shapes_of(parameters_), master_options(parameters_)),
      gradients_(shapes_of(parameters_), master_options(parameters_)) {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    at::Tensor& parameter = parameters_[i];
    values_.slices()[i].copy_(parameter);
    // set_data, not assignment: every handle of the tensor, tied names included, follows.
    parameter.set_data(values_.slices()[i]);
    parameter.set_requires_grad(true);
    parameter.mutable_grad() = gradients_.slices()[i];
  }
}

ParameterArena::~ParameterArena() {
  for (at::Tensor& parameter : parameters_) {
    parameter.mutable_grad() = at::Tensor();
    parameter.set_requires_grad(false);
  }
}

Arena ParameterArena::zeros_like() const {
  return Arena(shapes_of(parameters_), values_.flat().options());
}

void ParameterArena::zero_gradients() {
  const at::NoGradGuard no_grad;
  gradients_.flat().zero_();
}

}  // namespace attune::tensor
