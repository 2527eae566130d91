// Assertions on texts: each kind passes and fails, and says why.
#include "attune/prompt/assertions.h"

#include "catch.h"
#include "raises.h"

using namespace attune;
using namespace attune::prompt;

namespace {

Assertion named(const std::string& name) {
  Assertion assertion;
  assertion.name = name;
  return assertion;
}

/// What one assertion says of a text; "" when it holds.
std::string complaint(const Assertion& assertion, const std::string& text) {
  const auto failed = Assertions({assertion}, "set.json").check(text, [](std::string_view shown) {
    return std::int64_t(shown.size()) / 2;
  });
  if (failed.empty()) return "";
  CHECK(failed.size() == 1);
  CHECK(failed[0].name == assertion.name);
  return failed[0].why;
}

}  // namespace

TEST_CASE("texts must or must not occur", "[prompt]") {
  Assertion assertion = named("refund");
  assertion.contains = {"Refund", "days"};
  assertion.not_contains = {"guarantee"};
  CHECK(complaint(assertion, "Your refund takes 3 DAYS.") == "");
  CHECK(complaint(assertion, "Your refund is guaranteed.") == "'days' does not occur; 'guarantee' occurs");
  assertion.ignore_case = false;
  CHECK(complaint(assertion, "Your refund takes 3 days. No Guarantee.") == "'Refund' does not occur");
}

TEST_CASE("regular expressions match somewhere", "[prompt]") {
  Assertion assertion = named("dates");
  assertion.matches = {R"(\d{4}-\d\d)", "^dear"};
  assertion.not_matches = {"asap|urgent"};
  CHECK(complaint(assertion, "Dear Ann, on 2026-11") == "");
  CHECK(complaint(assertion, "Oh dear, ASAP, 2026-11") == "'^dear' matches nowhere; 'asap|urgent' matches");
  assertion.ignore_case = false;
  CHECK(complaint(assertion, "Dear Ann, on 2026-11") == "'^dear' matches nowhere");
  assertion.matches = {"("};
  CHECK_RAISES(complaint(assertion, ""), usage, "set.json: '(' cannot be searched: ");
  assertion.matches = {"(a+)+$"};
  CHECK_RAISES(complaint(assertion, std::string(40, 'a') + "b"), usage, "'(a+)+$' cannot be searched: ");
}

TEST_CASE("lengths are counted in characters, words and tokens", "[prompt]") {
  Assertion assertion = named("size");
  assertion.min_chars = 4;
  assertion.max_chars = 5;
  CHECK(complaint(assertion, "äöüß") == "");
  CHECK(complaint(assertion, "äöü") == "it has 3 characters, at least 4 are asked for");
  CHECK(complaint(assertion, "äöüßäö") == "it has 6 characters, at most 5 are asked for");
  Assertion words = named("words");
  words.min_words = words.max_words = 2;
  CHECK(complaint(words, " two\n words ") == "");
  CHECK(complaint(words, "one") == "it has 1 words, at least 2 are asked for");
  CHECK(complaint(words, "now, three words") == "it has 3 words, at most 2 are asked for");
  Assertion tokens = named("tokens");
  tokens.max_tokens = 2;
  CHECK(complaint(tokens, "12345") == "");
  CHECK(complaint(tokens, "123456") == "it has 3 tokens, at most 2 are asked for");
  tokens.max_tokens = {};
  tokens.min_tokens = 2;
  CHECK(complaint(tokens, "1234") == "");
  CHECK(complaint(tokens, "123") == "it has 1 tokens, at least 2 are asked for");
  CHECK(Assertions({words, tokens}, "").counts_tokens());
  CHECK_FALSE(Assertions({words}, "").counts_tokens());
  CHECK(Assertions({words}, "").check("a b").empty());  // nobody counts tokens
}

TEST_CASE("the tone is a matter of whole words", "[prompt]") {
  Assertion assertion = named("tone");
  assertion.wanted_words = {"sorry", "we apologise"};
  assertion.unwanted_words = {"no", "of course"};
  CHECK(complaint(assertion, "We apologise, and now it works.") == "");
  CHECK(complaint(assertion, "SORRY!") == "");
  CHECK(complaint(assertion, "unsorry") == "none of the wanted words occurs (sorry, we apologise)");
  CHECK(complaint(assertion, "Of course not. No!") ==
        "none of the wanted words occurs (sorry, we apologise); the unwanted word 'no' occurs; the unwanted word 'of "
        "course' occurs");
}

TEST_CASE("every failed assertion is told, in order", "[prompt]") {
  Assertion first = named("first"), second = named("second"), third = named("third");
  first.contains = {"a"};
  second.contains = {"b"};
  third.contains = {"c"};
  const auto failed = Assertions({first, second, third}, "").check("b");
  REQUIRE(failed.size() == 2);
  CHECK(failed[0].name == "first");
  CHECK(failed[1].name == "third");
  CHECK(Assertions({}, "").check("b").empty());
}
