// What `attune prompt` would put to the model, for people: prompts as the model reads them, and which answers are
// scored.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/files/json.h"
#include "attune/job/options.h"
#include "attune/report/events.h"

namespace attune::study {

/// The prompts of the first `count` rows that the verb would ask, in every wording (`action` "run": under the first
/// seed) or variant ("stability"; "optimise", whose rows are in the order in which it draws them):
/// {"variant": its name, "row": id, "file", "line", "examples": the places of the training rows that stand in it,
/// "prompt": as the model reads it, "asks": "behind" (answers are scored behind the prompt), "gap" (in it) or "text"
/// (the model writes on), "answers": [{"label", "text"}] that are scored, "label": the row's own, or of texts
/// "reference", where it has one}. Asks the model nothing (only examples by similarity need its vectors) and writes
/// nothing. Errors are those of the verb.
std::vector<files::Json> prompt_examples(const job::RunOptions& options, const std::string& action, std::int64_t count,
                                         const report::EventBus& events);

/// The same for people: a heading, the prompt and what is asked behind it.
std::string prompt_examples_text(const std::vector<files::Json>& examples);

}  // namespace attune::study
