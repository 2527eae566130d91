// Words as scikit-learn's vectorisers find them (all goldens are in baseline/vectors_test.cpp).
#include "attune/text/words.h"

#include "catch.h"

using attune::text::lower_case_words;
using Words = std::vector<std::string>;

TEST_CASE("words are runs of two or more letters, digits and underscores in lower case", "[text]") {
  CHECK(lower_case_words("I don't WANT a_b, x or 42%!") == Words{"don", "want", "a_b", "or", "42"});
  CHECK(lower_case_words("Größe ΟΔΥΣΣΕΥΣ") == Words{"größe", "οδυσσευς"});
  CHECK(lower_case_words("") == Words{});
  CHECK(lower_case_words("a") == Words{});
  CHECK(lower_case_words("né") == Words{"né"});
}
