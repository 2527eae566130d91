// The table of model families: how config.json spells the numbers, how checkpoints spell the tensors, who builds the
// network. A relative of a family is a row, not a copy.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attune/models/model.h"

namespace attune::models {

/// Keys of config.json; "" = the family has no such key.
struct ConfigKeys {
  std::string_view hidden_size, num_hidden_layers, num_attention_heads, intermediate_size;
  std::string_view hidden_act, hidden_dropout, attention_dropout;
  std::string_view embedding_size;   ///< "" = hidden_size
  std::string_view type_vocab_size;  ///< "" = no token types
  std::string_view layer_norm_eps;   ///< "" = 1e-12, fixed by the reference
  /// Dropout before the output layer by task; null or absent falls back to the hidden dropout. QA: "" = none.
  std::string_view sequence_dropout, token_dropout, question_dropout;
};

struct Family {
  std::string_view model_type;
  std::string_view class_stem;   ///< BertFor…: "Bert"
  std::string_view prefix;       ///< of the body's tensors in head classes; may be absent in files
  std::string_view layers_path;  ///< below the prefix; what follows is the layer's index
  ConfigKeys keys;
  std::unique_ptr<Model> (*make)(const ModelSpec& spec);
};

/// nullptr for unknown types.
const Family* find_family(std::string_view model_type);
/// For a spec that read_spec made.
const Family& family_of(const ModelSpec& spec);

/// "ForSequenceClassification", …; "Model" for the base.
std::string class_name(const ModelSpec& spec);

extern const Family kBert, kDistilBert, kElectra;

}  // namespace attune::models
