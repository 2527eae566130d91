// BERT (Devlin et al. 2018): names of the post-norm encoder.
#include "encoder.h"
#include "encoder_config.h"
#include "zoo.h"

namespace attune::models {

namespace {

constexpr EncoderNames kBertNames{
    .prefix = "bert",
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
    .classifier = {.dense = "pooler.dense",
                   .out = "classifier",
                   .activation = nn::Activation::tanh,
                   .dense_in_body = true,
                   .dropout_before_dense = false},
    .decoder = {.dense = "cls.predictions.transform.dense",
                .norm = "cls.predictions.transform.LayerNorm",
                .decoder = "cls.predictions.decoder",
                .bias = "cls.predictions.bias",
                .gelu = false},
};

}  // namespace

constinit const Family kBert{
    .model_type = "bert",
    .classes = {.base = "BertModel",
                .sequence_classification = "BertForSequenceClassification",
                .token_classification = "BertForTokenClassification",
                .masked_lm = "BertForMaskedLM",
                .causal_lm = "",
                .question_answering = "BertForQuestionAnswering"},
    .prefix = kBertNames.prefix,
    .question_prefix = "",
    .layers_path = kBertNames.layers,
    .keys = kEncoderKeys,
    .defaults = {},
    .read = read_encoder,
    .make = [](const ModelSpec& spec) { return make_encoder(spec, kBertNames); },
};

}  // namespace attune::models
