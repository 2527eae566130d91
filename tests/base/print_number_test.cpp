// Numbers as people read them.
#include "attune/base/print_number.h"

#include "catch.h"

using attune::grouped;
using attune::print_difference;

TEST_CASE("a difference has a sign unless it rounds to nothing", "[base]") {
  CHECK(print_difference(0.0574) == "+0.057");
  CHECK(print_difference(-0.0126) == "-0.013");
  for (const double nothing : {0.0, -0.0, 0.0004, -0.0004}) CHECK(print_difference(nothing) == "0.000");
  CHECK(print_difference(-0.0006) == "-0.001");
}

TEST_CASE("counts have a comma between thousands", "[base]") {
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(1000) == "1,000");
  CHECK(grouped(22713216) == "22,713,216");
}
