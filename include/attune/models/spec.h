// What config.json says about the computation, in v4 and v5 spelling. Models read this, never JSON.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "attune/files/json.h"
#include "attune/models/options.h"
#include "attune/nn/rotary.h"

namespace attune::models {

enum class Task { sequence_classification, token_classification, masked_lm, causal_lm, question_answering, base };
/// Masked and causal language modelling: tasks without labels.
inline bool models_language(Task task) {
  return task == Task::masked_lm || task == Task::causal_lm;
}
Task task_by_name(const std::string& name);  ///< "text-classification", … of ModelOptions::task; Error{usage}
std::string name_of(Task task);              ///< the same the other way; not of `base`

/// What one block of a decoder does in its own way.
struct DecoderLayer {
  std::int64_t window = 0;       ///< sees tokens less than this far back; 0 = all
  int rotary = -1;               ///< which of DecoderSpec::rotary; -1 = no rotary positions
  double attention_scale = 1.0;  ///< multiplies q·k
};

/// What config.json says about decoders only.
struct DecoderSpec {
  std::int64_t num_key_value_heads = 0;
  std::int64_t head_dim = 0;
  bool query_key_value_bias = false;
  bool attention_output_bias = false;
  bool mlp_bias = false;
  bool parallel_residual = false;  ///< attention and feed-forward both read the block's input
  double embedding_dropout = 0.0;
  double embedding_scale = 1.0;
  double attention_softcap = 0.0;  ///< 0 = none
  double logit_softcap = 0.0;      ///< 0 = none
  std::vector<nn::RotarySpec> rotary;
  std::vector<DecoderLayer> layers;  ///< one a block
};

struct ModelSpec {
  std::string model_type;
  Task task = Task::sequence_classification;
  std::int64_t vocab_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t embedding_size = 0;  ///< ELECTRA: may differ from hidden_size
  std::int64_t num_hidden_layers = 0;
  std::int64_t num_attention_heads = 0;
  std::int64_t intermediate_size = 0;
  std::int64_t max_position_embeddings = 0;
  std::int64_t first_position = 0;  ///< of a text; RoBERTa counts from behind the padding token's number
  std::int64_t type_vocab_size = 0;
  std::int64_t pad_token_id = 0;  ///< -1 = none
  std::string hidden_act = "gelu";
  double layer_norm_eps = 1e-12;
  double initializer_range = 0.02;
  double hidden_dropout = 0.1;
  double attention_dropout = 0.1;
  double classifier_dropout = 0.1;    ///< before the task's output layer
  bool sinusoidal_positions = false;  ///< DistilBERT: positions that a file lacks are sines, not an error
  bool tie_word_embeddings = true;
  std::int64_t num_labels = 2;
  std::vector<std::string> labels;  ///< id2label in order of id
  std::string problem_type;         ///< "", single_label_classification, multi_label_classification, regression
  DecoderSpec decoder;

  /// The longest text that has positions, in tokens.
  std::int64_t max_tokens() const { return max_position_embeddings - first_position; }
};

/// The model types that attune can build.
std::vector<std::string> known_model_types();

/// Checks every number that sizes memory or divides (heads divide hidden, eps > 0, …), and refuses what would change
/// the computation in a way that no network here follows. Error{model} with file and key.
ModelSpec read_spec(const files::Json& config, const std::string& file, Task task);

}  // namespace attune::models
