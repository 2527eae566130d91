// The table of model families: how config.json spells the numbers, how checkpoints spell the tensors, who builds the
// network. A relative of a family is a row, not a copy.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attune/models/model.h"

namespace attune::models {

class ConfigReader;

/// Keys of config.json; "" = the family has no such key.
struct ConfigKeys {
  std::string_view hidden_size = "hidden_size";
  std::string_view num_hidden_layers = "num_hidden_layers";
  std::string_view num_attention_heads = "num_attention_heads";
  std::string_view intermediate_size = "intermediate_size";
  std::string_view max_position_embeddings = "max_position_embeddings";
  std::string_view hidden_act = "hidden_act";
  std::string_view layer_norm_eps = "layer_norm_eps";  ///< "" = fixed by the reference
  std::string_view hidden_dropout, attention_dropout;
  std::string_view embedding_dropout;  ///< decoders
  /// Dropout before the output layer by task; null or absent falls back. "" = none.
  std::string_view sequence_dropout, token_dropout, question_dropout;
};

/// What an absent key means.
struct ConfigDefaults {
  std::string_view hidden_act = "gelu";
  double layer_norm_eps = 1e-12;
  double dropout = 0.1;
  double head_dropout = -1.0;  ///< negative: the hidden dropout
  bool tie_word_embeddings = true;
  std::int64_t pad_token_id = -1;  ///< -1 = none
};

/// Transformers' classes; "" = there is none for the task.
struct ClassNames {
  std::string_view base, sequence_classification, token_classification, masked_lm, causal_lm, question_answering;
};

struct Family {
  std::string_view model_type;
  ClassNames classes;
  std::string_view prefix;                        ///< of the body's tensors in head classes; may be absent in files
  std::string_view question_prefix;               ///< the same in the class for span QA, where it is another one
  std::string_view layers_path;                   ///< below the prefix; what follows is the layer's index
  std::string_view lm_head_in_files = "lm_head";  ///< how files spell the output layer of causal LMs
  ConfigKeys keys;
  ConfigDefaults defaults;
  /// Reads what only this family's config.json says, and refuses what its network does not follow.
  void (*read)(const ConfigReader& reader, ModelSpec& spec);
  std::unique_ptr<Model> (*make)(const ModelSpec& spec);
};

/// nullptr for unknown types.
const Family* find_family(std::string_view model_type);
/// For a spec that read_spec made.
const Family& family_of(const ModelSpec& spec);

/// Transformers' class for the task; "" = the family has none.
std::string_view class_name(const Family& family, Task task);
/// The body's prefix in the class for the task; "" in the base model.
std::string_view body_prefix(const Family& family, Task task);

/// Error{model} unless every attention head gets the same share of the hidden size.
void check_heads_divide(const ConfigReader& reader, const ModelSpec& spec);

extern const Family kBert, kDistilBert, kElectra, kRoberta, kXlmRoberta;
extern const Family kGpt2, kGptNeoX, kLlama, kSmolLm3, kMistral, kQwen2, kQwen3, kGemma, kGemma2, kGemma3, kPhi3;

}  // namespace attune::models
