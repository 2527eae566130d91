// Qwen3 (Yang et al. 2025): Llama with a norm over the features of each query and key head.
#include "qwen.h"

namespace attune::models {

namespace {

constexpr DecoderLayerNames qwen3_layer() {
  DecoderLayerNames names = kLlamaLayer;
  names.query_norm = "self_attn.q_norm";
  names.key_norm = "self_attn.k_norm";
  return names;
}
constexpr DecoderNames kQwen3Names = llama_names(qwen3_layer());

void read_qwen3(const ConfigReader& reader, ModelSpec& spec) {
  read_heads(reader, spec, {.num_key_value_heads = 32, .head_dim = 128});
  read_attention_bias(reader, false, spec);
  read_shared_rotary(reader, spec);
  read_qwen_windows(reader, spec);
}

}  // namespace

constinit const Family kQwen3{
    .model_type = "qwen3",
    .classes = {.base = "Qwen3Model",
                .sequence_classification = "Qwen3ForSequenceClassification",
                .token_classification = "Qwen3ForTokenClassification",
                .masked_lm = "",
                .causal_lm = "Qwen3ForCausalLM",
                .question_answering = "Qwen3ForQuestionAnswering"},
    .prefix = "model",
    .question_prefix = "transformer",
    .layers_path = kQwen3Names.layers,
    .keys = kLlamaKeys,
    .defaults = kLlamaDefaults,
    .read = read_qwen3,
    .make = [](const ModelSpec& spec) { return make_decoder(spec, kQwen3Names); },
};

}  // namespace attune::models
