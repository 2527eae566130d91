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
at::Tensor product_of(const LayerChange& change) {
  return at::mm(change.b, change.a) * change.scale;
}

/// Of every output row of W + scale · B A.
at::Tensor norms(const at::Tensor& weight, bool conv1d, const LayerChange& change) {
  const at::NoGradGuard no_grad;
  const at::Tensor rows = (conv1d ? weight.t() : weight).to(at::kFloat);
  return at::linalg_vector_norm(rows + product_of(change), 2, {1});
}

/// x [T, features] times the gain, which is float32 in any precision.
at::Tensor scaled(const at::Tensor& x, const LayerChange& change) {
  return (x * change.gain.flatten()).to(x.scalar_type());
}

}  // namespace

at::Tensor Linear::late_bias() const {
  const bool scales = bias.defined() && change && change->gain.defined() && !change->gain_of_input;
  return scales ? bias * change->gain.flatten() : bias;
}

at::Tensor Linear::apply(const nn::Operand& x, const at::Tensor& added) const {
  const auto product = [&](const nn::Operand& input, const at::Tensor& bias_added) {
    return conv1d ? nn::conv1d(input, weight, bias_added) : nn::linear(input, weight, bias_added);
  };
  if (!change || !*change) return product(x, added);
  if (change->gain.defined()) {
    if (change->gain_of_input) return product(scaled(x.values, *change), added);
    return scaled(product(x, added), *change);
  }
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

at::Tensor changed_weight(const AdaptableLayer& layer) {
  const LayerChange& change = *layer.change;
  if (!change) internal_error("changed_weight: the layer has no change");
  const at::NoGradGuard no_grad;
  const bool is_out_in = layer.kind == LayerKind::linear;
  const at::Tensor weight = (is_out_in ? layer.weight : layer.weight.t()).to(at::kFloat);  // [out, in]
  at::Tensor changed = change.gain.defined() ? weight * change.gain : weight + product_of(change);
  if (change.magnitude.defined()) changed = (change.magnitude / output_norms(layer)).unsqueeze(1) * changed;
  return (is_out_in ? changed : changed.t()).contiguous();
}

}  // namespace attune::models
