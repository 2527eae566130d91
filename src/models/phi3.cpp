// Phi-3 and Phi-4 (Abdin et al. 2024): Llama with fused layers; long texts by factors of their own.
#include "llama.h"

namespace attune::models {

namespace {

constexpr DecoderLayerNames phi3_layer() {
  DecoderLayerNames names = kLlamaLayer;
  names.query = names.key = names.value = names.gate = names.up = "";
  names.query_key_value = "self_attn.qkv_proj";
  names.gate_up = "mlp.gate_up_proj";
  return names;
}
constexpr DecoderNames kPhi3Names = llama_names(phi3_layer());

void read_phi3(const ConfigReader& reader, ModelSpec& spec) {
  read_heads(reader, spec);
  RotaryDefaults rotary{.may_turn_share = true};
  if (!reader.has("original_max_position_embeddings")) rotary.original_positions = 4096;
  read_shared_rotary(reader, spec, rotary);
  const nn::RotaryScaling scaling = spec.decoder.rotary[0].scaling;
  if (scaling != nn::RotaryScaling::none && scaling != nn::RotaryScaling::longrope) {
    reader.fail("rope_parameters", "phi3 has the rotary scalings default and longrope only");
  }
  const auto window = read_window(reader, std::nullopt);
  set_windows(reader, std::vector<bool>(spec.decoder.layers.size(), window.has_value()), window, spec);
}

constexpr ConfigKeys keys() {
  ConfigKeys keys = kLlamaKeys;
  keys.hidden_dropout = "resid_pdrop";
  return keys;
}

constexpr ConfigDefaults kDefaults{.hidden_act = "silu",
                                   .layer_norm_eps = 1e-5,
                                   .dropout = 0.0,
                                   .head_dropout = 0.1,
                                   .tie_word_embeddings = false,
                                   .pad_token_id = 32000};

}  // namespace

constinit const Family kPhi3{
    .model_type = "phi3",
    .classes = {.base = "Phi3Model",
                .sequence_classification = "Phi3ForSequenceClassification",
                .token_classification = "Phi3ForTokenClassification",
                .masked_lm = "",
                .causal_lm = "Phi3ForCausalLM",
                .question_answering = ""},
    .prefix = "model",
    .question_prefix = "",
    .layers_path = kPhi3Names.layers,
    .keys = keys(),
    .defaults = kDefaults,
    .read = read_phi3,
    .make = [](const ModelSpec& spec) { return make_decoder(spec, kPhi3Names); },
};

}  // namespace attune::models
