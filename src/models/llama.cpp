// Llama (Touvron et al. 2023), and under the same name SmolLM, SmolLM2, TinyLlama and many others.
#include "llama.h"

namespace attune::models {

namespace {

constexpr DecoderNames kLlamaNames = llama_names(kLlamaLayer);

void read_llama(const ConfigReader& reader, ModelSpec& spec) {
  read_heads(reader, spec);
  read_attention_bias(reader, false, spec);
  spec.decoder.mlp_bias = reader.boolean("mlp_bias", false);
  read_shared_rotary(reader, spec);
}

}  // namespace

constinit const Family kLlama{
    .model_type = "llama",
    .classes = {.base = "LlamaModel",
                .sequence_classification = "LlamaForSequenceClassification",
                .token_classification = "LlamaForTokenClassification",
                .masked_lm = "",
                .causal_lm = "LlamaForCausalLM",
                .question_answering = "LlamaForQuestionAnswering"},
    .prefix = "model",
    .question_prefix = "transformer",
    .layers_path = kLlamaNames.layers,
    .keys = kLlamaKeys,
    .defaults = kLlamaDefaults,
    .read = read_llama,
    .make = [](const ModelSpec& spec) { return make_decoder(spec, kLlamaNames); },
};

}  // namespace attune::models
