// See fused.h.
#include "fused.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <vector>

namespace attune::nn::fused {

namespace {

// Fewer elements than this are not worth waking a thread for.
constexpr std::int64_t kGrainElements = 16384;

}  // namespace

at::Tensor at_least_float(const at::Tensor& x) {
  return !x.defined() || x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
}

at::Tensor readable(const at::Tensor& x) {
  return x.defined() && x.scalar_type() == at::kBFloat16 ? x : at_least_float(x);
}

bool possible(std::initializer_list<std::reference_wrapper<const at::Tensor>> tensors) {
  return kernels::enabled() && std::all_of(tensors.begin(), tensors.end(), [](const at::Tensor& x) {
           if (!x.defined()) return true;
           const at::ScalarType type = x.scalar_type();
           return x.device().is_cpu() && (type == at::kFloat || type == at::kBFloat16 || type == at::kHalf);
         });
}

bool recording(std::initializer_list<std::reference_wrapper<const at::Tensor>> tensors) {
  return at::GradMode::is_enabled() && std::any_of(tensors.begin(), tensors.end(), [](const at::Tensor& x) {
           return x.defined() && x.requires_grad();
         });
}

at::Tensor preset_gradient(const at::Tensor& weight) {
  if (!weight.is_leaf()) return {};
  const at::Tensor& grad = weight.grad();
  const bool fits = grad.defined() && grad.scalar_type() == weight.scalar_type() && grad.sizes() == weight.sizes() &&
                    grad.is_contiguous() && grad.device() == weight.device();
  return fits ? grad : at::Tensor();
}

SiteKeys::SiteKeys(const DropoutSite& site) : p(site.p) {
  if (site) row_keys = dropout_row_keys(site);
}

kernels::Drop SiteKeys::drop() const {
  if (p <= 0.0) return {};
  return {row_keys.data(), dropout_threshold(p), static_cast<float>(dropout_scale(p))};
}

void parallel(std::int64_t n, std::int64_t work, const std::function<void(std::int64_t, std::int64_t)>& body) {
  at::parallel_for(0, n, std::max<std::int64_t>(1, kGrainElements / std::max<std::int64_t>(1, work)), body);
}

at::Tensor with_dead_rows(const at::Tensor& live, std::int64_t total) {
  if (live.size(0) == total) return live;
  std::vector<std::int64_t> shape = live.sizes().vec();
  shape[0] = total;
  at::Tensor all = at::empty(shape, live.options());
  all.narrow(0, 0, live.size(0)).copy_(live);
  all.narrow(0, live.size(0), total - live.size(0)).zero_();
  return all;
}

std::optional<at::Tensor> optional(const at::Tensor& x) {
  return x.defined() ? std::optional<at::Tensor>(x) : std::nullopt;
}

void add_to(const at::Tensor& sum, const at::Tensor& x) {
  const bool ours = possible({sum, x}) && sum.scalar_type() == at::kFloat && x.scalar_type() == at::kBFloat16 &&
                    sum.is_contiguous() && x.is_contiguous() && sum.sizes() == x.sizes();
  if (!ours) {
    sum.add_(x);
    return;
  }
  const auto* values = data<kernels::BFloat16>(x);
  float* sums = mutable_data(sum);
  // Whole vectors, so that threads share no cache line.
  constexpr std::int64_t kLine = 64;
  parallel((x.numel() + kLine - 1) / kLine, kLine, [&](std::int64_t begin, std::int64_t end) {
    kernels::table().add_to(values, sums, kLine * begin, std::min(kLine * end, x.numel()));
  });
}

at::Tensor sum_blocks(const at::Tensor& partials) {
  at::Tensor sums = at::empty(partials.sizes().slice(1), partials.options());
  kernels::table().sum_blocks(data(partials), partials.size(0), sums.numel(), mutable_data(sums));
  return sums;
}

at::Tensor column_sums(const at::Tensor& given) {
  if (!possible({given})) return given.sum(at::IntArrayRef{0}, /*keepdim=*/false, given.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
  const at::Tensor x = readable(given);
  const std::int64_t blocks = kernels::blocks_of(x.size(0));
  const at::Tensor partials = at::empty({blocks, x.size(1)}, x.options().dtype(at::kFloat));
  with_format(x, [&](auto format) {
    using T = decltype(format);
    parallel(blocks, kernels::kBlockRows * x.size(1), [&](std::int64_t begin, std::int64_t end) {
      kernels::table().rows<T>().column_sums(data<T>(x), x.size(0), x.size(1), mutable_data(partials), begin, end);
    });
  });
  return sum_blocks(partials);
}

}  // namespace attune::nn::fused
