// Numbers as people read them.
#include "attune/base/print_number.h"

#include "catch.h"

using attune::print_difference;

TEST_CASE("a difference has a sign unless it rounds to nothing", "[base]") {
  CHECK(print_difference(0.0574) == "+0.057");
  CHECK(print_difference(-0.0126) == "-0.013");
  for (const double nothing : {0.0, -0.0, 0.0004, -0.0004}) CHECK(print_difference(nothing) == "0.000");
  CHECK(print_difference(-0.0006) == "-0.001");
}
