// JUnit XML as CI servers read it.
#include "attune/report/junit.h"

#include "catch.h"

TEST_CASE("gates become test cases, failures with what was found", "[report]") {
  const std::string xml =
      attune::report::junit_xml("stability <a>", {{"flip rate", 1.5, ""}, {"accuracy", 0, "0.5 < 0.9 & falling"}});
  CHECK(xml ==
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuite name=\"stability &lt;a&gt;\" tests=\"2\" failures=\"1\" time=\"1.500\">\n"
        "  <testcase name=\"flip rate\" classname=\"stability &lt;a&gt;\" time=\"1.500\"/>\n"
        "  <testcase name=\"accuracy\" classname=\"stability &lt;a&gt;\" time=\"0.000\">\n"
        "    <failure message=\"0.5 &lt; 0.9 &amp; falling\"/>\n"
        "  </testcase>\n"
        "</testsuite>\n");
}
