// Generates docs/config.md: a table a block, from the field lists.
#include <algorithm>

#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/config/prompt_set.h"
#include "option.h"

namespace attune::config {

namespace {

constexpr const char* kIntroduction = R"(# Configuration

(Generated from the field lists in the `options.h` headers: do not edit. `CONTRIBUTING.md` says how to renew it.)

A run is described by one JSON file. `attune config init --task TASK` prints one to begin with, `attune config check FILE` tells
everything that is wrong with one, `attune config show FILE` prints it with all defaults, and `attune config schema` prints
a JSON Schema for your editor. Comments (`//` and `/* */`) are allowed.

- **Precedence.** Default, then file, then `--set key=value` (`--set training.learning_rate=2e-5`; the last one wins). A
  value is read as JSON, else as text. An object given by `--set` for class weights or schedule settings replaces the
  whole object. Batches are counted one way: `tokens_per_batch` by `--set` replaces the file's `per_device_train_batch_size`
  and `batch_by`, and the other way round.
- **Null** gives an option, a list or a block the default back, whatever was said of it before: `--set tuning.freeze=null`
  takes back all of the file's block `tuning.freeze`. Where null stands under `takes` it is a value, which is the default
  too (of `save_total_limit` alone it is not: there null keeps all). A required option cannot be null.
- **Strict.** An unknown key, a wrong type, a value out of range and settings that contradict each other are errors. All
  are reported at once, with the nearest name. Nothing is repaired.
- **Paths** are relative to the folder in which the command runs.
- **Aliases** are names from Transformers, LLaMA-Factory and axolotl. An alias is accepted in its block, at top level and in
  `training`, and the keys of `training` are accepted at top level too, so that a flat list can be pasted. Giving one
  setting under two names is an error.
- **Ranges.** `in [0, 1)` means from 0 to below 1. Where a share or a number is taken, 0.1 means a tenth and 100 one
  hundred.
- The effective configuration, with every key, is written to `config.resolved.json` in the output folder and can be run
  as it is.
)";

/// Text inside a table cell: no column ends and no HTML begins in it.
std::string cell(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|' || c == '<') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string code(const std::string& text) {
  return "`" + text + "`";
}

std::string default_cell(const Option& option) {
  const Json value = option.write();
  if (value == Json::array() || value == Json::array({""}) || value == Json::object() || value == "")
    return option.lacks_value() ? "**required**" : "–";
  return value.is_null() ? "null" : code(value.dump());
}

std::string alias_cell(const Option& option) {
  std::vector<std::string> names;
  for (const Alias& alias : option.field.aliases) names.push_back(code(std::string(alias.name)));
  return join(names, ", ");
}

std::string row(const Option& option) {
  return concat("| ", code(option.key()), " | ", cell(option.expected), " | ", cell(default_cell(option)), " | ",
                cell(std::string(option.field.help)), " | ", alias_cell(option), " |\n");
}

/// Heading and table of one block; "" when it has no options of its own.
std::string section(const std::vector<Option>& table, const std::string& block, const std::string& heading) {
  std::string rows;
  for (const Option& option : table) {
    if (option.block == block && !option.is_block) rows += row(option);
  }
  if (rows.empty()) return "";
  return heading + "\n| key | takes | default | meaning | also accepted as |\n|--|--|--|--|--|\n" + rows;
}

}  // namespace

std::string documentation() {
  job::RunOptions options;
  const std::vector<Option> table = option_table(options);
  std::string text = kIntroduction;
  text += section(table, "", "\n## Top level\n");
  for (const Option& option : table) {
    const bool is_list = !option.items.empty();
    if (!option.is_block && !is_list) continue;
    const char* shape = is_list ? "[…]`" : option.field.present != nullptr ? "` (may be null)" : "`";
    const std::string heading = concat("\n## `", option.path, shape, "\n\n", option.field.help, "\n");
    text += is_list ? section(option.items, "", heading) : section(table, option.path, heading);
  }
  return text;
}

std::string prompt_set_documentation() {
  prompt::PromptSet set;
  const std::vector<Option> table = option_table(set);
  std::string text = section(table, "", "## Keys\n");
  for (const Option& option : table) {
    const std::string heading = concat("\n### `", option.path, option.items.empty() ? "`\n\n" : "[…]`\n\n", option.field.help, "\n");
    text += option.items.empty() ? section(table, option.path, option.is_block ? heading : "") : section(option.items, "", heading);
  }
  return text;
}

}  // namespace attune::config
