// Embeddings and blocks of the pre-norm decoder. See decoder.h.
#include <ATen/TensorOperators.h>

#include <cmath>
#include <optional>

#include "attune/base/strings.h"
#include "attune/nn/attention.h"
#include "attune/nn/linear.h"
#include "attune/nn/norm.h"
#include "decoder.h"
#include "virtual_stream.h"

namespace attune::models {

namespace {

/// Writes the rows [T, heads, size] into their places of the pool, which is returned.
at::Tensor kept(const at::Tensor& pool, const at::Tensor& rows, const at::Tensor& places) {
  return pool.index_copy_(0, places, rows.to(pool.scalar_type()));
}

}  // namespace

DecoderBody::DecoderBody(const Scope& scope, const ModelSpec& spec, const DecoderNames& names)
    : spec_(spec), names_(names), activation_(nn::activation_by_name(spec.hidden_act)) {
  const bool has_padding_row = names.padding_is_constant && spec.pad_token_id >= 0;
  word_ = scope.token_embedding(names.embeddings, spec.vocab_size, spec.hidden_size,
                          has_padding_row ? std::optional(spec.pad_token_id) : std::nullopt);
  if (!names.positions.empty()) {
    position_ = scope.embedding(names.positions, spec.max_position_embeddings, spec.hidden_size);
  }
  const int depth = static_cast<int>(spec.num_hidden_layers);
  for (int i = 0; i < depth; ++i) layers_.push_back(make_layer(scope.at(concat(names.layers, ".", i)).stage(i + 1)));
  const Scope head = scope.stage(depth + 1);
  final_norm_ = names.layer_norm ? head.norm(names.final_norm, spec.hidden_size)
                                 : head.rms_norm(names.final_norm, spec.hidden_size, 1.0 - names.norm_offset);
}

DecoderBody::Layer DecoderBody::make_layer(const Scope& scope) const {
  const DecoderLayerNames& names = names_.layer;
  const auto norm = [&](std::string_view path, std::int64_t size) {
    if (path.empty()) return Norm{};
    return names_.layer_norm ? scope.norm(path, size) : scope.rms_norm(path, size, 1.0 - names_.norm_offset);
  };
  Layer layer;
  layer.attention_norm = norm(names.attention_norm, spec_.hidden_size);
  make_attention(scope, layer);
  layer.query_norm = norm(names.query_norm, spec_.decoder.head_dim);
  layer.key_norm = norm(names.key_norm, spec_.decoder.head_dim);
  layer.attention_output_norm = norm(names.attention_output_norm, spec_.hidden_size);
  layer.feed_forward_norm = norm(names.feed_forward_norm, spec_.hidden_size);
  make_feed_forward(scope, layer);
  layer.feed_forward_output_norm = norm(names.feed_forward_output_norm, spec_.hidden_size);
  return layer;
}

void DecoderBody::make_attention(const Scope& scope, Layer& layer) const {
  const DecoderLayerNames& names = names_.layer;
  const DecoderSpec& decoder = spec_.decoder;
  const std::int64_t queries = spec_.num_attention_heads * decoder.head_dim;
  const std::int64_t keys = decoder.num_key_value_heads * decoder.head_dim;
  const LinearForm in{.bias = decoder.query_key_value_bias, .conv1d = names_.conv1d, .reads = {.every_row = true}};
  if (names.query_key_value.empty()) {
    LinearForm beside = in;
    beside.reads.beside = true;
    layer.query = scope.linear(names.query, queries, spec_.hidden_size, in);
    layer.key = scope.linear(names.key, keys, spec_.hidden_size, beside);
    layer.value = scope.linear(names.value, keys, spec_.hidden_size, beside);
  } else {
    layer.query_key_value = scope.linear(names.query_key_value, queries + 2 * keys, spec_.hidden_size, in);
  }
  layer.attention_output = scope.linear(names.attention_output, spec_.hidden_size, queries,
                                        {.bias = decoder.attention_output_bias, .conv1d = names_.conv1d, .initial_factor = into_residual()});
}

void DecoderBody::make_feed_forward(const Scope& scope, Layer& layer) const {
  const DecoderLayerNames& names = names_.layer;
  const std::int64_t hidden = spec_.hidden_size;
  const std::int64_t inner = spec_.intermediate_size;
  const LinearForm form{.bias = spec_.decoder.mlp_bias, .conv1d = names_.conv1d};
  if (!names.gate.empty()) layer.gate = scope.linear(names.gate, inner, hidden, form);
  if (!names.gate_up.empty()) layer.gate_up = scope.linear(names.gate_up, 2 * inner, hidden, form);
  if (!names.up.empty()) {
    LinearForm up = form;
    up.reads.beside = !names.gate.empty();
    layer.up = scope.linear(names.up, inner, hidden, up);
  }
  LinearForm down = form;
  down.initial_factor = into_residual();
  layer.down = scope.linear(names.down, hidden, inner, down);
}

double DecoderBody::into_residual() const {
  return names_.scaled_residual ? 1.0 / std::sqrt(2.0 * static_cast<double>(spec_.num_hidden_layers)) : 1.0;
}

at::Tensor DecoderBody::normed(const Norm& norm, const at::Tensor& x) const {
  if (!norm) return x;
  if (names_.layer_norm) return nn::layer_norm(x, norm.weight, norm.bias, spec_.layer_norm_eps);
  return nn::rms_norm(x, norm.weight, spec_.layer_norm_eps, names_.norm_offset);
}

at::Tensor DecoderBody::embed(const Context& context) const {
  const Input& input = context.input;
  at::Tensor x = word_(input.ids);
  if (spec_.decoder.embedding_scale != 1.0) x = x * spec_.decoder.embedding_scale;
  x = with_virtual_embeddings(x, context);
  if (position_) x = x + position_(input.positions);
  return nn::dropout(x, dropout_site(context, 0, 0, spec_.decoder.embedding_dropout));
}

at::Tensor DecoderBody::block(int i, const at::Tensor& hidden, const Rows& wanted, const Context& context) const {
  const Layer& layer = layers_[i];
  const auto drop = [&](const at::Tensor& x, int which) {
    return nn::dropout(x, dropout_site(context, i + 1, block_site(i, which), spec_.hidden_dropout, wanted));
  };
  const at::Tensor attended = attend(i, normed(layer.attention_norm, hidden), wanted, context);
  const at::Tensor own = wanted.of(hidden);
  const at::Tensor middle = own + drop(normed(layer.attention_output_norm, attended), 1);
  const at::Tensor& read = spec_.decoder.parallel_residual ? own : middle;
  const at::Tensor inner = feed_forward(layer, normed(layer.feed_forward_norm, read));
  return middle + drop(normed(layer.feed_forward_output_norm, inner), 2);
}

DecoderBody::Heads DecoderBody::project(const Layer& layer, const at::Tensor& x) const {
  const std::int64_t size = spec_.decoder.head_dim;
  const std::int64_t rows = x.size(0);
  const auto split = [&](const at::Tensor& y) { return y.view({rows, -1, size}); };
  if (layer.query) {
    const nn::Operand read = nn::shared(x);
    return {split(layer.query(read)), split(layer.key(read)), split(layer.value(read))};
  }
  const at::Tensor all = layer.query_key_value(x);
  if (names_.heads_together) {
    const std::vector<at::Tensor> parts = all.view({rows, -1, 3 * size}).split(size, 2);
    return {parts[0], parts[1], parts[2]};
  }
  const std::int64_t queries = spec_.num_attention_heads * size;
  const std::int64_t keys = spec_.decoder.num_key_value_heads * size;
  const std::vector<at::Tensor> parts = all.split_with_sizes({queries, keys, keys}, 1);
  return {split(parts[0]), split(parts[1]), split(parts[2])};
}

at::Tensor DecoderBody::attend(int i, const at::Tensor& x, const Rows& wanted, const Context& context) const {
  const Layer& layer = layers_[i];
  const DecoderLayer& choices = spec_.decoder.layers[i];
  const Input& input = context.input;
  Heads heads = project(layer, x);
  heads.query = normed(layer.query_norm, heads.query);
  heads.key = normed(layer.key_norm, heads.key);
  if (choices.rotary >= 0) {
    heads.query = nn::rotate(heads.query, context.rotary[choices.rotary]);
    heads.key = nn::rotate(heads.key, context.rotary[choices.rotary]);
  }
  if (input.keys) {
    heads.key = input.keys->of(heads.key);
    heads.value = input.keys->of(heads.value);
  }
  put_before(i, static_cast<int>(spec_.num_hidden_layers), context, heads.key, heads.value);
  if (input.past) {
    heads.key = kept(input.past->keys[i], heads.key, input.past->rows);
    heads.value = kept(input.past->values[i], heads.value, input.past->rows);
  }
  const nn::AttentionSpec spec{.causal = true,
                               .scale = choices.attention_scale,
                               .dropout = dropout_site(context, i + 1, block_site(i, 0), spec_.attention_dropout),
                               .window = choices.window,
                               .softcap = spec_.decoder.attention_softcap,
                               .offsets = context.query_offsets};
  const nn::Layout& keys = input.past ? input.past->layout : key_layout(context);
  const at::Tensor attended = nn::attention(heads.query, heads.key, heads.value, input.layout, keys, spec);
  return layer.attention_output(wanted.of(attended.flatten(1)));
}

at::Tensor DecoderBody::feed_forward(const Layer& layer, const at::Tensor& x) const {
  if (layer.gate_up) {
    const std::vector<at::Tensor> parts = layer.gate_up(x).chunk(2, 1);
    return layer.down(nn::gated(parts[0], parts[1], activation_));
  }
  if (layer.gate) {
    const nn::Operand read = nn::shared(x);
    return layer.down(nn::gated(layer.gate(read), layer.up(read), activation_));
  }
  return layer.down(nn::bias_activate(layer.up.product(x), layer.up.late_bias(), activation_));
}

}  // namespace attune::models
