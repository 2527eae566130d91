// What the config.json files of BERT and its relatives have in common.
#pragma once

#include "config_reader.h"
#include "limits.h"
#include "zoo.h"

namespace attune::models {

inline constexpr ConfigKeys kEncoderKeys{.hidden_dropout = "hidden_dropout_prob",
                                         .attention_dropout = "attention_probs_dropout_prob",
                                         .embedding_dropout = "",
                                         .sequence_dropout = "classifier_dropout",
                                         .token_dropout = "classifier_dropout",
                                         .question_dropout = ""};

/// Token types, narrow embeddings (none), heads that divide the hidden size; refuses decoders and relative positions.
void read_encoder(const ConfigReader& reader, ModelSpec& spec);

}  // namespace attune::models
