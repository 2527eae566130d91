// Named metric values in a fixed order, and their JSON form. An undefined metric is NaN here and null in JSON.
#pragma once

#include <limits>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace attune::metrics {

/// A metric that the rows do not define.
inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

using Values = std::vector<std::pair<std::string, double>>;

/// The value of `name`; NaN when it is not there.
double value_of(const Values& values, std::string_view name);

/// {"accuracy": 0.9, …}; NaN and infinities become null.
nlohmann::ordered_json to_json(const Values& values);

/// `value`, or null when it is not finite.
nlohmann::ordered_json json_number(double value);

}  // namespace attune::metrics
