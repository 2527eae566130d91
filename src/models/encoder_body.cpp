// Embeddings and blocks of the post-norm encoder. See encoder.h.
#include <ATen/TensorOperators.h>

#include <cmath>

#include "attune/base/strings.h"
#include "attune/nn/attention.h"
#include "attune/nn/linear.h"
#include "attune/nn/norm.h"
#include "encoder.h"
#include "virtual_stream.h"

namespace attune::models {

namespace {

at::Tensor split_heads(const at::Tensor& x, std::int64_t heads) {
  return x.view({x.size(0), heads, x.size(1) / heads});
}

}  // namespace

EncoderBody::EncoderBody(const Scope& scope, const ModelSpec& spec, const EncoderNames& names)
    : heads_(spec.num_attention_heads),
      epsilon_(spec.layer_norm_eps),
      hidden_dropout_(spec.hidden_dropout),
      attention_output_dropout_(names.layer.dropout_after_attention ? spec.hidden_dropout : 0.0),
      attention_dropout_(spec.attention_dropout),
      activation_(nn::activation_by_name(spec.hidden_act)) {
  const Scope embeddings = scope.at("embeddings");
  const auto row = [](std::int64_t id) { return id >= 0 ? std::optional(id) : std::nullopt; };
  word_ = embeddings.token_embedding("word_embeddings", spec.vocab_size, spec.embedding_size, row(spec.pad_token_id));
  position_ = embeddings.embedding("position_embeddings", spec.max_position_embeddings, spec.embedding_size,
                                   row(spec.first_position - 1));
  if (spec.type_vocab_size > 0) {
    segment_ = embeddings.embedding("token_type_embeddings", spec.type_vocab_size, spec.embedding_size);
  }
  embedding_norm_ = embeddings.norm("LayerNorm", spec.embedding_size);
  if (spec.embedding_size != spec.hidden_size) {
    project_ = scope.linear("embeddings_project", spec.hidden_size, spec.embedding_size);
  }
  for (int i = 0; i < spec.num_hidden_layers; ++i) {
    layers_.push_back(make_layer(scope.at(concat(names.layers, ".", i)).stage(i + 1), spec, names.layer));
  }
}

EncoderBody::Layer EncoderBody::make_layer(const Scope& scope, const ModelSpec& spec, const LayerNames& names) const {
  const std::int64_t h = spec.hidden_size;
  Layer layer;
  layer.query = scope.linear(names.query, h, h);
  const LinearForm seen{.reads = {.every_row = true, .beside = true}};
  layer.key = scope.linear(names.key, h, h, seen);
  layer.value = scope.linear(names.value, h, h, seen);
  layer.attention_output = scope.linear(names.attention_output, h, h);
  layer.attention_norm = scope.norm(names.attention_norm, h);
  layer.intermediate = scope.linear(names.intermediate, spec.intermediate_size, h);
  layer.output = scope.linear(names.output, h, spec.intermediate_size);
  layer.output_norm = scope.norm(names.output_norm, h);
  return layer;
}

at::Tensor EncoderBody::embed(const Context& context) const {
  const Input& input = context.input;
  at::Tensor sum = with_virtual_embeddings(word_(input.ids), context);
  if (segment_) sum = sum + segment_(input.segments);
  sum = sum + position_(input.positions);
  const at::Tensor hidden = nn::layer_norm_dropout(sum, embedding_norm_.weight, embedding_norm_.bias, epsilon_,
                                                   dropout_site(context, 0, 0, hidden_dropout_));
  return project_ ? project_(hidden) : hidden;
}

at::Tensor EncoderBody::block(int i, const at::Tensor& hidden, const Rows& queries, const Context& context) const {
  const Layer& layer = layers_[i];
  const Rows keys = context.input.keys.value_or(Rows{.index = {}, .layout = context.input.layout});
  const auto site = [&](int which, double p) { return dropout_site(context, i + 1, block_site(i, which), p, queries); };
  const auto heads = [&](const nn::Operand& x, const Linear& linear) { return split_heads(linear(x), heads_); };

  const at::Tensor own = queries.of(hidden);
  const nn::Operand seen = nn::shared(keys.of(hidden));
  const nn::Operand asking = own.is_same(seen.values) ? seen : nn::Operand(own);
  const nn::AttentionSpec spec{.causal = false,
                               .scale = 1.0 / std::sqrt(static_cast<double>(hidden.size(1) / heads_)),
                               .dropout = site(0, attention_dropout_)};
  // Backward adds their gradients up in the opposite order: another one gives other bits.
  at::Tensor value = heads(seen, layer.value), key = heads(seen, layer.key);
  const at::Tensor query = heads(asking, layer.query);
  put_before(i, static_cast<int>(layers_.size()), context, key, value);
  const at::Tensor attended = nn::attention(query, key, value, queries.layout, key_layout(context), spec);
  // The product leaves the bias to the fused kernel that follows it.
  const auto join = [&](const at::Tensor& x, const Linear& linear, const at::Tensor& residual, const Norm& norm,
                        const nn::DropoutSite& dropout) {
    return nn::bias_dropout_residual_layer_norm(linear.product(x), linear.late_bias(), residual, dropout, norm.weight,
                                                norm.bias, epsilon_);
  };
  const at::Tensor middle =
      join(attended.flatten(1), layer.attention_output, own, layer.attention_norm, site(1, attention_output_dropout_));
  const at::Tensor inner = nn::bias_activate(layer.intermediate.product(middle), layer.intermediate.late_bias(), activation_);
  return join(inner, layer.output, middle, layer.output_norm, site(2, hidden_dropout_));
}

}  // namespace attune::models
