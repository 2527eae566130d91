// Results of gates as JUnit XML, which CI servers show as tests.
#pragma once

#include <string>
#include <vector>

namespace attune::report {

struct TestCase {
  std::string name;
  double seconds = 0;
  std::string failure;  ///< what was found and expected; "" = passed
};

/// One test suite with these cases.
std::string junit_xml(const std::string& suite, const std::vector<TestCase>& cases);

}  // namespace attune::report
