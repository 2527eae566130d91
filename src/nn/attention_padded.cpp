// See attention_padded.h.
#include "attention_padded.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>

#include <limits>
#include <optional>
#include <vector>

#include "attune/nn/activation.h"
#include "attune/tensor/device.h"
#include "dropout_mask.h"
#include "fused.h"

namespace attune::nn {

namespace {

/// Where the live rows of a stream stand among sequences of one length.
struct Places {
  std::int64_t sequences, longest, live;
  at::Tensor lengths;  ///< int64 [sequences]
  at::Tensor flat;     ///< int64 [live]: sequence · longest + position in the sequence

  /// All sequences are as long as the longest: the stream needs no padding.
  bool even() const { return sequences * longest == live; }
};

Places places_of(const Layout& given, const at::Device& device) {
  const bool is_there = given.on_device != nullptr || device.is_cpu();
  const Layout layout = is_there ? given : to_device(given, device);
  return {.sequences = layout.sequences(),
          .longest = layout.longest,
          .live = layout.live(),
          .lengths = layout.on_device ? layout.on_device->lengths : lengths(layout),
          .flat = layout.on_device ? layout.on_device->padded_rows : padded_rows(layout)};
}

/// Rows [T, …] → [sequences, longest, …], zeros between.
at::Tensor padded(const at::Tensor& x, const Places& places) {
  const std::vector<std::int64_t> outer{places.sequences, places.longest};
  const at::Tensor live = x.narrow(0, 0, places.live);
  if (places.even()) return live.unflatten(0, outer);
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape[0] = places.sequences * places.longest;
  return x.new_zeros(shape).index_copy_(0, places.flat, live).unflatten(0, outer);
}

/// The way back; dead rows become zeros.
at::Tensor packed(const at::Tensor& x, const Places& places, std::int64_t total) {
  const at::Tensor rows = x.flatten(0, 1);
  const at::Tensor live = places.even() ? rows : rows.index_select(0, places.flat);
  std::vector<std::int64_t> dead = live.sizes().vec();
  dead[0] = total - places.live;
  return dead[0] == 0 ? live : at::cat(std::vector<at::Tensor>{live, live.new_zeros(dead)}, 0);
}

/// Where the queries of each sequence begin among its keys, int64 [sequences, 1, 1, 1].
at::Tensor query_offsets(const Places& q, const Places& kv, const AttentionSpec& spec) {
  const at::Tensor offsets =
      spec.offsets.empty() ? kv.lengths - q.lengths
                           : tensor::on_device(at::tensor(spec.offsets, at::kLong), q.lengths.device());
  return offsets.view({-1, 1, 1, 1});
}

/// Which keys a query does not see, bool, broadcast to [sequences, 1, queries, keys]; undefined where every query sees every
/// key. Queries of the padding that would see none see all: a row of nothing would be NaN and spoil the gradients of its
/// neighbours.
at::Tensor hidden_keys(const Places& q, const Places& kv, const AttentionSpec& spec) {
  const at::Tensor key = at::arange(kv.longest, kv.lengths.options());
  at::Tensor hidden;
  const auto hide = [&](const at::Tensor& which) { hidden = hidden.defined() ? hidden | which : which; };
  if (!kv.even()) hide(key >= kv.lengths.view({-1, 1, 1, 1}));
  if (!spec.causal && spec.window == 0) return hidden;
  const at::Tensor query = at::arange(q.longest, q.lengths.options()).unsqueeze(1) + query_offsets(q, kv, spec);
  if (spec.causal) hide(key > query);
  if (spec.window == 0) return hidden;  // and the padding's queries see their sequence's first key
  hide((key - query).abs() >= spec.window);
  return hidden & hidden.all(-1, /*keepdim=*/true).logical_not();
}

/// With a soft cap on the scores and keyed dropout on the probabilities, which torch's own attention does not have. All of
/// [sequences, heads, rows, d]; `hidden` is undefined where nothing is, `row_keys` without dropout.
at::Tensor attention_in_steps(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& hidden,
                              const at::Tensor& row_keys, const AttentionSpec& spec) {
  at::Tensor scores = fused::at_least_float(at::matmul(q, k.transpose(2, 3))) * spec.scale;
  if (spec.softcap > 0.0) scores = softcap(scores, spec.softcap);
  if (hidden.defined()) scores = scores.masked_fill(hidden, -std::numeric_limits<double>::infinity());
  at::Tensor probabilities = at::softmax(scores, -1);
  if (row_keys.defined()) probabilities = dropped(probabilities, row_keys.unsqueeze(1).unsqueeze(3), spec.dropout.p);
  return at::matmul(probabilities.to(v.scalar_type()), v);
}

}  // namespace

at::Tensor attention_padded(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Layout& q_layout,
                            const Layout& kv_layout, const AttentionSpec& spec) {
  const Places queries = places_of(q_layout, q.device());
  const Places keys = places_of(kv_layout, q.device());
  const auto heads = [](const at::Tensor& x, const Places& places) { return padded(x, places).transpose(1, 2); };
  const std::int64_t readers = q.size(1) / k.size(1);  // query heads of one key head
  const auto shared = [&](const at::Tensor& x) { return readers == 1 ? x : x.repeat_interleave(readers, 1); };
  const at::Tensor side_q = heads(q, queries), side_k = shared(heads(k, keys)), side_v = shared(heads(v, keys));
  const at::Tensor hidden = hidden_keys(queries, keys, spec);
  at::Tensor out;
  if (spec.dropout || spec.softcap > 0.0) {
    const at::Tensor row_keys = spec.dropout ? padded(row_keys_of(spec.dropout), queries) : at::Tensor();
    out = attention_in_steps(side_q, side_k, side_v, hidden, row_keys, spec);
  } else {
    std::optional<at::Tensor> visible;
    if (hidden.defined()) visible = hidden.logical_not().expand({-1, -1, queries.longest, -1});
    out = at::scaled_dot_product_attention(side_q, side_k, side_v, visible, 0.0, false, spec.scale);
  }
  return packed(out.transpose(1, 2), queries, q.size(0));
}

}  // namespace attune::nn
