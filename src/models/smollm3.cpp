// SmolLM3 (Bakouch et al. 2025): Llama with some blocks that have no positions.
#include "llama.h"

namespace attune::models {

namespace {

constexpr DecoderNames kSmolLm3Names = llama_names(kLlamaLayer);

/// no_rope_layers says 1 for blocks with rotary positions; without it every no_rope_layer_interval-th block has none.
std::vector<bool> blocks_with_positions(const ConfigReader& reader, const ModelSpec& spec) {
  std::vector<bool> with;
  if (reader.has("no_rope_layers")) {
    const auto blocks = static_cast<std::size_t>(spec.num_hidden_layers);
    for (const double flag : reader.numbers("no_rope_layers", blocks)) with.push_back(flag != 0.0);
    return with;
  }
  const std::int64_t interval = reader.whole("no_rope_layer_interval", 1, kMaxLayers + 1, 4);
  for (std::int64_t i = 0; i < spec.num_hidden_layers; ++i) with.push_back((i + 1) % interval != 0);
  return with;
}

void read_smollm3(const ConfigReader& reader, ModelSpec& spec) {
  read_heads(reader, spec, {.num_key_value_heads = 4});
  read_attention_bias(reader, false, spec);
  spec.decoder.mlp_bias = reader.boolean("mlp_bias", false);
  read_shared_rotary(reader, spec, {.theta = 2000000.0});
  const std::vector<bool> with = blocks_with_positions(reader, spec);
  for (std::size_t i = 0; i < with.size(); ++i) {
    if (!with[i]) spec.decoder.layers[i].rotary = -1;
  }
  const auto window = read_window(reader, std::nullopt);
  const bool slides = reader.boolean("use_sliding_window", false) && window.has_value();
  set_windows(reader, read_sliding(reader, spec, [&](std::int64_t i) { return slides && !with[i]; }), window, spec);
}

constexpr ConfigDefaults kDefaults{.hidden_act = "silu",
                                   .layer_norm_eps = 1e-6,
                                   .dropout = 0.0,
                                   .head_dropout = 0.1,
                                   .tie_word_embeddings = true,
                                   .pad_token_id = 128004};

}  // namespace

constinit const Family kSmolLm3{
    .model_type = "smollm3",
    .classes = {.base = "SmolLM3Model",
                .sequence_classification = "SmolLM3ForSequenceClassification",
                .token_classification = "SmolLM3ForTokenClassification",
                .masked_lm = "",
                .causal_lm = "SmolLM3ForCausalLM",
                .question_answering = "SmolLM3ForQuestionAnswering"},
    .prefix = "model",
    .question_prefix = "transformer",
    .layers_path = kSmolLm3Names.layers,
    .keys = kLlamaKeys,
    .defaults = kDefaults,
    .read = read_smollm3,
    .make = [](const ModelSpec& spec) { return make_decoder(spec, kSmolLm3Names); },
};

}  // namespace attune::models
