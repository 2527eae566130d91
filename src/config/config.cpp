// See attune/config/config.h: parsing, loading and the error that holds all problems.
#include "attune/config/config.h"

#include <algorithm>
#include <utility>

#include "attune/base/log.h"
#include "attune/base/strings.h"
#include "option.h"
#include "reader.h"
#include "rules.h"

namespace attune::config {

namespace {

std::string sentence(const Problem& problem) {
  std::string text = problem.what;
  if (!problem.key.empty()) text += " (" + problem.key + ")";
  if (!problem.hint.empty()) text += "; " + problem.hint;
  return text;
}

ErrorText error_text(const std::vector<Problem>& problems) {
  if (problems.empty()) internal_error("a ConfigError without problems");
  const Problem& first = problems.front();
  if (problems.size() == 1) return {.file = first.file, .what = first.what, .where = first.key, .hint = first.hint};
  std::string what = concat(problems.size(), " problems");
  for (std::size_t i = 0; i < problems.size(); ++i)
    what += concat(i == 0 ? ": " : " ", "[", i + 1, "] ", sentence(problems[i]));
  return {.file = first.file, .what = what, .where = "", .hint = ""};
}

void add_broken_rules(const job::RunOptions& options, const Machine& machine, const std::string& file, Reader& reader) {
  for (const Violation& violation : broken_rules(options, machine)) {
    const auto& keys = violation.keys;
    const bool doubtful = std::any_of(keys.begin(), keys.end(), [&](const auto& key) { return reader.is_faulty(key); });
    if (!doubtful) reader.problems().push_back({file, keys.front(), violation.what, violation.hint});
  }
}

/// Tells of a block `generation` that has no effect, where this very command gives it: on the command line, or in a file
/// that does not speak of predict_with_generate at all.
void note_unused_generation(const job::RunOptions& options, Reader& reader) {
  constexpr const char* kSwitch = "training.predict_with_generate";
  const bool asks_for_texts = options.prompting.answer != "likelihood";  // of attune prompt
  if (options.training.predict_with_generate || asks_for_texts) return;
  const bool is_unsaid = !reader.given().contains(kSwitch);
  const auto is_meant = [&](const std::string& path) {
    return path.starts_with("generation.") && (is_unsaid || reader.is_override(path));
  };
  const auto first = std::ranges::find_if(reader.given(), is_meant);
  if (first == reader.given().end()) return;
  reader.notes().push_back(concat(*first, " has no effect while ", kSwitch, " is false"));
}

/// What is asked of a configuration besides being right in itself.
struct Demands {
  bool complete;  ///< required options must be given
  Machine machine;
};

constexpr files::JsonLimits kLimits = {.kind = ErrorKind::usage, .max_bytes = 1u << 20, .allow_comments = true};

Loaded read(const Json& document, const std::string& file, const Overrides& overrides, const Demands& demands) {
  if (!document.is_object()) {
    throw Error(ErrorKind::usage, {.file = file,
                                   .what = "the configuration is not a JSON object",
                                   .where = "",
                                   .hint = "write { \"model\": … }"});
  }
  Loaded loaded;
  std::vector<Option> table = option_table(loaded.options);
  for (Option& option : table) {
    if (!demands.complete && option.lacks_value()) option.field.required = false;
  }
  Reader reader(table, file);
  reader.add_file(document);
  for (const auto& text : overrides) reader.add_override(text);
  reader.outrank("training.tokens_per_batch", {"training.per_device_train_batch_size", "training.batch_by"});
  reader.outrank("training.per_device_train_batch_size", {"training.tokens_per_batch", "training.batch_by"});
  reader.fill();
  derive_defaults(loaded.options, reader.given());
  add_broken_rules(loaded.options, demands.machine, file, reader);
  if (!reader.problems().empty()) throw ConfigError(std::move(reader.problems()));
  note_unused_generation(loaded.options, reader);
  loaded.options.training.seed = loaded.options.seeds.front();
  loaded.notes = std::move(reader.notes());
  return loaded;
}

job::RunOptions with_notes_logged(Loaded loaded) {
  for (const auto& note : loaded.notes) log::info(note);
  return std::move(loaded.options);
}

}  // namespace

ConfigError::ConfigError(std::vector<Problem> problems)
    : Error(ErrorKind::usage, error_text(problems)), problems_(std::move(problems)) {}

std::string ConfigError::lines() const {
  if (problems_.size() == 1) return what();
  const std::string& file = problems_.front().file;
  std::string text = concat(escape_control(file), ": ", problems_.size(), " problems");
  for (const Problem& problem : problems_) {
    const std::string source = problem.file == file ? "" : problem.file + ": ";
    text += "\n  - " + escape_control(source + sentence(problem));
  }
  return text;
}

Loaded parse(const std::string& text, const std::string& file, const Overrides& overrides, const Machine& machine) {
  return read(files::parse_json(text, file, kLimits), file, overrides, {.complete = true, .machine = machine});
}

job::RunOptions load(const std::string& path, const Overrides& overrides, const Machine& machine) {
  return with_notes_logged(
      read(files::read_json(path, kLimits), path, overrides, {.complete = true, .machine = machine}));
}

job::RunOptions defaults(const Overrides& overrides, const Machine& machine) {
  return with_notes_logged(read(Json::object(), "--set", overrides, {.complete = false, .machine = machine}));
}

}  // namespace attune::config
