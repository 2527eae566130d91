// See layout.h.
#include "attune/nn/layout.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include <algorithm>

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
  layout.cu_seqlens_device = device.is_cpu() ? at::Tensor() : at::tensor(layout.cu_seqlens, at::kInt).to(device);
  return layout;
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

std::int64_t ladder_rung(std::int64_t tokens) {
  // Steps of 64 up to 1024 rows, then steps that stay below 1/16 of the size.
  std::int64_t step = 64;
  while (step * 16 < tokens) step *= 2;
  return (tokens + step - 1) / step * step;
}

}  // namespace attune::nn
