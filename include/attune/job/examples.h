// Training rows as the model will see them, for people: tokens, and which of them are learned.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/job/options.h"
#include "attune/report/events.h"

namespace attune::job {

/// The first `count` training rows (windows of long rows count each) after reading, templates and the length policy:
/// {"file", "line", "window", "cut": tokens that the policy left out, "ids", "tokens", and for language models "learned": 0 or 1 a
/// token}. Writes nothing. Throws what prepare() throws.
std::vector<files::Json> examples(const RunOptions& options, std::int64_t count, const report::EventBus& events);

/// The same for people: a heading a row, and a line a token.
std::string examples_text(const std::vector<files::Json>& examples);

}  // namespace attune::job
