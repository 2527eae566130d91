// The shape of packed streams.
#include "attune/nn/layout.h"

#include "catch.h"

using attune::nn::ladder_rung;
using attune::nn::make_layout;

TEST_CASE("a layout holds the ends of its sequences", "[nn]") {
  const auto layout = make_layout({3, 1, 4}, 16);
  CHECK(layout.cu_seqlens == std::vector<std::int32_t>{0, 3, 4, 8});
  CHECK(layout.longest == 4);
  CHECK(layout.total == 16);
}

TEST_CASE("the ladder has few rungs and wastes little", "[nn]") {
  for (std::int64_t tokens : {1, 63, 64, 65, 600, 1025, 5000, 100000}) {
    CHECK(ladder_rung(tokens) >= tokens);
    CHECK(ladder_rung(tokens) - tokens < std::max<std::int64_t>(64, tokens / 8));
  }
}
