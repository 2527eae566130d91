// See comparison_parts.h.
#include "comparison_parts.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "attune/base/strings.h"
#include "comparison.h"

namespace attune::study {

namespace {

using files::Json;

/// Of training once and answering so many rows; null where a part is not known.
Json use_of(const Json& cost, const char* unit, double predictions) {
  const Json learning = cost.value("learning", Json()), per_1000 = cost.value("per_1000", Json());
  const bool knows = per_1000.is_object() && per_1000.contains(unit) &&
                     (learning.is_null() || learning.contains(unit));
  if (!knows) return nullptr;
  const double learned = learning.is_null() ? 0.0 : learning[unit].get<double>();
  return learned + per_1000[unit].get<double>() * predictions / 1000;
}

void add_use(Json& cost, double predictions) {
  for (const char* unit : {"seconds", "joules", "money"}) {
    if (Json use = use_of(cost, unit, predictions); !use.is_null()) cost["use"][unit] = std::move(use);
  }
}

/// Money, where it is known of all methods; else seconds.
bool is_in_money(const Json& methods) {
  return std::ranges::all_of(methods, [](const Json& method) {
    return method["cost"].contains("use") && method["cost"]["use"].contains("money");
  });
}

}  // namespace

void add_comparison(Json& results, const MethodRows& rows, const std::string& folder) {
  const auto predictions = results["predictions"].get<std::int64_t>();
  for (Json& method : results["methods"]) add_use(method["cost"], static_cast<double>(predictions));
  const bool in_money = is_in_money(results["methods"]);
  const Json& first = results["methods"].front()["cost"]["answering"];
  results["cost_unit"] = in_money ? first["currency"] : Json("s");
  std::vector<ComparedMethod> methods;
  for (const Json& method : results["methods"]) {
    ComparedMethod& one = methods.emplace_back();
    one.name = method["name"].get<std::string>();
    one.kind = method["kind"].get<std::string>();
    one.cost = method["cost"]["use"][in_money ? "money" : "seconds"].get<double>();
    for (const Json& file : method["predictions"]) {
      one.answers.push_back(read_answers(concat(folder, "/", file.get<std::string>()), rows.labels, rows.test));
    }
  }
  const Json found = comparison_of(rows, methods,
                                   {.predictions = predictions, .cost_unit = results["cost_unit"].get<std::string>()});
  for (std::size_t i = 0; i < methods.size(); ++i) results["methods"][i].update(found["methods"][i]);
  results["pairs"] = found["pairs"];
  results["recommendation"] = found["recommendation"];
}

}  // namespace attune::study
