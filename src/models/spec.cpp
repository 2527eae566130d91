// config.json → ModelSpec. See attune/models/spec.h.
#include "attune/models/spec.h"

#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/strings.h"
#include "attune/nn/activation.h"
#include "config_reader.h"
#include "zoo.h"

namespace attune::models {

namespace {

// Far above every published encoder, far below what would overflow or exhaust memory by itself.
constexpr std::int64_t kMaxVocabulary = 1 << 24;
constexpr std::int64_t kMaxWidth = 1 << 17;
constexpr std::int64_t kMaxLayers = 1000;
constexpr std::int64_t kMaxPositions = 1 << 22;
constexpr std::int64_t kMaxLabels = 1 << 20;

const Family& read_family(const ConfigReader& reader) {
  const std::string types = join(known_model_types(), ", ");
  if (!reader.has("model_type")) {
    reader.fail("model_type", "the key is missing", concat("known types are ", types));
  }
  const std::string type = reader.text("model_type", "");
  const Family* family = find_family(type);
  if (family == nullptr) {
    reader.fail("model_type", concat("attune does not know the model type '", type, "'"),
                concat("known types are ", types));
  }
  return *family;
}

void refuse_other_computations(const ConfigReader& reader) {
  if (reader.has("quantization_config")) {
    reader.fail("quantization_config", "the checkpoint is quantised, which attune cannot train",
                "use the unquantised checkpoint that it was made from");
  }
  for (const char* key : {"is_decoder", "add_cross_attention"}) {
    if (reader.boolean(key, false)) reader.fail(key, "found true: attune supports this model type as an encoder only");
  }
  const std::string positions = reader.text("position_embedding_type", "absolute");
  if (positions != "absolute") {
    reader.fail("position_embedding_type", concat("found '", positions, "', only 'absolute' is supported"));
  }
  for (const char* key : {"auto_map", "trust_remote_code", "_attn_implementation_internal", "custom_pipelines"}) {
    if (reader.has(key))
      log::warning(concat(reader.file(), ": key ", key, " ignored: this program never runs model code"));
  }
}

void read_sizes(const ConfigReader& reader, const ConfigKeys& keys, ModelSpec& spec) {
  spec.vocab_size = reader.whole("vocab_size", 1, kMaxVocabulary);
  spec.hidden_size = reader.whole(keys.hidden_size, 1, kMaxWidth);
  spec.num_hidden_layers = reader.whole(keys.num_hidden_layers, 1, kMaxLayers);
  spec.num_attention_heads = reader.whole(keys.num_attention_heads, 1, kMaxWidth);
  spec.intermediate_size = reader.whole(keys.intermediate_size, 1, kMaxWidth);
  spec.max_position_embeddings = reader.whole("max_position_embeddings", 1, kMaxPositions);
  spec.type_vocab_size = keys.type_vocab_size.empty() ? 0 : reader.whole(keys.type_vocab_size, 1, kMaxWidth, 2);
  spec.embedding_size =
      keys.embedding_size.empty() ? spec.hidden_size : reader.whole(keys.embedding_size, 1, kMaxWidth);
  if (spec.hidden_size % spec.num_attention_heads != 0) {
    reader.fail(keys.num_attention_heads,
                concat(spec.num_attention_heads, " heads do not divide ", keys.hidden_size, " ", spec.hidden_size));
  }
  spec.pad_token_id = reader.whole("pad_token_id", -1, spec.vocab_size - 1, -1);
}

/// "" = the task has no dropout before its output layer.
std::string_view head_dropout_key(const ConfigKeys& keys, Task task) {
  switch (task) {
    case Task::sequence_classification:
      return keys.sequence_dropout;
    case Task::token_classification:
      return keys.token_dropout;
    case Task::question_answering:
      return keys.question_dropout;
    default:
      return "";
  }
}

void read_numbers(const ConfigReader& reader, const ConfigKeys& keys, ModelSpec& spec) {
  constexpr double kLargestShare = 1.0;
  spec.hidden_dropout = reader.number(keys.hidden_dropout, 0.0, kLargestShare, 0.1);
  spec.attention_dropout = reader.number(keys.attention_dropout, 0.0, kLargestShare, 0.1);
  const std::string_view head = head_dropout_key(keys, spec.task);
  spec.classifier_dropout = head.empty() ? 0.0 : reader.number(head, 0.0, kLargestShare, spec.hidden_dropout);
  spec.layer_norm_eps = keys.layer_norm_eps.empty() ? 1e-12 : reader.number(keys.layer_norm_eps, 1e-30, 1.0, 1e-12);
  spec.initializer_range = reader.number("initializer_range", 0.0, 10.0, 0.02);
}

void read_activation(const ConfigReader& reader, const ConfigKeys& keys, ModelSpec& spec) {
  spec.hidden_act = reader.text(keys.hidden_act, "gelu");
  try {
    nn::activation_by_name(spec.hidden_act);
  } catch (const Error& error) {
    reader.fail(keys.hidden_act, error.text().what, error.text().hint);
  }
}

std::vector<std::string> numbered_labels(std::int64_t count) {
  std::vector<std::string> labels;
  for (std::int64_t i = 0; i < count; ++i) labels.push_back(concat("LABEL_", i));
  return labels;
}

void read_labels(const ConfigReader& reader, ModelSpec& spec) {
  spec.problem_type = reader.text("problem_type", "");
  constexpr std::string_view kProblems[] = {"", "single_label_classification", "multi_label_classification",
                                            "regression"};
  if (std::find(std::begin(kProblems), std::end(kProblems), spec.problem_type) == std::end(kProblems)) {
    reader.fail("problem_type",
                concat("found '", spec.problem_type,
                       "', expected single_label_classification, multi_label_classification or regression"));
  }
  if (spec.task == Task::question_answering) {
    spec.labels = numbered_labels(2);  // start and end, whatever the checkpoint classified before
  } else {
    spec.labels = reader.labels();
    const std::int64_t named = spec.labels.empty() ? 2 : static_cast<std::int64_t>(spec.labels.size());
    const std::int64_t stated = reader.whole("num_labels", 1, kMaxLabels, named);
    if (!spec.labels.empty() && stated != named) {
      reader.fail("num_labels", concat("found ", stated, ", but id2label names ", named, " labels"));
    }
    if (spec.labels.empty()) spec.labels = numbered_labels(stated);
  }
  spec.num_labels = static_cast<std::int64_t>(spec.labels.size());
}

}  // namespace

Task task_by_name(const std::string& name) {
  constexpr std::pair<std::string_view, Task> kTasks[] = {{"text-classification", Task::sequence_classification},
                                                          {"token-classification", Task::token_classification},
                                                          {"fill-mask", Task::masked_lm},
                                                          {"question-answering", Task::question_answering}};
  std::vector<std::string> names;
  for (const auto& [known, task] : kTasks) {
    if (known == name) return task;
    names.emplace_back(known);
  }
  throw Error(ErrorKind::usage, {.file = {},
                                 .what = concat("unknown task '", name, "'"),
                                 .where = "key model.task",
                                 .hint = concat("use one of ", join(names, ", "))});
}

ModelSpec read_spec(const files::Json& config, const std::string& file, Task task) {
  const ConfigReader reader(config, file);
  if (!config.is_object()) {
    throw Error(ErrorKind::model, {.file = file, .what = "expected a JSON object", .where = {}, .hint = {}});
  }
  const Family& family = read_family(reader);
  refuse_other_computations(reader);
  ModelSpec spec;
  spec.model_type = family.model_type;
  spec.task = task;
  read_sizes(reader, family.keys, spec);
  read_numbers(reader, family.keys, spec);
  read_activation(reader, family.keys, spec);
  spec.sinusoidal_positions = reader.boolean("sinusoidal_pos_embds", false);
  spec.tie_word_embeddings = reader.boolean("tie_word_embeddings", true);
  read_labels(reader, spec);
  return spec;
}

}  // namespace attune::models
