// See attention_padded.h.
#include "attention_padded.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>

#include <limits>
#include <optional>
#include <vector>

#include "attune/nn/activation.h"
#include "dropout_hash.h"
#include "dropout_mask.h"
#include "fused.h"

namespace attune::nn {

namespace {

/// Where the live rows of a stream stand among sequences of one length.
struct Places {
  std::int64_t sequences, longest, live;
  at::Tensor lengths;  ///< int64 [sequences]
  at::Tensor flat;     ///< int64 [live]: sequence · longest + position in the sequence
};

Places places_of(const Layout& layout, const at::Device& device) {
  const auto options = at::TensorOptions().dtype(at::kLong).device(device);
  const at::Tensor& there = layout.cu_seqlens_device;
  const at::Tensor ends = (there.defined() ? there : at::tensor(layout.cu_seqlens, at::kInt)).to(options);
  Places places{layout.sequences(), layout.longest, layout.cu_seqlens.back(), {}, {}};
  places.lengths = ends.slice(0, 1) - ends.slice(0, 0, -1);
  const at::Tensor sequence = at::repeat_interleave(places.lengths, std::optional<std::int64_t>(places.live));
  places.flat = at::arange(places.live, options) - ends.index_select(0, sequence) + sequence * places.longest;
  return places;
}

/// Rows [T, …] → [sequences, longest, …], zeros between.
at::Tensor padded(const at::Tensor& x, const Places& places) {
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape[0] = places.sequences * places.longest;
  const at::Tensor flat = x.new_zeros(shape).index_copy(0, places.flat, x.narrow(0, 0, places.live));
  return flat.unflatten(0, std::vector<std::int64_t>{places.sequences, places.longest});
}

/// The way back; dead rows become zeros.
at::Tensor packed(const at::Tensor& x, const Places& places, std::int64_t total) {
  const at::Tensor live = x.flatten(0, 1).index_select(0, places.flat);
  std::vector<std::int64_t> dead = live.sizes().vec();
  dead[0] = total - places.live;
  return dead[0] == 0 ? live : at::cat(std::vector<at::Tensor>{live, live.new_zeros(dead)}, 0);
}

/// Where the queries of each sequence begin among its keys, int64 [sequences, 1, 1, 1].
at::Tensor query_offsets(const Places& q, const Places& kv, const AttentionSpec& spec) {
  const at::Tensor offsets = spec.offsets.empty() ? kv.lengths - q.lengths : at::tensor(spec.offsets, at::kInt).to(q.lengths.options());
  return offsets.view({-1, 1, 1, 1});
}

/// Which keys a query sees, bool [sequences, 1, queries, keys]. Queries of the padding that would see none see all: a
/// row of nothing would be NaN and spoil the gradients of its neighbours.
at::Tensor visible_keys(const Places& q, const Places& kv, const AttentionSpec& spec) {
  const at::Tensor key = at::arange(kv.longest, kv.lengths.options());
  const at::Tensor query = at::arange(q.longest, q.lengths.options()).unsqueeze(1) + query_offsets(q, kv, spec);
  at::Tensor visible = (key < kv.lengths.view({-1, 1, 1, 1})).expand({-1, -1, q.longest, -1});
  if (spec.causal) visible = visible & (key <= query);
  if (spec.window > 0) visible = visible & (key > query - spec.window) & (key < query + spec.window);
  return visible | visible.any(-1, /*keepdim=*/true).logical_not();
}

/// With a soft cap on the scores and keyed dropout on the probabilities, which torch's own attention does not have. All of
/// [sequences, heads, rows, d]; `row_keys` is undefined without dropout.
at::Tensor attention_in_steps(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& visible,
                              const at::Tensor& row_keys, const AttentionSpec& spec) {
  at::Tensor scores = fused::at_least_float(at::matmul(q, k.transpose(2, 3))) * spec.scale;
  if (spec.softcap > 0.0) scores = softcap(scores, spec.softcap);
  const at::Tensor hidden = visible.logical_not();
  const at::Tensor probabilities =
      at::softmax(scores.masked_fill(hidden, -std::numeric_limits<double>::infinity()), -1);
  if (!row_keys.defined()) return at::matmul(probabilities.to(v.scalar_type()), v);
  const at::Tensor head = at::arange(q.size(1), row_keys.options()).view({-1, 1, 1});
  const at::Tensor features = head * (std::int64_t{1} << 20) + at::arange(k.size(2), row_keys.options());
  const at::Tensor keep = kept(row_keys.unsqueeze(1).unsqueeze(3), features, spec.dropout.p);
  const at::Tensor dropped = probabilities * keep.to(scores.scalar_type()).mul(dropout_scale(spec.dropout.p));
  return at::matmul(dropped.to(v.scalar_type()), v);
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
  const at::Tensor visible = visible_keys(queries, keys, spec);
  at::Tensor out;
  if (spec.dropout || spec.softcap > 0.0) {
    const at::Tensor row_keys = spec.dropout ? padded(row_keys_of(spec.dropout), queries) : at::Tensor();
    out = attention_in_steps(side_q, side_k, side_v, visible, row_keys, spec);
  } else {
    out = at::scaled_dot_product_attention(side_q, side_k, side_v, visible, 0.0, false, spec.scale);
  }
  return packed(out.transpose(1, 2), queries, q.size(0));
}

}  // namespace attune::nn
