// See groups.h.
#include "attune/optim/groups.h"

#include "attune/base/strings.h"

namespace attune::optim {

bool decays(std::string_view name, bool of_norm_layer) {
  if (of_norm_layer) return false;
  const std::string lower = to_lower_ascii(name);
  for (const char* part : {"bias", "layernorm", "rmsnorm"}) {
    if (lower.find(part) != std::string::npos) return false;
  }
  for (const std::string& component : split(lower, '.')) {
    if (component == "norm" || component.ends_with("_norm")) return false;
  }
  return true;
}

}  // namespace attune::optim
