// Training rows as the model will see them, for people: tokens, and which of them are learned.
#pragma once

#include <cstdint>
#include <string>

#include "attune/job/options.h"
#include "attune/report/events.h"

namespace attune::job {

/// The first `count` training rows (windows of long rows count each) after reading, templates and the length policy: a
/// heading and a line a token with its position, id, text and, for language models, whether it is learned. Writes
/// nothing. Throws what prepare() throws.
std::string show_examples(const RunOptions& options, std::int64_t count, const report::EventBus& events);

}  // namespace attune::job
