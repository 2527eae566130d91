// The choice of examples: nothing leaks, classes are even, and other rows change nothing.
#include "attune/prompt/examples.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "catch.h"
#include "raises.h"
#include "support.h"

using namespace attune;
using namespace attune::prompt;

namespace {

/// 60 rows of three classes (30, 20, 10), each text twice: rows i and i + 30, the second with blanks around it.
const std::vector<data::Example>& pool_rows() {
  static const std::vector<data::Example> made = [] {
    std::vector<data::Example> rows;
    for (int i = 0; i < 60; ++i) {
      const std::string text = "text " + std::to_string(i % 30);
      rows.push_back(labelled(i, i < 30 ? text : "  " + text + "\n", i % 6 < 3 ? "c" : i % 6 < 5 ? "a" : "b"));
    }
    return rows;
  }();
  return made;
}

FewShotOptions shots_of(std::int64_t k, const std::string& choose, const std::string& order = "as_chosen") {
  FewShotOptions options;
  options.k = k;
  options.choose = choose;
  options.order = order;
  return options;
}

/// Similar are rows with near numbers.
std::vector<float> similarity_to(std::int64_t row) {
  std::vector<float> similarity;
  for (std::int64_t i = 0; i < 60; ++i) similarity.push_back(-static_cast<float>(std::abs(i % 30 - row % 30)));
  return similarity;
}

std::map<std::size_t, int> counts(const ExamplePool& pool, const std::vector<std::size_t>& chosen) {
  std::map<std::size_t, int> of_class;
  for (const std::size_t index : chosen) ++of_class[pool.class_of(index)];
  return of_class;
}

}  // namespace

TEST_CASE("no row sees its own text, and none of what is held out", "[prompt]") {
  const std::vector<std::int64_t> fold = {3, 4, 40};
  const std::vector<data::Example> test = {labelled(0, " text 7", "a"), labelled(1, "other", "b")};
  ExamplePool pool(pool_rows());
  pool.forbid(fold);
  pool.forbid_texts_of(test);
  CHECK(pool.allowed().size() == 60 - 2 * 4);
  for (const char* choose : {"random", "balanced", "nearest"}) {
    for (const char* order : {"random", "as_chosen", "nearest_last", "by_label"}) {
      for (std::int64_t row = 0; row < 60; ++row) {
        const data::Example& asked = pool_rows()[static_cast<std::size_t>(row)];
        const auto chosen = choose_examples(pool, asked, shots_of(100, choose, order), similarity_to(row));
        const std::set<std::size_t> distinct(chosen.begin(), chosen.end());
        INFO(choose << " " << order << " " << row);
        CHECK(distinct.size() == chosen.size());
        const bool was_forbidden = std::set<std::int64_t>{3, 4, 10, 7}.contains(row % 30);
        CHECK(chosen.size() == (was_forbidden ? 52U : 50U));
        for (const std::size_t index : chosen) {
          const auto text = static_cast<std::int64_t>(index % 30);
          CHECK((text != row % 30 && text != 3 && text != 4 && text != 10 && text != 7));
        }
      }
    }
  }
}

TEST_CASE("a text is the same in another case and with other blanks", "[prompt]") {
  const std::vector<data::Example> rows = {labelled(0, "My card\tis LOST ", "a"), labelled(1, "my card was lost", "a")};
  const data::Example asked = labelled(9, "  my CARD\n is lost", "a");
  ExamplePool pool(rows);
  CHECK(choose_examples(pool, asked, shots_of(2, "random")) == std::vector<std::size_t>{1});
  pool.forbid_texts_of({&asked, 1});
  CHECK(pool.allowed() == std::vector<std::size_t>{1});
}

TEST_CASE("balanced examples are as even as the classes allow", "[prompt]") {
  const ExamplePool pool(pool_rows());
  CHECK(pool.classes() == 3);
  const data::Example asked = labelled(100, "new", "a");
  const auto of = [&](std::int64_t k) { return counts(pool, choose_examples(pool, asked, shots_of(k, "balanced"))); };
  CHECK(of(6) == std::map<std::size_t, int>{{0, 2}, {1, 2}, {2, 2}});
  auto most = of(45);
  CHECK(most[1] == 10);  // all that there are
  CHECK(most[0] + most[2] == 35);
  CHECK(std::abs(most[0] - most[2]) == 1);
  CHECK(of(60) == std::map<std::size_t, int>{{0, 20}, {1, 10}, {2, 30}});
  std::set<std::size_t> first;
  for (std::int64_t row = 0; row < 30; ++row) {
    first.insert(pool.class_of(choose_examples(pool, labelled(row + 100, "new", "a"), shots_of(1, "balanced")).at(0)));
  }
  CHECK(first.size() == 3);  // whose turn it is first is drawn
}

TEST_CASE("what is drawn depends on seed and row alone", "[prompt]") {
  const ExamplePool pool(pool_rows());
  const auto of = [&](std::int64_t row, std::uint64_t seed, bool per_row, const char* choose) {
    FewShotOptions options = shots_of(5, choose, "random");
    options.seed = seed;
    options.per_row = per_row;
    return choose_examples(pool, labelled(row, "new", "a"), options);
  };
  for (const char* choose : {"random", "balanced"}) {
    INFO(choose);
    CHECK(of(1, 42, true, choose) == of(1, 42, true, choose));
    CHECK(of(1, 42, true, choose) != of(2, 42, true, choose));
    CHECK(of(1, 42, true, choose) != of(1, 43, true, choose));
    CHECK(of(1, 42, false, choose) == of(2, 42, false, choose));
    CHECK(of(1, 42, false, choose) != of(1, 43, false, choose));
  }
}

TEST_CASE("shared examples differ only for the row that they would show itself", "[prompt]") {
  const ExamplePool pool(pool_rows());
  FewShotOptions options = shots_of(5, "random");
  options.per_row = false;
  const auto shared = choose_examples(pool, labelled(0, "new", "a"), options);
  const auto own = choose_examples(pool, pool_rows()[shared[2]], options);
  std::vector<std::size_t> expected = shared;
  std::erase_if(expected, [&](std::size_t index) { return index % 30 == shared[2] % 30; });
  REQUIRE(own.size() == 5);
  CHECK(expected.size() < 5);
  CHECK(std::equal(expected.begin(), expected.end(), own.begin()));
}

TEST_CASE("each row of the pool is drawn as often as the others", "[prompt]") {
  const ExamplePool pool(pool_rows());
  std::vector<int> drawn(60, 0);
  for (std::int64_t row = 0; row < 3000; ++row) {
    for (const std::size_t index : choose_examples(pool, labelled(row, "new", "a"), shots_of(6, "random")))
      ++drawn[index];
  }
  const auto [least, most] = std::minmax_element(drawn.begin(), drawn.end());
  CHECK(*least > 300 - 85);  // 5 standard deviations
  CHECK(*most < 300 + 85);
}

TEST_CASE("nearest examples come by similarity, the nearest first or last", "[prompt]") {
  const ExamplePool pool(pool_rows());
  const data::Example& asked = pool_rows()[10];
  using Indices = std::vector<std::size_t>;
  CHECK(choose_examples(pool, asked, shots_of(5, "nearest"), similarity_to(10)) == Indices{9, 11, 39, 41, 8});
  CHECK(choose_examples(pool, asked, shots_of(5, "nearest", "nearest_last"), similarity_to(10)) ==
        Indices{8, 41, 39, 11, 9});
  CHECK(choose_examples(pool, asked, shots_of(5, "nearest", "by_label"), similarity_to(10)) ==
        Indices{9, 39, 11, 41, 8});
  CHECK_RAISES(choose_examples(pool, asked, shots_of(5, "nearest")), internal, "similarity");
  CHECK_RAISES(choose_examples(pool, asked, shots_of(5, "random", "nearest_last")), internal, "similarity");
}

TEST_CASE("the order has a seed of its own", "[prompt]") {
  const ExamplePool pool(pool_rows());
  const data::Example asked = labelled(100, "new", "a");
  FewShotOptions options = shots_of(6, "random", "random");
  const auto first = choose_examples(pool, asked, options);
  options.order_seed = 7;
  auto second = choose_examples(pool, asked, options);
  CHECK(first != second);
  CHECK(std::is_permutation(first.begin(), first.end(), second.begin(), second.end()));
  options.order_seed = options.seed;
  CHECK(choose_examples(pool, asked, options) == first);
}

TEST_CASE("examples are drawn where another seed gives others, or another order", "[prompt]") {
  const ExamplePool pool(pool_rows());
  const auto count_choices = [&](FewShotOptions options) {
    std::set<std::vector<std::size_t>> choices;
    for (options.seed = 0; options.seed < 8; ++options.seed)
      choices.insert(choose_examples(pool, pool_rows()[10], options, similarity_to(10)));
    return choices.size();
  };
  for (const std::int64_t k : {0, 6}) {
    for (const std::string choose : {"random", "balanced", "nearest"}) {
      for (const std::string order : {"random", "as_chosen", "nearest_last", "by_label"}) {
        INFO(k << " " << choose << " " << order);
        FewShotOptions options = shots_of(k, choose, order);
        CHECK(draws_examples(options) == (count_choices(options) > 1));
        options.order_seed = 7;
        CHECK(draws_examples(options) == (count_choices(options) > 1));
      }
    }
  }
}

TEST_CASE("rows without labels are of one class, and no examples are none", "[prompt]") {
  std::vector<data::Example> rows = {labelled(0, "a", "x"), labelled(1, "b", "x")};
  for (data::Example& row : rows) row.target = std::monostate();
  const ExamplePool pool(rows);
  CHECK(pool.classes() == 1);
  CHECK(choose_examples(pool, labelled(9, "c", "x"), shots_of(5, "balanced")).size() == 2);
  CHECK(choose_examples(pool, labelled(9, "c", "x"), shots_of(0, "balanced")).empty());
  CHECK(choose_examples(ExamplePool({}), labelled(9, "c", "x"), shots_of(3, "balanced")).empty());
  CHECK(examples_at(pool, std::vector<std::size_t>{1})[0]->text == "b");
}
