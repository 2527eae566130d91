// Work over many items on several threads.
#include "attune/base/parallel.h"

#include <stdexcept>
#include <string>

#include "attune/base/counted.h"
#include "catch.h"

using namespace attune;

TEST_CASE("every item is worked on once, and the first error in order is thrown", "[base]") {
  for (const std::size_t threads : {1, 3, 8}) {
    for (const std::size_t count : {0, 1, 7, 100}) {
      std::vector<int> visits(count, 0);
      const auto visit = [&](std::size_t& i, std::size_t end) {
        for (; i < end; ++i) ++visits[i];
      };
      parallel_runs(count, {.threads = threads, .run = 3}, visit);
      CHECK(visits == std::vector<int>(count, 1));
    }
    const auto fail = [](std::size_t& i, std::size_t end) {
      for (; i < end; ++i) {
        if (i % 10 == 7) throw std::runtime_error("item " + std::to_string(i));
      }
    };
    CHECK_THROWS_WITH(parallel_runs(100, {.threads = threads, .run = 4}, fail), "item 7");
  }
}

TEST_CASE("counts are spelled with their things", "[base]") {
  CHECK(counted(0, "row") == "0 rows");
  CHECK(counted(1, "row") == "1 row");
  CHECK(counted(2, "row") == "2 rows");
}
