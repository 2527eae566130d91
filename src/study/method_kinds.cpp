// See method_kinds.h.
#include "method_kinds.h"

#include <algorithm>

#include "attune/base/error.h"

namespace attune::study {

namespace {

bool never(const job::RunOptions&) {
  return false;
}

/// Class means are computed, nothing of them is drawn.
bool training_has_chance(const job::RunOptions& options) {
  return options.tuning.method != "prototype";
}

constexpr MethodKind kMethodKinds[] = {
    {.name = "majority", .has_model = false, .is_asked = false, .has_chance = never, .fit = fit_majority},
    {.name = "words", .has_model = false, .is_asked = false, .has_chance = never, .fit = fit_words},
    {.name = "prompt", .has_model = true, .is_asked = true, .has_chance = prompt_has_chance, .fit = fit_prompt},
    {.name = "train", .has_model = true, .is_asked = false, .has_chance = training_has_chance, .fit = fit_trained},
};

}  // namespace

const MethodKind& method_kind(const std::string& name) {
  const auto found = std::ranges::find_if(kMethodKinds, [&](const MethodKind& kind) { return name == kind.name; });
  if (found == std::end(kMethodKinds)) internal_error("method_kind: there is no kind " + name);
  return *found;
}

std::vector<std::string> method_kinds() {
  std::vector<std::string> names;
  for (const MethodKind& kind : kMethodKinds) names.emplace_back(kind.name);
  return names;
}

}  // namespace attune::study
