// What the tests of the configuration share.
#pragma once

#include <string>
#include <vector>

#include "attune/config/config.h"
#include "attune/files/json.h"

namespace attune::config {

/// The smallest configuration that is valid.
inline constexpr const char* kSmallest =
    R"({"model": {"path": "base"}, "data": {"train": "a.jsonl"}, "output_dir": "runs/x"})";

/// The smallest configuration and overrides.
inline job::RunOptions options_with(const Overrides& overrides) {
  return parse(kSmallest, "run.json", overrides).options;
}

/// What is wrong with a text, or nothing.
inline std::vector<Problem> problems_of(const std::string& text, const Overrides& overrides = {}) {
  try {
    parse(text, "run.json", overrides);
  } catch (const ConfigError& error) {
    return error.problems();
  }
  return {};
}

/// Whether exactly one problem is found with the smallest configuration and overrides, and its key is `key`.
inline bool refuses(const Overrides& overrides, const std::string& key) {
  const auto problems = problems_of(kSmallest, overrides);
  return problems.size() == 1 && problems.front().key == key;
}

}  // namespace attune::config
