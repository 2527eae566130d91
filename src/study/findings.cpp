// See findings.h.
#include "findings.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "attune/base/strings.h"

namespace attune::study {

namespace {

using files::Json;

constexpr std::size_t kMostTold = 5;

struct Comparison {
  double tolerance;
  bool is_rounded = false;
  std::vector<std::string> differences = {};

  void tell(const std::string& path, const Json& recorded, const Json& now) {
    differences.push_back(concat(path, ": recorded ", recorded.dump(), ", now ", now.dump()));
  }

  void leaf(const Json& recorded, const Json& now, const std::string& path) {
    if (recorded == now) return;
    if (!recorded.is_number() || !now.is_number()) return tell(path, recorded, now);
    const double before = recorded.get<double>(), after = now.get<double>();
    if (std::abs(before - after) > tolerance * std::max(1.0, std::abs(before))) return tell(path, recorded, now);
    is_rounded = true;
  }

  void objects(const Json& recorded, const Json& now, const std::string& path) {
    for (const auto& [key, value] : recorded.items()) {
      any(value, now.contains(key) ? now[key] : Json(nullptr), path.empty() ? key : concat(path, ".", key));
    }
    for (const auto& [key, value] : now.items()) {
      if (!recorded.contains(key)) tell(concat(path, ".", key), nullptr, value);
    }
  }

  void any(const Json& recorded, const Json& now, const std::string& path) {
    if (recorded.is_object() && now.is_object()) return objects(recorded, now, path);
    const bool are_lists = recorded.is_array() && now.is_array() && recorded.size() == now.size();
    if (!are_lists) return leaf(recorded, now, path);
    for (std::size_t i = 0; i < recorded.size(); ++i) any(recorded[i], now[i], concat(path, "[", i, "]"));
  }
};

}  // namespace

void Findings::compare(const Json& recorded, const Json& now, const std::string& path, double tolerance) {
  Comparison comparison{.tolerance = tolerance};
  comparison.any(recorded, now, path);
  if (comparison.is_rounded) round();
  const std::size_t told = std::min(comparison.differences.size(), kMostTold);
  for (std::size_t i = 0; i < told; ++i) differ(comparison.differences[i]);
  if (comparison.differences.size() > told)
    differ(concat(path, ": ", comparison.differences.size() - told, " more values differ"));
}

void Findings::add(const Findings& other) {
  differences_.insert(differences_.end(), other.differences_.begin(), other.differences_.end());
  checked_.insert(checked_.end(), other.checked_.begin(), other.checked_.end());
  not_checked_.insert(not_checked_.end(), other.not_checked_.begin(), other.not_checked_.end());
  is_bit_equal_ = is_bit_equal_ && other.is_bit_equal_;
}

Json Findings::to_json() const {
  const char* verdict = !holds() ? "changed" : is_bit_equal_ ? "bit-equal" : "within tolerance";
  return {{"verdict", verdict}, {"differences", differences_}, {"checked", checked_}, {"not_checked", not_checked_}};
}

}  // namespace attune::study
