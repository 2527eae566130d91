// See layout.h.
#include "attune/nn/layout.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "attune/tensor/device.h"

namespace attune::nn {

Layout make_layout(const std::vector<std::int32_t>& lengths, std::int64_t total) {
  Layout layout;
  layout.cu_seqlens.reserve(lengths.size() + 1);
  layout.cu_seqlens.push_back(0);
  for (const std::int32_t length : lengths) {
    layout.cu_seqlens.push_back(layout.cu_seqlens.back() + length);
    layout.longest = std::max(layout.longest, length);
  }
  layout.total = std::max<std::int64_t>(total, layout.cu_seqlens.back());
  return layout;
}

Layout to_device(Layout layout, const at::Device& device) {
  layout.on_device.reset();
  if (device.is_cpu()) return layout;
  const auto there = [&](const at::Tensor& x) { return tensor::on_device(x, device); };
  const auto brought = std::make_shared<DeviceLayout>();
  brought->cu_seqlens = there(at::tensor(layout.cu_seqlens, at::kInt));
  brought->lengths = there(lengths(layout));
  brought->padded_rows = there(padded_rows(layout));
  brought->stream_rows = there(stream_rows(layout));
  if (layout.pages != nullptr) brought->pool_rows = there(pool_rows(layout));
  layout.on_device = brought;
  return layout;
}

at::Tensor DeviceLayout::derived(const std::string& name, const std::function<at::Tensor()>& make) const {
  at::Tensor& known = derived_[name];
  if (!known.defined()) known = make();
  return known;
}

at::Tensor pool_rows(const Layout& layout) {
  const Pages& pages = *layout.pages;
  const at::Tensor rows = at::empty({layout.cu_seqlens.back()}, at::kLong);
  auto* out = rows.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < layout.sequences(); ++i) {
    const std::int32_t* page = pages.numbers.data() + pages.ends[i];
    for (std::int64_t row = 0; row < layout.length(i); ++row) {
      *out++ = page[row / pages.size] * pages.size + row % pages.size;
    }
  }
  return rows;
}

at::Tensor lengths(const Layout& layout) {
  const at::Tensor lengths = at::empty({layout.sequences()}, at::kLong);
  auto* out = lengths.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < layout.sequences(); ++i) *out++ = layout.length(i);
  return lengths;
}

at::Tensor padded_rows(const Layout& layout) {
  const at::Tensor rows = at::empty({layout.live()}, at::kLong);
  auto* out = rows.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < layout.sequences(); ++i) {
    for (std::int64_t position = 0; position < layout.length(i); ++position) *out++ = i * layout.longest + position;
  }
  return rows;
}

at::Tensor stream_rows(const Layout& layout) {
  const at::Tensor rows = at::zeros({layout.sequences() * layout.longest}, at::kLong);
  auto* out = rows.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < layout.sequences(); ++i) {
    for (std::int64_t position = 0; position < layout.length(i); ++position) {
      out[i * layout.longest + position] = layout.cu_seqlens[i] + position;
    }
  }
  return rows;
}

std::int64_t ladder_rung(std::int64_t tokens) {
  // Steps of 64 up to 1024 rows, then steps that stay below 1/16 of the size.
  std::int64_t step = 64;
  while (step * 16 < tokens) step *= 2;
  return (tokens + step - 1) / step * step;
}

}  // namespace attune::nn
