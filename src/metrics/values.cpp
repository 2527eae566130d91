// Named metric values and their JSON form.
#include "attune/metrics/values.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace attune::metrics {

double value_of(const Values& values, std::string_view name) {
  for (const auto& [key, value] : values) {
    if (key == name) return value;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

nlohmann::ordered_json json_number(double value) {
  if (!std::isfinite(value)) return nullptr;
  return value;
}

nlohmann::ordered_json to_json(const Values& values) {
  auto json = nlohmann::ordered_json::object();
  for (const auto& [name, value] : values) json[name] = json_number(value);
  return json;
}

}  // namespace attune::metrics
