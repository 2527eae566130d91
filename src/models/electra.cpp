// ELECTRA (Clark et al. 2020): BERT's layers; embeddings may be narrower than the hidden states; heads of its own.
#include "encoder.h"
#include "encoder_config.h"
#include "zoo.h"

namespace attune::models {

namespace {

constexpr EncoderNames kElectraNames{
    .prefix = "electra",
    .layers = "encoder.layer",
    .layer = {.query = "attention.self.query",
              .key = "attention.self.key",
              .value = "attention.self.value",
              .attention_output = "attention.output.dense",
              .attention_norm = "attention.output.LayerNorm",
              .intermediate = "intermediate.dense",
              .output = "output.dense",
              .output_norm = "output.LayerNorm",
              .dropout_after_attention = true},
    .classifier = {.dense = "classifier.dense",
                   .out = "classifier.out_proj",
                   .activation = nn::Activation::gelu,
                   .dense_in_body = false,
                   .dropout_before_dense = true},
    .decoder = {.dense = "generator_predictions.dense",
                .norm = "generator_predictions.LayerNorm",
                .decoder = "generator_lm_head",
                .bias = "",
                .gelu = true},
};

void read_electra(const ConfigReader& reader, ModelSpec& spec) {
  read_encoder(reader, spec);
  spec.embedding_size = reader.whole("embedding_size", 1, kMaxWidth);
}

}  // namespace

constinit const Family kElectra{
    .model_type = "electra",
    .classes = {.base = "ElectraModel",
                .sequence_classification = "ElectraForSequenceClassification",
                .token_classification = "ElectraForTokenClassification",
                .masked_lm = "ElectraForMaskedLM",
                .causal_lm = "",
                .question_answering = "ElectraForQuestionAnswering"},
    .prefix = kElectraNames.prefix,
    .question_prefix = "",
    .layers_path = kElectraNames.layers,
    .keys = kEncoderKeys,
    .defaults = {},
    .read = read_electra,
    .make = [](const ModelSpec& spec) { return make_encoder(spec, kElectraNames); },
};

}  // namespace attune::models
