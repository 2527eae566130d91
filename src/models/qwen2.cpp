// Qwen2 and Qwen2.5 (Yang et al. 2024): Llama with biases on queries, keys and values only.
#include "qwen.h"

namespace attune::models {

namespace {

constexpr DecoderNames kQwen2Names = llama_names(kLlamaLayer);

void read_qwen2(const ConfigReader& reader, ModelSpec& spec) {
  read_heads(reader, spec, {.num_key_value_heads = 32});
  spec.decoder.query_key_value_bias = true;
  read_shared_rotary(reader, spec);
  read_qwen_windows(reader, spec);
}

}  // namespace

constinit const Family kQwen2{
    .model_type = "qwen2",
    .classes = {.base = "Qwen2Model",
                .sequence_classification = "Qwen2ForSequenceClassification",
                .token_classification = "Qwen2ForTokenClassification",
                .masked_lm = "",
                .causal_lm = "Qwen2ForCausalLM",
                .question_answering = "Qwen2ForQuestionAnswering"},
    .prefix = "model",
    .question_prefix = "transformer",
    .layers_path = kQwen2Names.layers,
    .keys = kLlamaKeys,
    .defaults = kLlamaDefaults,
    .read = read_qwen2,
    .make = [](const ModelSpec& spec) { return make_decoder(spec, kQwen2Names); },
};

}  // namespace attune::models
