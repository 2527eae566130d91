// The arguments of a call, as they stand there.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "template_value.h"

namespace attune::text::jinja {

struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;

  const Value* find(std::string_view name) const {
    for (const auto& [known, value] : named) {
      if (known == name) return &value;
    }
    return nullptr;
  }
};

}  // namespace attune::text::jinja
