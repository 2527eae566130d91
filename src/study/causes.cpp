// See causes.h.
#include "causes.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "attune/base/strings.h"
#include "attune/job/environment.h"
#include "findings.h"

namespace attune::study {

std::string cause_of_difference(const files::Json& manifest, const files::Json& execution) {
  Findings others;
  others.compare(manifest.value("environment", files::Json()), job::environment(), "environment", 0);
  others.compare(manifest.value("execution", files::Json()), execution, "execution", 0);
  const auto told = others.to_json()["differences"].get<std::vector<std::string>>();
  if (told.empty()) return " (build, processor and number of threads are those of then)";
  return concat(" (", join(told, "; "), ": other builds, processors and numbers of threads give other bits)");
}

}  // namespace attune::study
