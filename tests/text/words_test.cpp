// Texts without regard to case, punctuation and blanks.
#include "attune/text/words.h"

#include "catch.h"

using namespace attune::text;
using WordList = std::vector<std::string>;

TEST_CASE("Words are compared without case, punctuation and blanks", "[text]") {
  CHECK(plain_words(" Card_arrival,\t please!\n") == "card arrival please");
  CHECK(plain_words("ÄRGER: ΣΑΣ x2") == "ärger σας x2");
  CHECK(plain_words("e\u0301te\u0301 — \u092f\u0939\u0940") == "e\u0301te\u0301 \u092f\u0939\u0940");
  CHECK(plain_words("don't") == "don t");
  CHECK(plain_words(" ?!_ ").empty());
  CHECK(to_upper("straße") == "STRASSE");
}

TEST_CASE("Words are found as whole words only", "[text]") {
  const auto npos = std::string_view::npos;
  CHECK(find_words("not spam at all", "spam") == 4);
  CHECK(find_words("spammer spam", "spam") == 8);
  CHECK(find_words("a cat cat", "cat", 3) == 6);
  CHECK(find_words("cat", "cat") == 0);
  CHECK(find_words("scat cats", "cat") == npos);
  CHECK(find_words("a b", "a b c") == npos);
  CHECK(find_words("a", "") == npos);
}

TEST_CASE("words are runs of two or more letters, digits and underscores in lower case", "[text]") {
  CHECK(lower_case_words("I don't WANT a_b, x or 42%!") == WordList{"don", "want", "a_b", "or", "42"});
  CHECK(lower_case_words("Größe ΟΔΥΣΣΕΥΣ") == WordList{"größe", "οδυσσευς"});
  CHECK(lower_case_words("") == WordList{});
  CHECK(lower_case_words("a") == WordList{});
  CHECK(lower_case_words("né") == WordList{"né"});
}
