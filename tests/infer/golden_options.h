// The options of a golden, given as a user would give them.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "attune/files/json.h"
#include "attune/infer/generation_config.h"

namespace attune::testing {

inline infer::GenerationOptions golden_options(const files::Json& given) {
  std::map<std::string, std::vector<std::string>> texts;
  for (const auto& [key, value] : given.items()) {
    if (!value.is_null()) texts[key] = {value.is_string() ? value.get<std::string>() : value.dump()};
  }
  infer::GenerationOptions options;
  infer::set_options(texts, options);
  return options;
}

}  // namespace attune::testing
