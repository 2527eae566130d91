// Annotated configurations to begin with: which keys a beginner should see for a task; the comments are the options'
// help.
#include <algorithm>
#include <array>

#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "option.h"

namespace attune::config {

namespace {

struct Setting {
  const char* path;
  const char* json;
};

struct Starter {
  const char* name;
  std::vector<Setting> settings;  ///< of this task, besides the common ones
};

const std::vector<Starter>& starters() {
  static const std::vector<Starter> list = {
      {"text-classification",
       {{"data.columns.text", "\"text\""}, {"data.columns.label", "\"label\""}, {"training.class_weights", "null"}}},
      {"multi-label",
       {{"data.columns.text", "\"text\""}, {"data.columns.label", "\"labels\""}, {"data.labels", "\"multi\""}}},
      {"regression",
       {{"data.columns.text", "\"text\""}, {"data.columns.label", "\"score\""}, {"data.labels", "\"regression\""}}},
      {"token-classification",
       {{"model.task", "\"token-classification\""},
        {"data.columns.words", "\"tokens\""},
        {"data.columns.tags", "\"ner_tags\""}}},
      {"fill-mask",
       {{"model.task", "\"fill-mask\""}, {"data.columns.text", "\"text\""}, {"data.mlm_probability", "0.15"}}},
      {"text-generation",
       {{"model.path", "\"data/tiny-gpt\""},
        {"model.task", "\"text-generation\""},
        {"data.format", "\"auto\""},
        {"data.max_length", "512"},
        {"data.length_policy", "\"auto\""},
        {"training.per_device_train_batch_size", "8"}}},
      {"question-answering",
       {{"model.task", "\"question-answering\""},
        {"data.columns.question", "\"question\""},
        {"data.columns.context", "\"context\""},
        {"data.columns.answers", "\"answers\""},
        {"data.max_length", "384"},
        {"data.doc_stride", "128"}}},
  };
  return list;
}

/// What every configuration to begin with says.
constexpr std::array kCommon = {Setting{"config_version", "1"},
                                Setting{"about", "\"What this run is for\""},
                                Setting{"model.path", "\"models/all-MiniLM-L6-v2\""},
                                Setting{"data.train", "\"data/train.jsonl\""},
                                Setting{"data.test", "\"data/test.jsonl\""},
                                Setting{"data.val_size", "0.1"},
                                Setting{"data.max_length", "128"},
                                Setting{"tuning.method", "\"full\""},
                                Setting{"training.num_train_epochs", "5"},
                                Setting{"training.per_device_train_batch_size", "32"},
                                Setting{"training.learning_rate", "5e-5"},
                                Setting{"training.warmup_steps", "0.1"},
                                Setting{"early_stopping.patience", "2"},
                                Setting{"early_stopping.metric", "\"eval_loss\""},
                                Setting{"seeds", "[42]"},
                                Setting{"output_dir", "\"runs/first\""}};

/// The task's own settings win over the common ones.
std::string setting_of(const Starter& starter, const std::string& path) {
  const auto names_path = [&](const Setting& setting) { return setting.path == path; };
  const auto own = std::find_if(starter.settings.begin(), starter.settings.end(), names_path);
  if (own != starter.settings.end()) return own->json;
  const auto common = std::find_if(kCommon.begin(), kCommon.end(), names_path);
  return common == kCommon.end() ? "" : common->json;
}

/// The help as comment lines of at most 100 characters.
std::string comment(const Option& option, const std::string& indent) {
  constexpr std::size_t kWidth = 100;
  std::string text, line;
  for (const auto& word : split(option.field.help, ' ')) {
    if (!line.empty() && line.size() + 1 + word.size() > kWidth) {
      text += line + "\n";
      line.clear();
    }
    line += line.empty() ? concat(indent, "// ", word) : " " + word;
  }
  return text + line + "\n";
}

/// The lines of one block; "" when the starter says nothing about it.
std::string lines_of_block(const std::vector<Option>& table, const Starter& starter, const std::string& block,
                           int depth) {
  const std::string indent(static_cast<std::size_t>(2 * depth), ' ');
  std::vector<std::string> entries;
  for (const Option& option : table) {
    if (option.block != block) continue;
    std::string value = setting_of(starter, option.path);
    if (option.is_block) {
      const std::string inner = lines_of_block(table, starter, option.path, depth + 1);
      if (!inner.empty()) value = "{\n" + inner + indent + "}";
    }
    if (!value.empty()) entries.push_back(concat(comment(option, indent), indent, '"', option.key(), "\": ", value));
  }
  return entries.empty() ? "" : join(entries, ",\n") + "\n";
}

/// The starter that is named so, or as `model.task` may be spelled, or null.
const Starter* find_starter(const std::string& name) {
  job::RunOptions options;
  const bool is_task = find_option(option_table(options), "model.task")->read(name);
  for (const Starter& starter : starters()) {
    if (starter.name == name || (is_task && starter.name == options.model.task)) return &starter;
  }
  return nullptr;
}

/// What find_starter() takes.
std::vector<std::string> starter_spellings() {
  std::vector<std::string> names = starter_tasks();
  job::RunOptions options;
  const std::vector<Option> table = option_table(options);
  for (const Literal& literal : find_option(table, "model.task")->field.literals) {
    names.push_back(Json::parse(literal.json).get<std::string>());
  }
  return names;
}

}  // namespace

std::vector<std::string> starter_tasks() {
  std::vector<std::string> tasks;
  for (const Starter& starter : starters()) tasks.emplace_back(starter.name);
  return tasks;
}

std::string starter(const std::string& task) {
  const Starter* found = find_starter(task);
  if (found == nullptr) {
    const std::string nearest = nearest_name(task, starter_spellings());
    throw Error(ErrorKind::usage, {.file = "",
                                   .what = concat("unknown task '", task, "'"),
                                   .where = "",
                                   .hint = nearest.empty() ? "the tasks are " + join(starter_tasks(), ", ")
                                                           : "did you mean '" + nearest + "'?"});
  }
  job::RunOptions options;
  return "{\n" + lines_of_block(option_table(options), *found, "", 1) + "}\n";
}

}  // namespace attune::config
