// See padded_batch.h.
#include "probe/padded_batch.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

namespace attune::probe {

namespace {

std::vector<std::int32_t> lengths_of(const at::Tensor& mask) {
  const at::Tensor counts = mask.sum(1).to(at::kInt);
  const auto* data = counts.const_data_ptr<std::int32_t>();
  return {data, data + counts.numel()};
}

}  // namespace

at::Tensor PaddedBatch::unpack(const at::Tensor& stream) const {
  std::vector<std::int64_t> shape{batch * length};
  shape.insert(shape.end(), stream.sizes().begin() + 1, stream.sizes().end());
  const at::Tensor flat = at::zeros(shape, stream.options()).index_copy(0, rows, stream);
  shape[0] = batch;
  shape.insert(shape.begin() + 1, length);
  return flat.view(shape);
}

at::Tensor PaddedBatch::pick(const at::Tensor& padded) const {
  return padded.flatten(0, 1).index_select(0, rows);
}

PaddedBatch pack(const std::map<std::string, at::Tensor>& inputs, Padding padding) {
  const at::Tensor& ids = inputs.at("input_ids");
  const at::Tensor live = inputs.at("attention_mask");
  const at::Tensor taken = padding == Padding::fed ? live.new_ones(live.sizes()) : live;
  PaddedBatch packed;
  packed.batch = ids.size(0);
  packed.length = ids.size(1);
  packed.rows = taken.reshape({-1}).nonzero().squeeze(1);
  packed.input.ids = packed.pick(ids);
  packed.input.positions = packed.pick(at::arange(packed.length, at::kLong).expand_as(ids));
  const auto segments = inputs.find("token_type_ids");
  packed.input.segments = packed.pick(segments != inputs.end() ? segments->second : at::zeros_like(ids));
  packed.input.layout = nn::make_layout(lengths_of(taken));
  // The reference takes the padded width for the length of every text.
  packed.input.text_lengths.assign(packed.batch, static_cast<std::int32_t>(packed.length));
  if (padding == Padding::fed) {
    packed.input.keys =
        models::Rows{.index = live.reshape({-1}).nonzero().squeeze(1), .layout = nn::make_layout(lengths_of(live))};
  }
  return packed;
}

}  // namespace attune::probe
