// A member that is empty unless it was given.
#include "attune/base/boxed.h"

#include <string>
#include <vector>

#include "catch.h"

using attune::Boxed;

static_assert(sizeof(Boxed<std::string>) == sizeof(void*));

TEST_CASE("a boxed value reads as the value, or as an empty one", "[base]") {
  Boxed<std::string> text;
  CHECK(text.empty());
  CHECK(text == "");
  CHECK(text->size() == 0);
  text = "abc";
  CHECK(text == "abc");
  CHECK(text.size() == 3);
  CHECK(text[1] == 'b');
  const std::string& read = text;
  CHECK(read == "abc");
  text = std::string();
  CHECK(text.empty());
  text = "d";
  text.reset();
  CHECK(*text == "");
}

TEST_CASE("copies of a boxed value are independent, moved ones take it along", "[base]") {
  Boxed<std::vector<int>> list = std::vector<int>{1, 2};
  Boxed<std::vector<int>> copy = list;
  copy.edit().push_back(3);
  CHECK(list == std::vector<int>{1, 2});
  CHECK(copy == std::vector<int>{1, 2, 3});
  list = copy;
  CHECK(list == copy);
  const Boxed<std::vector<int>> moved = std::move(list);
  int sum = 0;
  for (const int value : moved) sum += value;
  CHECK(sum == 6);
}
