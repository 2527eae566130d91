// See layers.h.
#include "layers.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/mm.h>

#include "attune/base/error.h"
#include "attune/nn/dropout.h"
#include "attune/nn/linear.h"
#include "pass.h"

namespace attune::models {

namespace {

/// scale · B A, [out, in].
at::Tensor product_of(const LowRank& change) {
  return at::mm(change.b, change.a) * change.scale;
}

/// Of every output row of W + scale · B A.
at::Tensor norms(const at::Tensor& weight, bool conv1d, const LowRank& change) {
  const at::NoGradGuard no_grad;
  const at::Tensor rows = (conv1d ? weight.t() : weight).to(at::kFloat);
  return at::linalg_vector_norm(rows + product_of(change), 2, {1});
}

}  // namespace

at::Tensor Linear::apply(const nn::Operand& x, const at::Tensor& added) const {
  const auto product = [&](const nn::Operand& input, const at::Tensor& bias_added) {
    return conv1d ? nn::conv1d(input, weight, bias_added) : nn::linear(input, weight, bias_added);
  };
  if (!change || !*change) return product(x, added);
  const nn::DropoutSite dropout = adapter_dropout(*change, x.values.size(0));
  if (!change->magnitude.defined()) {
    const nn::LowRankTerm term{.a = change->a, .b = change->b, .scale = change->scale, .dropout = dropout};
    return conv1d ? nn::conv1d(x, weight, added, term) : nn::linear(x, weight, added, term);
  }
  const at::Tensor y = product(x, added);
  const nn::Operand input = dropout ? nn::Operand(nn::dropout(x.values, dropout)) : x;
  const at::Tensor low_rank = nn::linear(nn::linear(input, change->a), change->b) * change->scale;
  // As the reference has it: what is scaled has seen the dropout, y has not. A gain of exactly 1 leaves y bit-equal.
  const at::Tensor gain = change->magnitude / norms(weight.values, conv1d, *change);
  const at::Tensor base = dropout ? product(input, {}) : added.defined() ? y - added : y;
  return (y + (gain - 1.0) * base + gain * low_rank).to(y.scalar_type());  // the gain is float32 in any precision
}

at::Tensor Embedding::operator()(const at::Tensor& ids) const {
  const at::Tensor rows = nn::embedding(ids, weight, padding_id);
  if (!change || !*change) return rows;
  const at::Tensor low_rank = nn::embedding(ids, change->a.t(), padding_id);
  return rows + nn::linear(low_rank, change->b) * change->scale;
}

at::Tensor output_norms(const AdaptableLayer& layer) {
  return norms(layer.weight, layer.kind == LayerKind::conv1d, *layer.change);
}

at::Tensor weight_change(const AdaptableLayer& layer) {
  const LowRank& change = *layer.change;
  if (!change) internal_error("weight_change: the layer has no change");
  const at::NoGradGuard no_grad;
  const at::Tensor product = product_of(change);
  if (layer.kind == LayerKind::embedding) return product.t();
  const bool conv1d = layer.kind == LayerKind::conv1d;
  if (!change.magnitude.defined()) return conv1d ? product.t() : product;
  const at::Tensor weight = (conv1d ? layer.weight.t() : layer.weight).to(at::kFloat);
  const at::Tensor gain = (change.magnitude / output_norms(layer)).unsqueeze(1);
  const at::Tensor difference = gain * (weight + product) - weight;
  return conv1d ? difference.t() : difference;
}

}  // namespace attune::models
