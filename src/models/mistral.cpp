// Mistral (Jiang et al. 2023): Llama with a window in every block.
#include "llama.h"

namespace attune::models {

namespace {

constexpr DecoderNames kMistralNames = llama_names(kLlamaLayer);

void read_mistral(const ConfigReader& reader, ModelSpec& spec) {
  read_heads(reader, spec, {.num_key_value_heads = 8});
  read_shared_rotary(reader, spec);
  const auto window = read_window(reader, 4096);
  const std::vector<bool> sliding = read_sliding(reader, spec, [&](std::int64_t) { return window.has_value(); });
  for (const bool slides : sliding) {
    if (slides != window.has_value()) {
      reader.fail("layer_types", "mistral gives all blocks the attention that sliding_window says, these differ");
    }
  }
  set_windows(reader, sliding, window, spec);
}

}  // namespace

constinit const Family kMistral{
    .model_type = "mistral",
    .classes = {.base = "MistralModel",
                .sequence_classification = "MistralForSequenceClassification",
                .token_classification = "MistralForTokenClassification",
                .masked_lm = "",
                .causal_lm = "MistralForCausalLM",
                .question_answering = "MistralForQuestionAnswering"},
    .prefix = "model",
    .question_prefix = "",
    .layers_path = kMistralNames.layers,
    .keys = kLlamaKeys,
    .defaults = kLlamaDefaults,
    .read = read_mistral,
    .make = [](const ModelSpec& spec) { return make_decoder(spec, kMistralNames); },
};

}  // namespace attune::models
