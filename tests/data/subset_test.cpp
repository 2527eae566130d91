// Parts of the training rows: nested, even, the same wherever the rows lie.
#include "attune/data/subset.h"

#include <algorithm>
#include <map>
#include <string>

#include "catch.h"
#include "raises.h"
#include "temporary_folder.h"

namespace {

using namespace attune::data;

/// Rows of classes "a", "b", … with so many rows each, in turn.
std::vector<Example> rows_of_classes(const std::vector<int>& sizes) {
  std::vector<Example> rows;
  for (int i = 0; i < *std::max_element(sizes.begin(), sizes.end()); ++i) {
    for (std::size_t c = 0; c < sizes.size(); ++c) {
      if (i >= sizes[c]) continue;
      Example& row = rows.emplace_back();
      row.row = static_cast<std::int64_t>(rows.size()) - 1;
      row.text = "row " + std::to_string(row.row);
      row.target = ClassLabel{std::string(1, static_cast<char>('a' + c))};
    }
  }
  return rows;
}

std::map<std::string, int> class_counts(const std::vector<Example>& rows, const Rows& chosen) {
  std::map<std::string, int> counts;
  for (const std::int64_t row : chosen) ++counts[std::get<ClassLabel>(rows[static_cast<std::size_t>(row)].target).name];
  return counts;
}

SubsetOptions in_all(std::int64_t rows, std::uint64_t seed = 42) {
  return {.enabled = true, .rows = rows, .seed = seed};
}

SubsetOptions per_class(std::int64_t rows, std::uint64_t seed = 42) {
  return {.enabled = true, .per_class = rows, .seed = seed};
}

bool holds(const Rows& larger, const Rows& smaller) {
  return std::includes(larger.begin(), larger.end(), smaller.begin(), smaller.end());
}

}  // namespace

TEST_CASE("of each class so many rows are taken, and smaller parts lie in larger ones", "[data][subset]") {
  const std::vector<Example> rows = rows_of_classes({40, 20, 10});
  for (const std::uint64_t seed : {1, 2, 3}) {
    Rows before;
    for (std::int64_t size = 1; size <= 10; ++size) {
      const Rows chosen = choose_subset(rows, per_class(size, seed));
      const int each = static_cast<int>(size);
      CHECK(class_counts(rows, chosen) == std::map<std::string, int>{{"a", each}, {"b", each}, {"c", each}});
      CHECK(std::is_sorted(chosen.begin(), chosen.end()));
      CHECK(holds(chosen, before));
      before = chosen;
    }
  }
  CHECK(choose_subset(rows, per_class(5, 1)) != choose_subset(rows, per_class(5, 2)));
  CHECK(choose_subset(rows, per_class(5, 1)) == choose_subset(rows, per_class(5, 1)));
}

TEST_CASE("rows in all give each class its share at every size, and smaller parts lie in larger ones",
          "[data][subset]") {
  // Largest remainders would break the second: of 6, 6 and 2 rows ten are 4, 4, 2 and eleven 5, 5, 1.
  for (const std::vector<int>& sizes : {std::vector{6, 6, 2}, {40, 20, 10}, {90, 7, 3}, {13}}) {
    const std::vector<Example> rows = rows_of_classes(sizes);
    Rows before;
    for (std::size_t size = 1; size <= rows.size(); ++size) {
      const Rows chosen = choose_subset(rows, in_all(static_cast<std::int64_t>(size)));
      INFO(size << " of " << rows.size());
      CHECK(chosen.size() == size);
      CHECK(holds(chosen, before));
      auto found = class_counts(rows, chosen);
      for (std::size_t c = 0; c < sizes.size(); ++c) {
        const double share = static_cast<double>(size) * sizes[c] / static_cast<double>(rows.size());
        CHECK(std::abs(found[std::string(1, static_cast<char>('a' + c))] - share) <= 1);
      }
      before = chosen;
    }
  }
}

TEST_CASE("rows without classes are one class", "[data][subset]") {
  std::vector<Example> rows(30);
  for (Example& row : rows) row.target = Value{1.5};
  const Rows chosen = choose_subset(rows, in_all(7));
  CHECK(chosen.size() == 7);
  CHECK(chosen != choose_subset(rows, in_all(7, 43)));
}

TEST_CASE("a class with too few rows is named, or gives what it has", "[data][subset]") {
  const std::vector<Example> rows = rows_of_classes({9, 3, 1});
  CHECK_RAISES(choose_subset(rows, per_class(4)), data,
               "the label 'c' has 1 training row, the label 'b' has 3 training rows; 4 of each label");
  CHECK_RAISES(choose_subset(rows, per_class(4)), data, "4 of each label are asked for");
  const std::vector<Example> many = rows_of_classes({9, 7, 6, 5, 4, 3, 2, 8});
  CHECK_RAISES(choose_subset(many, per_class(8)), data,
               "the label 'g' has 2 training rows, the label 'f' has 3 training rows, the label 'e' has 4 training "
               "rows, the label 'd' has 5 training rows, the label 'c' has 6 training rows, 1 more label has too few; "
               "8 of each label are asked for");
  CHECK_RAISES(choose_subset(many, per_class(9)), data, "2 more labels have too few; 9 of each label");
  CHECK_RAISES(choose_subset(rows, in_all(14)), data, "14 training rows are asked for, there are 13");
  SubsetOptions options = per_class(4);
  options.short_classes = "all";
  CHECK(class_counts(rows, choose_subset(rows, options)) == std::map<std::string, int>{{"a", 4}, {"b", 3}, {"c", 1}});
}

TEST_CASE("rows that lie in a file are chosen and kept as those in memory", "[data][subset]") {
  const std::vector<Example> rows = rows_of_classes({40, 20, 10});
  const attune::testing::TemporaryFolder folder;
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{4000}}) {
    attune::files::LongList<Example> list;
    list.spill_to(folder / "", bytes);
    for (const Example& row : rows) list.push_back(row);
    REQUIRE(list.is_in_file());
    const Rows chosen = choose_subset(rows, per_class(6));
    CHECK(choose_subset(list, per_class(6)) == chosen);
    keep_rows(list, chosen);
    REQUIRE(list.size() == chosen.size());
    std::size_t next = 0;
    list.for_each([&](const Example& row) { CHECK(row.row == chosen[next++]); });
  }
}
