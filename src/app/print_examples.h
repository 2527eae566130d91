// What --show-examples prints.
#pragma once

#include <string>
#include <vector>

#include "attune/app/verbs.h"
#include "attune/files/json.h"

namespace attune::app {

/// A line an example with --json, else what `text` makes of them.
void print_examples(const std::vector<files::Json>& examples, std::string (*text)(const std::vector<files::Json>&),
                    const OutputOptions& output);

}  // namespace attune::app
