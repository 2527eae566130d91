// See units.h.
#include "attune/report/units.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "attune/base/print_number.h"
#include "attune/base/strings.h"

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

bool has_width(const files::Json& interval) {
  const bool has_ends =
      interval.is_array() && interval.size() == 2 && interval[0].is_number() && interval[1].is_number();
  if (!has_ends) return false;
  constexpr double kRelative = 1e-9, kAbsolute = 1e-12;  // what sums in another order may differ by
  const double low = interval[0].get<double>(), high = interval[1].get<double>();
  return high - low > std::max(kAbsolute, kRelative * std::max(std::abs(low), std::abs(high)));
}

std::string scaled(double value, const std::string& unit) {
  static constexpr std::array prefixes = {"", "k", "M", "G", "T", "P", "E", "Z"};
  std::size_t thousands = 0;
  for (; std::abs(value) >= 999.5 && thousands + 1 < prefixes.size(); ++thousands) value /= 1000;
  return concat(print_number("%.3g", value), " ", prefixes[thousands], unit);
}

std::string energy_text(double joules) {
  constexpr double kWattHour = 3600;
  return scaled(joules / kWattHour, "Wh");
}

std::string money_text(double money, const std::string& currency) {
  return concat(print_number(money >= 1 ? "%.2f" : "%.2g", money), " ", currency);
}

std::string pairs_text(const files::Json& pairs) {
  const auto count = [&](const char* key) { return pairs.is_object() ? pairs.value(key, std::int64_t{0}) : 0; };
  return concat(count("drawn"), " pairs an epoch (", count("alike"), " of one class from ", count("distinct_alike"), ", ",
                count("unlike"), " of two from ", count("distinct_unlike"), "), ", count("steps"), " steps");
}

std::string round_text(const files::Json& round) {
  const auto count = [](const files::Json& object, const char* key) { return object.value(key, std::int64_t{0}); };
  std::string text = concat("enough wordings agree on ", count(round, "agreed"), " of ", count(round, "unlabelled"), " unlabelled rows, ",
                            count(round, "taken"), " are taken");
  if (!round.contains("validation")) return text;
  const files::Json& rows = round["validation"];
  text += concat("; on ", count(rows, "agreed"), " of ", count(rows, "rows"), " validation rows");
  if (rows["accuracy"].is_number()) text += concat(", ", print_number("%.0f", 100 * rows["accuracy"].get<double>()), " % of these rightly");
  return text;
}

}  // namespace attune::report
