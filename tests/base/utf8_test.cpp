// UTF-8: what is ill-formed, where, and what replaces it.
#include "attune/base/utf8.h"

#include "catch.h"

using namespace attune;

TEST_CASE("Ill-formed UTF-8 is found at its first byte", "[base]") {
  CHECK_FALSE(find_invalid_utf8("plain, na\u00efve, \u4f60\u597d, \U0001f917, \U0010ffff"));
  const std::string ascii = "sixteen letters!";
  for (std::size_t before = 0; before <= ascii.size(); ++before) {
    for (const char* bad : {"\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
                            "\xf5", "\xe4\xbd", "\xc3"}) {
      CHECK(find_invalid_utf8(ascii.substr(0, before) + bad) == before);
      CHECK(find_invalid_utf8(ascii.substr(0, before) + bad + "x") == before);
    }
  }
}

TEST_CASE("ASCII at the front is counted", "[base]") {
  const std::string ascii = "twenty-four ascii bytes!";
  CHECK(ascii_prefix("") == 0);
  CHECK(ascii_prefix(ascii) == 24);
  for (std::size_t at = 0; at < ascii.size(); ++at) CHECK(ascii_prefix(ascii.substr(0, at) + "\u00e9" + ascii) == at);
}

TEST_CASE("Ill-formed bytes become U+FFFD, one for each longest beginning of a sequence", "[base]") {
  CHECK(replace_invalid_utf8("a\u00e9\U0001f917") == "a\u00e9\U0001f917");
  CHECK(replace_invalid_utf8("a\xff\xfe"
                             "b") == "a\ufffd\ufffdb");
  CHECK(replace_invalid_utf8("\xe4\xbd") == "\ufffd");  // a sequence that ends too early
  CHECK(replace_invalid_utf8("\xf0\x9f\xa4"
                             "x\xf0\x9f") == "\ufffdx\ufffd");
  CHECK(replace_invalid_utf8("\xed\xa0\x80") == "\ufffd\ufffd\ufffd");  // a surrogate: no beginning of anything
  CHECK(replace_invalid_utf8("\xe4\xe4\xbd\xa0\x80") == "\ufffd\u4f60\ufffd");
}
