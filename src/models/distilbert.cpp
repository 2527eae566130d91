// DistilBERT (Sanh et al. 2019): names of the post-norm encoder. No token types, no dropout after attention.
#include "encoder.h"
#include "encoder_config.h"
#include "zoo.h"

namespace attune::models {

namespace {

constexpr EncoderNames kDistilBertNames{
    .prefix = "distilbert",
    .layers = "transformer.layer",
    .layer = {.query = "attention.q_lin",
              .key = "attention.k_lin",
              .value = "attention.v_lin",
              .attention_output = "attention.out_lin",
              .attention_norm = "sa_layer_norm",
              .intermediate = "ffn.lin1",
              .output = "ffn.lin2",
              .output_norm = "output_layer_norm",
              .dropout_after_attention = false},
    .classifier = {.dense = "pre_classifier",
                   .out = "classifier",
                   .activation = nn::Activation::relu,
                   .dense_in_body = false,
                   .dropout_before_dense = false},
    .decoder = {.dense = "vocab_transform",
                .norm = "vocab_layer_norm",
                .decoder = "vocab_projector",
                .bias = "",
                .gelu = false},
};

void read_distilbert(const ConfigReader& reader, ModelSpec& spec) {
  read_encoder(reader, spec);
  spec.type_vocab_size = 0;
  spec.sinusoidal_positions = reader.boolean("sinusoidal_pos_embds", false);
}

}  // namespace

constinit const Family kDistilBert{
    .model_type = "distilbert",
    .classes = {.base = "DistilBertModel",
                .sequence_classification = "DistilBertForSequenceClassification",
                .token_classification = "DistilBertForTokenClassification",
                .masked_lm = "DistilBertForMaskedLM",
                .causal_lm = "",
                .question_answering = "DistilBertForQuestionAnswering"},
    .prefix = kDistilBertNames.prefix,
    .question_prefix = "",
    .layers_path = kDistilBertNames.layers,
    .keys = {.hidden_size = "dim",
             .num_hidden_layers = "n_layers",
             .num_attention_heads = "n_heads",
             .intermediate_size = "hidden_dim",
             .hidden_act = "activation",
             .layer_norm_eps = "",
             .hidden_dropout = "dropout",
             .attention_dropout = "attention_dropout",
             .embedding_dropout = "",
             .sequence_dropout = "seq_classif_dropout",
             .token_dropout = "dropout",
             .question_dropout = "qa_dropout"},
    .defaults = {},
    .read = read_distilbert,
    .make = [](const ModelSpec& spec) { return make_encoder(spec, kDistilBertNames); },
};

}  // namespace attune::models
