// What Gemma 1 to 3 share: norms whose weights are stored less 1, embeddings scaled by √hidden size.
#pragma once

#include "llama.h"

namespace attune::models {

constexpr DecoderNames gemma_names(const DecoderLayerNames& layer) {
  DecoderNames names = llama_names(layer);
  names.norm_offset = 1.0;
  return names;
}

/// Gemma 2 and 3 have norms on both sides of attention and feed-forward.
constexpr DecoderLayerNames gemma2_layer() {
  DecoderLayerNames names = kLlamaLayer;
  names.attention_output_norm = "post_attention_layernorm";
  names.feed_forward_norm = "pre_feedforward_layernorm";
  names.feed_forward_output_norm = "post_feedforward_layernorm";
  return names;
}

inline constexpr ConfigDefaults kGemmaDefaults{.hidden_act = "gelu_pytorch_tanh",
                                               .layer_norm_eps = 1e-6,
                                               .dropout = 0.0,
                                               .head_dropout = 0.1,
                                               .tie_word_embeddings = true,
                                               .pad_token_id = 0};

/// Gemma 2's and 3's key of the activation.
constexpr ConfigKeys gemma2_keys() {
  ConfigKeys keys = kLlamaKeys;
  keys.hidden_act = "hidden_activation";
  return keys;
}

/// Heads, biases, the scale of the embeddings.
void read_gemma(const ConfigReader& reader, std::int64_t key_heads, ModelSpec& spec);
/// query_pre_attn_scalar, and the window of the blocks that `is_sliding` names where layer_types does not.
void read_gemma2_attention(const ConfigReader& reader, const std::vector<bool>& sliding, ModelSpec& spec);

}  // namespace attune::models
