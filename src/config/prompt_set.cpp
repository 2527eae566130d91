// See attune/config/prompt_set.h.
#include "attune/config/prompt_set.h"

#include <utility>

#include "attune/base/log.h"
#include "attune/prompt/flaws.h"
#include "option.h"
#include "reader.h"

namespace attune::config {

namespace {

constexpr files::JsonLimits kPromptSetLimits = {
    .kind = ErrorKind::usage, .max_bytes = 1u << 20, .allow_comments = true};

/// A flaw is told unless its value, or the list that it lies in, could not be read.
bool is_doubtful(const Reader& reader, const std::string& key) {
  return reader.is_faulty(key) || reader.is_faulty(key.substr(0, key.find('[')));
}

prompt::PromptSet read_set(const Json& document, const std::string& file) {
  if (!document.is_object()) {
    throw Error(ErrorKind::usage, {.file = file,
                                   .what = "the prompt set is not a JSON object",
                                   .where = "",
                                   .hint = "write { \"instruction\": … }"});
  }
  prompt::PromptSet set;
  set.file = file;
  const std::vector<Option> table = option_table(set);
  Reader reader(table, file);
  reader.add_file(document);
  reader.fill();
  for (prompt::Flaw& flaw : prompt::flaws(set)) {
    if (is_doubtful(reader, flaw.key)) continue;
    reader.problems().push_back({file, std::move(flaw.key), std::move(flaw.what), std::move(flaw.hint)});
  }
  if (!reader.problems().empty()) throw ConfigError(std::move(reader.problems()));
  for (const std::string& note : reader.notes()) log::info(note);
  return set;
}

}  // namespace

prompt::PromptSet parse_prompt_set(const std::string& text, const std::string& file) {
  return read_set(files::parse_json(text, file, kPromptSetLimits), file);
}

prompt::PromptSet load_prompt_set(const std::string& path) {
  return read_set(files::read_json(path, kPromptSetLimits), path);
}

}  // namespace attune::config
