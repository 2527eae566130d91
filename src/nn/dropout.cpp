// See dropout.h.
#include "attune/nn/dropout.h"

#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include "attune/base/error.h"
#include "attune/nn/plain.h"
#include "fused.h"

namespace attune::nn {

DropoutSite DropoutKeys::site(int number, double p) const {
  if (!token_keys.defined() || p <= 0.0) return {};
  return {.p = p, .key = mix64(step_key ^ mix64(static_cast<std::uint64_t>(number))), .token_keys = token_keys};
}

std::vector<std::uint64_t> dropout_row_keys(const DropoutSite& site) {
  const at::Tensor token_keys = site.token_keys.cpu().contiguous();
  const auto* keys = token_keys.const_data_ptr<std::int64_t>();
  std::vector<std::uint64_t> row_keys(token_keys.numel());
  for (std::size_t t = 0; t < row_keys.size(); ++t) {
    row_keys[t] = dropout_row_key(site.key, static_cast<std::uint64_t>(keys[t]));
  }
  return row_keys;
}

namespace {

struct DropoutSettings : torch::CustomClassHolder {
  explicit DropoutSettings(const DropoutSite& site) : keys(site) {}
  fused::SiteKeys keys;
};

at::Tensor masked(const at::Tensor& given, const fused::SiteKeys& keys) {
  const at::Tensor x = fused::readable(given).contiguous();
  at::Tensor y = at::empty(x.sizes(), x.options());
  fused::with_format(x, [&](auto format) {
    using T = decltype(format);
    const kernels::Dropout<T> call{.x = fused::data<T>(x),
                                   .y = fused::mutable_data<T>(y),
                                   .drop = keys.drop(),
                                   .rows = x.size(0),
                                   .features = x.size(1)};
    fused::parallel(x.size(0), x.size(1),
                    [&](std::int64_t begin, std::int64_t end) { kernels::table().rows<T>().dropout(call, begin, end); });
  });
  return y.to(given.scalar_type());
}

class DropoutFunction : public torch::autograd::Function<DropoutFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const c10::intrusive_ptr<DropoutSettings>& settings) {
    context->saved_data["settings"] = c10::IValue::make_capsule(settings);
    return masked(x, settings->keys);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto capsule = context->saved_data["settings"].toCapsule();
    return {masked(gradients[0], static_cast<const DropoutSettings&>(*capsule).keys), at::Tensor()};
  }
};

}  // namespace

at::Tensor dropout(const at::Tensor& x, const DropoutSite& site) {
  if (!site || !fused::possible({x})) return plain::dropout(x, site);
  if (x.dim() != 2 || x.size(0) != site.token_keys.size(0)) internal_error("dropout: one token key a row is needed");
  return DropoutFunction::apply(x, c10::make_intrusive<DropoutSettings>(site));
}

}  // namespace attune::nn
