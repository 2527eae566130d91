// See study_html.h.
#include "study_html.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "attune/base/strings.h"
#include "attune/report/units.h"
#include "html_text.h"

namespace attune::report {

using files::Json;

std::string figure(const Json& value) {
  return value.is_number() ? metric_text(value.get<double>()) : "–";
}

std::string with_interval(const Json& value, const Json& interval) {
  if (!has_width(interval)) return figure(value);
  return concat(figure(value), "<small class=\"soft\">[", figure(interval[0]), ", ", figure(interval[1]), "]</small>");
}

std::string lead(const std::string& html) {
  return "<p class=\"lead\">" + html + "</p>\n";
}

std::string page_title(const Json& results) {
  const std::filesystem::path folder = results["output_dir"].get<std::string>();
  return folder.filename().empty() ? folder.parent_path().filename().string() : folder.filename().string();
}

}  // namespace attune::report
