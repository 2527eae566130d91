// Gemma 2 (Gemma Team 2024): windows in every other block, capped scores and logits, norms on both sides of a branch.
#include "gemma.h"

namespace attune::models {

namespace {

constexpr DecoderNames kGemma2Names = gemma_names(gemma2_layer());

void read_gemma2(const ConfigReader& reader, ModelSpec& spec) {
  read_gemma(reader, 4, spec);
  read_shared_rotary(reader, spec);
  read_gemma2_attention(reader, read_sliding(reader, spec, [](std::int64_t i) { return i % 2 == 0; }), spec);
  spec.decoder.attention_softcap = reader.number_or_none("attn_logit_softcapping", 1e-6, 1e12, 50.0).value_or(0.0);
  spec.decoder.logit_softcap = reader.number_or_none("final_logit_softcapping", 1e-6, 1e12, 30.0).value_or(0.0);
}

}  // namespace

constinit const Family kGemma2{
    .model_type = "gemma2",
    .classes = {.base = "Gemma2Model",
                .sequence_classification = "Gemma2ForSequenceClassification",
                .token_classification = "Gemma2ForTokenClassification",
                .masked_lm = "",
                .causal_lm = "Gemma2ForCausalLM",
                .question_answering = ""},
    .prefix = "model",
    .question_prefix = "",
    .layers_path = kGemma2Names.layers,
    .keys = gemma2_keys(),
    .defaults = kGemmaDefaults,
    .read = read_gemma2,
    .make = [](const ModelSpec& spec) { return make_decoder(spec, kGemma2Names); },
};

}  // namespace attune::models
