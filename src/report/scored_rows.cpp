// See scored_rows.h.
#include "attune/report/scored_rows.h"

#include <nlohmann/json.hpp>

#include "attune/base/strings.h"
#include "html_text.h"

namespace attune::report {

using files::Json;

std::string scored_rows_text(const Json& results, std::string (*count)(double)) {
  const double scored = number_or(member(results, {"scored_rows"}), 0), rows = number_or(member(results, {"rows"}), 0);
  if (scored == 0 || scored == rows) return "";
  const bool by_assertions = member(results, {"metric"}) == "all_assertions";
  return concat("metrics rest on ", count(scored), " of ", count(rows), " rows",
                by_assertions ? ", assertions on all of them" : "");
}

std::string scored_test_rows_text(const Json& results, const Json& tested, std::string (*count)(double)) {
  const Json rows = {{"scored_rows", member(tested, {"metrics", "generated"})},
                     {"rows", member(tested, {"metrics", "rows"})},
                     {"metric", member(results, {"metric"})}};
  return scored_rows_text(rows, count);
}

}  // namespace attune::report
