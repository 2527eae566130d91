// config.json → ModelSpec. See attune/models/spec.h.
#include "attune/models/spec.h"

#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/strings.h"
#include "attune/nn/activation.h"
#include "config_reader.h"
#include "limits.h"
#include "zoo.h"

namespace attune::models {

namespace {

constexpr double kInitializerRange = 0.02;

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
  for (const char* key : {"auto_map", "trust_remote_code", "_attn_implementation_internal", "custom_pipelines"}) {
    if (reader.has(key))
      log::warning(concat(reader.file(), ": key ", key, " ignored: this program never runs model code"));
  }
}

struct TaskName {
  std::string_view name;
  Task task;
};
constexpr TaskName kTasks[] = {{"text-classification", Task::sequence_classification},
                               {"token-classification", Task::token_classification},
                               {"fill-mask", Task::masked_lm},
                               {"text-generation", Task::causal_lm},
                               {"question-answering", Task::question_answering}};

void check_task(const ConfigReader& reader, const Family& family, Task task) {
  if (!class_name(family, task).empty()) return;
  std::vector<std::string> possible;
  std::string_view wanted;
  for (const auto& [name, known] : kTasks) {
    if (known == task) wanted = name;
    if (!class_name(family, known).empty()) possible.emplace_back(name);
  }
  reader.fail("model_type", concat("a ", family.model_type, " model has no head for ", wanted),
              concat("it can be used for ", join(possible, ", ")));
}

void read_sizes(const ConfigReader& reader, const Family& family, ModelSpec& spec) {
  const ConfigKeys& keys = family.keys;
  spec.vocab_size = reader.whole("vocab_size", 1, kMaxVocabulary);
  spec.hidden_size = reader.whole(keys.hidden_size, 1, kMaxWidth);
  spec.num_hidden_layers = reader.whole(keys.num_hidden_layers, 1, kMaxLayers);
  spec.num_attention_heads = reader.whole(keys.num_attention_heads, 1, kMaxWidth);
  spec.max_position_embeddings = reader.whole(keys.max_position_embeddings, 1, kMaxPositions);
  if (!keys.intermediate_size.empty()) spec.intermediate_size = reader.whole(keys.intermediate_size, 1, kMaxWidth);
  const std::int64_t usual = family.defaults.pad_token_id < spec.vocab_size ? family.defaults.pad_token_id : -1;
  spec.pad_token_id = reader.whole_or_none("pad_token_id", -1, spec.vocab_size - 1, usual).value_or(-1);
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

void read_dropout(const ConfigReader& reader, const Family& family, ModelSpec& spec) {
  const auto share = [&](std::string_view key, double fallback) {
    return key.empty() ? 0.0 : reader.number(key, 0.0, 1.0, fallback);
  };
  const ConfigDefaults& defaults = family.defaults;
  spec.hidden_dropout = share(family.keys.hidden_dropout, defaults.dropout);
  spec.attention_dropout = share(family.keys.attention_dropout, defaults.dropout);
  spec.decoder.embedding_dropout = share(family.keys.embedding_dropout, defaults.dropout);
  const double usual = defaults.head_dropout < 0.0 ? spec.hidden_dropout : defaults.head_dropout;
  spec.classifier_dropout = share(head_dropout_key(family.keys, spec.task), usual);
}

void read_numbers(const ConfigReader& reader, const Family& family, ModelSpec& spec) {
  const std::string_view epsilon = family.keys.layer_norm_eps;
  spec.layer_norm_eps = epsilon.empty() ? family.defaults.layer_norm_eps
                                        : reader.number(epsilon, 1e-30, 1.0, family.defaults.layer_norm_eps);
  spec.initializer_range = reader.number("initializer_range", 0.0, 10.0, kInitializerRange);
  if (spec.initializer_range == 0.0) spec.initializer_range = kInitializerRange;  // the reference takes 0 for "not given"
  spec.tie_word_embeddings = reader.boolean("tie_word_embeddings", family.defaults.tie_word_embeddings);
}

void read_activation(const ConfigReader& reader, const Family& family, ModelSpec& spec) {
  spec.hidden_act = reader.text(family.keys.hidden_act, std::string(family.defaults.hidden_act));
  try {
    nn::activation_by_name(spec.hidden_act);
  } catch (const Error& error) {
    reader.fail(family.keys.hidden_act, error.text().what, error.text().hint);
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

std::string name_of(Task task) {
  for (const auto& [name, known] : kTasks) {
    if (known == task) return std::string(name);
  }
  internal_error("this head has no task");
}

ModelSpec read_spec(const files::Json& config, const std::string& file, Task task) {
  const ConfigReader reader(config, file);
  if (!config.is_object()) {
    throw Error(ErrorKind::model, {.file = file, .what = "expected a JSON object", .where = {}, .hint = {}});
  }
  const Family& family = read_family(reader);
  refuse_other_computations(reader);
  check_task(reader, family, task);
  ModelSpec spec;
  spec.model_type = family.model_type;
  spec.task = task;
  read_sizes(reader, family, spec);
  read_dropout(reader, family, spec);
  read_numbers(reader, family, spec);
  read_activation(reader, family, spec);
  family.read(reader, spec);
  read_labels(reader, spec);
  return spec;
}

void check_heads_divide(const ConfigReader& reader, const ModelSpec& spec) {
  if (spec.hidden_size % spec.num_attention_heads == 0) return;
  const ConfigKeys& keys = family_of(spec).keys;
  reader.fail(keys.num_attention_heads,
              concat(spec.num_attention_heads, " heads do not divide ", keys.hidden_size, " ", spec.hidden_size));
}

}  // namespace attune::models
