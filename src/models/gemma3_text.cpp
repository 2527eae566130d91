// Gemma 3 (Gemma Team 2025), its text network: windows in five of six blocks, which have rotary positions of their own.
#include "gemma.h"

namespace attune::models {

namespace {

constexpr DecoderLayerNames gemma3_layer() {
  DecoderLayerNames names = gemma2_layer();
  names.query_norm = "self_attn.q_norm";
  names.key_norm = "self_attn.k_norm";
  return names;
}
constexpr DecoderNames kGemma3Names = gemma_names(gemma3_layer());

/// Table 0 for full attention, 1 for windows: v5 nests both in rope_parameters; v4 has rope_theta with rope_scaling for
/// the first and rope_local_base_freq for the second.
void read_rotary_tables(const ConfigReader& reader, ModelSpec& spec) {
  const RotaryDefaults full{.theta = 1000000.0};
  const RotaryDefaults local{.theta = reader.number("rope_local_base_freq", 1e-6, 1e12, 10000.0)};
  if (!reader.has("rope_parameters")) {
    nn::RotarySpec windowed{.size = spec.decoder.head_dim, .theta = local.theta};
    spec.decoder.rotary = {read_rotary(reader, spec, full), windowed};
    return;
  }
  const ConfigReader nested = reader.below("rope_parameters");
  spec.decoder.rotary = {read_rotary_object(nested.below("full_attention"), spec, full),
                         read_rotary_object(nested.below("sliding_attention"), spec, local)};
}

void read_gemma3(const ConfigReader& reader, ModelSpec& spec) {
  read_gemma(reader, 4, spec);
  const std::int64_t period = reader.whole("sliding_window_pattern", 1, kMaxLayers + 1, 6);
  const std::vector<bool> sliding = read_sliding(reader, spec, [&](std::int64_t i) { return (i + 1) % period != 0; });
  read_gemma2_attention(reader, sliding, spec);
  read_rotary_tables(reader, spec);
  for (std::size_t i = 0; i < sliding.size(); ++i) spec.decoder.layers[i].rotary = sliding[i] ? 1 : 0;
  if (reader.has("attn_logit_softcapping")) {
    reader.fail("attn_logit_softcapping", "the reference has this key for gemma3_text but computes without it",
                "set it to null");
  }
  spec.decoder.logit_softcap = reader.number_or_none("final_logit_softcapping", 1e-6, 1e12, {}).value_or(0.0);
}

}  // namespace

constinit const Family kGemma3{
    .model_type = "gemma3_text",
    .classes = {.base = "Gemma3TextModel",
                .sequence_classification = "Gemma3TextForSequenceClassification",
                .token_classification = "",
                .masked_lm = "",
                .causal_lm = "Gemma3ForCausalLM",
                .question_answering = ""},
    .prefix = "model",
    .question_prefix = "",
    .layers_path = kGemma3Names.layers,
    .keys = gemma2_keys(),
    .defaults = kGemmaDefaults,
    .read = read_gemma3,
    .make = [](const ModelSpec& spec) { return make_decoder(spec, kGemma3Names); },
};

}  // namespace attune::models
