// RoBERTa (Liu et al. 2019) and XLM-RoBERTa (Conneau et al. 2020): BERT whose positions count from behind the padding
// token's number, with heads of its own.
#include "encoder.h"
#include "encoder_config.h"

namespace attune::models {

namespace {

constexpr EncoderNames kRobertaNames{
    .prefix = "roberta",
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
                   .activation = nn::Activation::tanh,
                   .dense_in_body = false,
                   .dropout_before_dense = true},
    .decoder = {.dense = "lm_head.dense",
                .norm = "lm_head.layer_norm",
                .decoder = "lm_head.decoder",
                .bias = "lm_head.bias",
                .gelu = true},
    .pooler = "pooler.dense",
};

void read_roberta(const ConfigReader& reader, ModelSpec& spec) {
  read_encoder(reader, spec);
  if (spec.pad_token_id < 0 || spec.max_position_embeddings <= spec.pad_token_id + 1) {
    reader.fail("pad_token_id", "positions are counted from behind it, so it must be there and leave some of them");
  }
  spec.first_position = spec.pad_token_id + 1;
}

constexpr ConfigDefaults kRobertaDefaults{.pad_token_id = 1};

}  // namespace

constinit const Family kRoberta{
    .model_type = "roberta",
    .classes = {.base = "RobertaModel",
                .sequence_classification = "RobertaForSequenceClassification",
                .token_classification = "RobertaForTokenClassification",
                .masked_lm = "RobertaForMaskedLM",
                .causal_lm = "",
                .question_answering = "RobertaForQuestionAnswering"},
    .prefix = kRobertaNames.prefix,
    .question_prefix = "",
    .layers_path = kRobertaNames.layers,
    .keys = kEncoderKeys,
    .defaults = kRobertaDefaults,
    .read = read_roberta,
    .make = [](const ModelSpec& spec) { return make_encoder(spec, kRobertaNames); },
};

constinit const Family kXlmRoberta{
    .model_type = "xlm-roberta",
    .classes = {.base = "XLMRobertaModel",
                .sequence_classification = "XLMRobertaForSequenceClassification",
                .token_classification = "XLMRobertaForTokenClassification",
                .masked_lm = "XLMRobertaForMaskedLM",
                .causal_lm = "",
                .question_answering = "XLMRobertaForQuestionAnswering"},
    .prefix = kRobertaNames.prefix,
    .question_prefix = "",
    .layers_path = kRobertaNames.layers,
    .keys = kEncoderKeys,
    .defaults = kRobertaDefaults,
    .read = read_roberta,
    .make = [](const ModelSpec& spec) { return make_encoder(spec, kRobertaNames); },
};

}  // namespace attune::models
