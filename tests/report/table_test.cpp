// Text tables and the width of characters.
#include "attune/report/table.h"

#include "catch.h"

using namespace attune::report;

TEST_CASE("a table aligns text left and numbers right", "[report]") {
  CHECK(text_table({"metric", "test"}, {{"accuracy", "0.9"}, {"loss", "12.25"}, {"mcc"}}) ==
        "metric     test\n"
        "────────  ─────\n"
        "accuracy    0.9\n"
        "loss      12.25\n"
        "mcc\n");
}

TEST_CASE("widths count columns, not bytes", "[report]") {
  CHECK(display_width("é") == 1);
  CHECK(display_width("e\u0301") == 1);
  CHECK(display_width("日本") == 4);
  CHECK(display_width("\xff\xfe") == 2);
  CHECK(fit_width("abcdef", 4) == "abc…");
  CHECK(fit_width("日本語", 4) == "日…");
  CHECK(fit_width("abc", 3) == "abc");
  CHECK(fit_width("abc", 0).empty());
}
