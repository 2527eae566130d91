// See units.h.
#include "attune/report/units.h"

#include <nlohmann/json.hpp>

namespace attune::report {

std::string metric_unit(const std::string& name, const files::Json& metrics) {
  if (name.starts_with("rouge")) return "0–1";
  if (name == "bleu" || name.starts_with("chrf")) return "0–100";
  const bool is_percent = name == "exact_match" || (name == "f1" && metrics.is_object() && metrics.contains("exact_match"));
  return is_percent ? "%" : "";
}

std::string with_unit(const std::string& label, const std::string& name, const files::Json& metrics) {
  const std::string unit = metric_unit(name, metrics);
  return unit.empty() ? label : label + ", " + unit;
}

}  // namespace attune::report
