// Llama's names and config.json keys, which most of the rotary decoders share.
#pragma once

#include "decoder.h"
#include "decoder_config.h"

namespace attune::models {

inline constexpr DecoderLayerNames kLlamaLayer{.attention_norm = "input_layernorm",
                                               .query = "self_attn.q_proj",
                                               .key = "self_attn.k_proj",
                                               .value = "self_attn.v_proj",
                                               .attention_output = "self_attn.o_proj",
                                               .feed_forward_norm = "post_attention_layernorm",
                                               .gate = "mlp.gate_proj",
                                               .up = "mlp.up_proj",
                                               .down = "mlp.down_proj"};

constexpr DecoderNames llama_names(const DecoderLayerNames& layer) {
  return {.embeddings = "embed_tokens", .positions = "", .layers = "layers", .final_norm = "norm", .layer = layer};
}

inline constexpr ConfigKeys kLlamaKeys{.layer_norm_eps = "rms_norm_eps",
                                       .hidden_dropout = "",
                                       .attention_dropout = "attention_dropout",
                                       .embedding_dropout = "",
                                       .sequence_dropout = "",
                                       .token_dropout = "classifier_dropout",
                                       .question_dropout = ""};

inline constexpr ConfigDefaults kLlamaDefaults{
    .hidden_act = "silu", .layer_norm_eps = 1e-6, .dropout = 0.0, .head_dropout = 0.1, .tie_word_embeddings = false};

}  // namespace attune::models
