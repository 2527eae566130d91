// Reads tests/goldens/{metrics,overlap}/<name>.json, which scripts/make_goldens.py writes from the reference libraries.
#pragma once

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "attune/metrics/values.h"
#include "catch.h"

namespace attune::testing {

inline nlohmann::json read_goldens(const std::string& path) {
  std::ifstream file(std::string(ATTUNE_SOURCE_DIR) + "/tests/goldens/" + path);
  REQUIRE(file.good());
  return nlohmann::json::parse(file);
}

inline nlohmann::json metric_goldens(const std::string& name) {
  return read_goldens("metrics/" + name + ".json");
}

inline nlohmann::json overlap_goldens(const std::string& name) {
  return read_goldens("overlap/" + name + ".json");
}

/// Within 1e-9 of the golden (relative above 1); null stands for NaN.
inline void check_number(const std::string& name, double value, const nlohmann::json& golden) {
  INFO(name << ": " << value << ", golden " << golden.dump());
  if (golden.is_null()) {
    CHECK(std::isnan(value));
    return;
  }
  const double expected = golden.get<double>();
  CHECK(std::abs(value - expected) <= 1e-9 * std::max(1.0, std::abs(expected)));
}

/// A list of numbers.
template <typename Numbers>
void check_numbers(const std::string& name, const Numbers& values, const nlohmann::json& golden) {
  REQUIRE(std::size(values) == golden.size());
  for (std::size_t i = 0; i < golden.size(); ++i) {
    check_number(name + "[" + std::to_string(i) + "]", values[i], golden[i]);
  }
}

/// Exactly the golden's names, each with its value.
inline void check_values(const metrics::Values& values, const nlohmann::json& golden) {
  for (const auto& [name, expected] : golden.items()) check_number(name, metrics::value_of(values, name), expected);
  for (const auto& [name, value] : values) {
    INFO(name);
    CHECK(golden.contains(name));
  }
}

}  // namespace attune::testing
