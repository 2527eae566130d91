// Texts that occur more than once.
#include "attune/data/overlap.h"

#include "catch.h"

namespace {

using namespace attune::data;

std::vector<Example> rows(const std::string& file, const std::vector<std::pair<std::string, std::string>>& texts) {
  std::vector<Example> examples;
  for (const auto& [text, label] : texts) {
    Example& example = examples.emplace_back();
    example.origin = {file, static_cast<std::int64_t>(examples.size())};
    example.text = text;
    example.target = ClassLabel{label};
  }
  return examples;
}

}  // namespace

TEST_CASE("texts are compared in lower case with single blanks", "[data][overlap]") {
  const auto plain = [](const std::string& text) { return comparable_text(rows("x", {{text, ""}})[0]); };
  CHECK(plain("  My   CARD\t is\nÉTÉ\xc2\xa0gone ") == "my card is été gone");
  CHECK(plain("a b") != plain("ab"));
  Example pair = rows("x", {{"a", ""}})[0];
  pair.has_pair = true;
  pair.text_pair = "B  c";
  CHECK(comparable_text(pair) == "a\nb c");
  Example words;
  words.words = {"Ab", "c"};
  Example other;
  other.words = {"A", "bc"};
  CHECK(comparable_text(words) != comparable_text(other));
  Example ids;
  ids.input_ids = {1, 23};
  Example other_ids;
  other_ids.input_ids = {12, 3};
  CHECK(comparable_text(ids) != comparable_text(other_ids));
}

TEST_CASE("repeated texts are counted and named inside and between splits", "[data][overlap]") {
  const auto train = rows("train.csv", {{"one", "a"}, {"two", "a"}, {"One ", "a"}, {"three", "b"}});
  const auto test = rows("test.csv", {{"TWO", "a"}, {"four", "a"}, {"three", "a"}, {"five", "b"}});
  const std::vector<NamedSplit> splits = {{"train", train}, {"test", test}};
  const auto overlaps = find_overlaps(splits);
  REQUIRE(overlaps.size() == 2);
  CHECK(overlaps[0].message() == "1 row of train repeats an earlier text of it: train.csv:3 = train.csv:1");
  CHECK(overlaps[1].rows == 2);
  CHECK(overlaps[1].conflicts == 1);
  REQUIRE(overlaps[1].conflicting.size() == 1);
  CHECK(overlaps[1].conflicting[0].second.line == 3);
  CHECK(overlaps[1].conflicting[0].text == "three");
  CHECK(overlaps[1].message() ==
        "2 rows of test have a text that occurs in train, 1 of them with another label: "
        "test.csv:1 = train.csv:2, test.csv:3 = train.csv:4");
  CHECK(find_overlaps(std::vector<NamedSplit>{{"test", test}}).empty());
}

TEST_CASE("only the first pairs are listed", "[data][overlap]") {
  const auto train = rows("t", {{"same", "a"}});
  const auto test = rows("e", {9, {"same", "a"}});
  const auto overlaps = find_overlaps(std::vector<NamedSplit>{{"train", train}, {"test", test}});
  REQUIRE(overlaps.size() == 2);
  CHECK(overlaps[0].rows == 9);
  CHECK(overlaps[0].pairs.size() == Overlap::kMaxPairs);
  CHECK(overlaps[0].message().ends_with(", …"));
  CHECK(overlaps[1].rows == 8);
}
