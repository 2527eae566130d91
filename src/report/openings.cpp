// See openings.h.
#include "attune/report/openings.h"

#include <nlohmann/json.hpp>

#include "attune/base/counted.h"
#include "attune/base/strings.h"
#include "html_text.h"

namespace attune::report {

using files::Json;

std::string opening_text(const Json& opening) {
  const Json& before = member(opening, {"before"});
  if (!before.is_number()) return "how often these test rows had been opened before is not known";
  const auto times = before.get<std::int64_t>();
  return times == 0 ? std::string("these test rows had not been opened before")
                    : concat("these test rows had been opened ", counted(times, "time"), " before");
}

std::string opening_html(const Json& results) {
  const Json& opening = member(results, {"opening"});
  if (!opening.is_object()) return "";
  const Json& before = member(opening, {"before"});
  const std::string file = escape_html(value_text(member(opening, {"file"})));
  const std::string lost =
      member(opening, {"noted"}) == Json(false) ? " That they were opened now could not be noted there." : "";
  if (!before.is_number())
    return concat("<p>How often these test rows had been opened before is not known: ", file, " could not be read.",
                  lost, "</p>\n");
  const auto times = before.get<std::int64_t>();
  if (times == 0)
    return concat("<p class=\"soft\">These test rows had not been opened before, as far as ", file, " knows.", lost,
                  "</p>\n");
  return concat(
      "<p class=\"notice\">These test rows had been opened <b>", counted(times, "time"),
      "</b> before. Who chooses by the same test rows again and again fits them; the intervals do not know of that.",
      lost, "</p>\n");
}

}  // namespace attune::report
