// attention_reference of attention.h: plain operators, sequence by sequence.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tanh.h>

#include <limits>

#include "attune/nn/attention.h"
#include "dropout_hash.h"
#include "dropout_mask.h"

namespace attune::nn {

namespace {

/// What the probabilities [heads, queries, keys] of the queries that begin at row `first` are multiplied with.
at::Tensor probability_dropout(const DropoutSite& site, std::int64_t first, at::IntArrayRef shape) {
  const at::Tensor row_keys = row_keys_of(site).narrow(0, first, shape[1]).unsqueeze(1);
  const at::Tensor head = at::arange(shape[0], row_keys.options()).view({-1, 1, 1});
  const at::Tensor features = head * (std::int64_t{1} << 20) + at::arange(shape[2], row_keys.options());
  return kept(row_keys, features, site.p).to(at::kDouble).mul(dropout_scale(site.p));
}

}  // namespace

at::Tensor attention_reference(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Layout& q_layout,
                               const Layout& kv_layout, const AttentionSpec& spec) {
  std::vector<at::Tensor> outputs;
  for (std::int64_t b = 0; b < q_layout.sequences(); ++b) {
    const std::int64_t first = q_layout.cu_seqlens[b];
    const std::int64_t queries = q_layout.length(b);
    const std::int64_t keys = kv_layout.length(b);
    const auto part = [](const at::Tensor& x, std::int64_t begin, std::int64_t rows) {
      return x.narrow(0, begin, rows).transpose(0, 1);  // [heads, rows, d]
    };
    // Every query head gets a copy of the key head that it shares with its neighbours.
    const std::int64_t group = q.size(1) / k.size(1);
    const at::Tensor key = part(k, kv_layout.cu_seqlens[b], keys).repeat_interleave(group, 0);
    const at::Tensor value = part(v, kv_layout.cu_seqlens[b], keys).repeat_interleave(group, 0);
    at::Tensor scores = at::matmul(part(q, first, queries), key.transpose(1, 2)) * spec.scale;
    if (spec.softcap > 0.0) scores = at::tanh(scores / spec.softcap) * spec.softcap;
    const std::int64_t offset = spec.offsets.empty() ? keys - queries : spec.offsets[b];
    const at::Tensor place = at::arange(queries, q.device()).unsqueeze(1) + offset;
    const at::Tensor away = at::arange(keys, q.device()) - place;  // of key [j] from query [i]; positive: behind it
    const auto hide = [&](const at::Tensor& which) {
      scores = scores.masked_fill(which, -std::numeric_limits<double>::infinity());
    };
    if (spec.causal) hide(away > 0);
    if (spec.window > 0) hide(away.abs() >= spec.window);
    at::Tensor probabilities = at::softmax(scores, -1);
    if (spec.dropout) {
      probabilities = probabilities *
                      probability_dropout(spec.dropout, first, probabilities.sizes()).to(q.device(), q.scalar_type());
    }
    outputs.push_back(at::matmul(probabilities, value).transpose(0, 1));
  }
  const std::int64_t live = q_layout.cu_seqlens.back();
  outputs.push_back(q.new_zeros({q.size(0) - live, q.size(1), v.size(2)}));
  return at::cat(outputs, 0);
}

}  // namespace attune::nn
