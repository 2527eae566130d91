// See junit.h.
#include "attune/report/junit.h"

#include <algorithm>

#include "attune/base/print_number.h"
#include "attune/base/strings.h"
#include "html_text.h"

namespace attune::report {

std::string junit_xml(const std::string& suite, const std::vector<TestCase>& cases) {
  const auto failures = std::ranges::count_if(cases, [](const TestCase& one) { return !one.failure.empty(); });
  double seconds = 0;
  for (const TestCase& one : cases) seconds += one.seconds;
  std::string xml =
      concat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"", escape_html(suite), "\" tests=\"",
             cases.size(), "\" failures=\"", failures, "\" time=\"", print_number("%.3f", seconds), "\">\n");
  for (const TestCase& one : cases) {
    xml += concat("  <testcase name=\"", escape_html(one.name), "\" classname=\"", escape_html(suite), "\" time=\"",
                  print_number("%.3f", one.seconds), "\"");
    xml += one.failure.empty()
               ? "/>\n"
               : concat(">\n    <failure message=\"", escape_html(one.failure), "\"/>\n  </testcase>\n");
  }
  return xml + "</testsuite>\n";
}

}  // namespace attune::report
