// Splits and folds: properties over many random data sets, and the errors.
#include "attune/data/split.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "attune/data/time_value.h"
#include "catch.h"
#include "raises.h"

namespace {

using namespace attune::data;
using attune::RandomKey;

struct Shape {
  std::int64_t rows = 0;
  std::int64_t classes = 1;
  std::int64_t groups = 0;  ///< 0 = no group column
  bool times = false;
};

/// Rows with random classes (of uneven size), groups and times.
std::vector<Example> random_rows(const Shape& shape, std::uint64_t seed) {
  const RandomKey key(seed, "rows");
  std::vector<Example> rows(static_cast<std::size_t>(shape.rows));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const RandomKey row = key.with(i);
    const double skewed = std::pow(row.uniform(0), 2.0);
    rows[i].target = ClassLabel{std::to_string(static_cast<int>(skewed * static_cast<double>(shape.classes)))};
    if (shape.groups > 0) {
      rows[i].group = "g" + std::to_string(row.bits(1) % static_cast<std::uint64_t>(shape.groups));
    }
    if (shape.times) rows[i].time = std::to_string(static_cast<int>(row.uniform(2) * 50));
  }
  return rows;
}

const std::vector<Shape> kShapes = {{10, 2, 0},  {57, 3, 0},   {200, 7, 0},       {997, 12, 0},
                                    {60, 3, 12}, {400, 4, 90}, {300, 5, 30, true}};

Rows range(std::int64_t n) {
  Rows rows(static_cast<std::size_t>(n));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

/// The parts are sorted and hold each of `all` exactly once.
void check_partition(const std::vector<Rows>& parts, const Rows& all) {
  Rows joined;
  for (const Rows& part : parts) {
    CHECK(std::is_sorted(part.begin(), part.end()));
    joined.insert(joined.end(), part.begin(), part.end());
  }
  std::sort(joined.begin(), joined.end());
  CHECK(joined == all);
}

std::map<std::int64_t, double> class_counts(const SplitKeys& keys, const Rows& rows) {
  std::map<std::int64_t, double> counts;
  for (const std::int64_t row : rows) ++counts[keys.strata[static_cast<std::size_t>(row)]];
  return counts;
}

/// Every class of `all` has its share in `part`, less than one row off.
void check_stratified(const SplitKeys& keys, const Rows& part, const Rows& all) {
  auto counts = class_counts(keys, part);
  for (const auto& [stratum, total] : class_counts(keys, all)) {
    const double share = total * static_cast<double>(part.size()) / static_cast<double>(all.size());
    INFO("stratum " << stratum << " of " << total << " rows");
    CHECK(std::abs(counts[stratum] - share) <= 1.0);
  }
}

void check_whole_groups(const SplitKeys& keys, const Rows& a, const Rows& b) {
  if (keys.groups.empty()) return;
  std::set<std::int64_t> groups;
  for (const std::int64_t row : a) groups.insert(keys.groups[static_cast<std::size_t>(row)]);
  for (const std::int64_t row : b) CHECK(groups.count(keys.groups[static_cast<std::size_t>(row)]) == 0);
}

Example at_time(const std::string& time) {
  Example example;
  example.time = time;
  return example;
}

}  // namespace

TEST_CASE("holdouts are partitions that keep shares and groups", "[data][split]") {
  for (const Shape& shape : kShapes) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const SplitKeys keys = split_keys(random_rows(shape, seed));
      const Rows all = range(shape.rows);
      for (const double size : {0.1, 0.25, 0.5, 7.0}) {
        const HoldoutPlan plan{size, SplitMethod::stratified};
        const Holdout parts = hold_out(keys, all, plan, RandomKey(seed, "test"));
        INFO(shape.rows << " rows, size " << size << ", seed " << seed);
        check_partition({parts.kept, parts.held_out}, all);
        check_whole_groups(keys, parts.kept, parts.held_out);
        if (shape.groups == 0) {
          const double wanted = size < 1 ? std::round(size * static_cast<double>(shape.rows)) : size;
          CHECK(static_cast<double>(parts.held_out.size()) == wanted);
          check_stratified(keys, parts.held_out, all);
        } else {
          CHECK_FALSE(parts.held_out.empty());
          CHECK_FALSE(parts.kept.empty());
        }
        CHECK(hold_out(keys, all, plan, RandomKey(seed, "test")).held_out == parts.held_out);
      }
    }
  }
}

TEST_CASE("a class keeps its last row when it can", "[data][split]") {
  std::vector<Example> rows = random_rows({90, 1, 0}, 1);
  for (int i = 0; i < 10; ++i) rows.push_back({}), rows.back().target = ClassLabel{"rare" + std::to_string(i)};
  const SplitKeys keys = split_keys(rows);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Holdout parts = hold_out(keys, range(100), {0.1, SplitMethod::stratified}, RandomKey(seed, "x"));
    CHECK(class_counts(keys, parts.kept).size() == 11);
    CHECK(parts.held_out.size() == 10);
  }
}

TEST_CASE("the seed changes a random split and nothing else does", "[data][split]") {
  const SplitKeys keys = split_keys(random_rows({200, 3, 0}, 5));
  std::set<Rows> seen;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    seen.insert(hold_out(keys, range(200), {0.2, SplitMethod::random}, RandomKey(seed, "x")).held_out);
  }
  CHECK(seen.size() == 30);
  // Every row is held out by some seed: none is favoured by its place.
  std::set<std::int64_t> rows;
  for (const Rows& part : seen) rows.insert(part.begin(), part.end());
  CHECK(rows.size() > 195);
}

TEST_CASE("by time the newest rows are held out", "[data][split]") {
  std::vector<Example> rows;
  for (const char* time :
       {"2026-03-01", "2026-01-01T10:00", "2026-02-28", "2026-02-01 23:59:59Z", "2026-03-01", "2025-12-31"}) {
    rows.push_back(at_time(time));
  }
  const SplitKeys keys = split_keys(rows);
  CHECK(hold_out(keys, range(6), {2, SplitMethod::time}, RandomKey(1, "x")).held_out == Rows{0, 4});
  CHECK(hold_out(keys, range(6), {0.5, SplitMethod::time}, RandomKey(1, "x")).held_out == Rows{0, 2, 4});
  CHECK(hold_out(keys, range(6), {1, SplitMethod::time}, RandomKey(1, "x")).held_out == Rows{4});

  DataOptions options;
  options.split = "time";
  options.val_size = 2;
  options.test_size = 1;
  const Splits splits = make_splits(keys, options, 7);
  CHECK(splits.test == Rows{4});
  CHECK(splits.validation == Rows{0, 2});
  CHECK(splits.train == Rows{1, 3, 5});

  for (Example& row : rows) row.group = "a";
  for (const std::size_t i : {0u, 5u}) rows[i].group = "b";
  CHECK(hold_out(split_keys(rows), range(6), {2, SplitMethod::time}, RandomKey(1, "x")).held_out == Rows{1, 2, 3, 4});
  for (const std::size_t i : {1u, 4u}) rows[i].group = "c";
  CHECK(hold_out(split_keys(rows), range(6), {2, SplitMethod::time}, RandomKey(1, "x")).held_out == Rows{1, 4});
}

TEST_CASE("numbers sort as numbers in a time column and do not mix with dates", "[data][split]") {
  const SplitKeys keys = split_keys(std::vector{at_time("9"), at_time("10"), at_time("-3.5")});
  CHECK(hold_out(keys, range(3), {1, SplitMethod::time}, RandomKey(1, "x")).held_out == Rows{1});
  CHECK_RAISES(split_keys(std::vector{at_time("2026-01-01"), at_time("20260102")}), data,
               "the time '20260102' is a number, rows before it have dates");
}

TEST_CASE("times are read as ISO 8601 or numbers", "[data][split]") {
  const auto seconds = [](const char* text) {
    TimeValue time;
    return parse_time(text, time) ? time.value : -1.0;
  };
  CHECK(seconds("1970-01-02") == 86400);
  CHECK(seconds("2026-11-23T14:05:09.5Z") == 1795442709.5);
  CHECK(seconds("2026-11-23 14:05:09.5") == 1795442709.5);
  CHECK(seconds("2026-11-23T16:05:09.5+02:00") == 1795442709.5);
  CHECK(seconds("2026-11-23T12:35:09.5-0130") == 1795442709.5);
  CHECK(seconds("2024-02-29") == 1709164800);
  CHECK(seconds("17.25") == 17.25);
  for (const char* bad : {"", "2026-02-29", "2026-13-01", "2026-1-1", "2026-01-01T", "2026-01-01T25:00", "2026-01-01x",
                          "01.02.2026", "2026-01-01T10:00+2", "nan", "inf", "today"}) {
    INFO(bad);
    CHECK(seconds(bad) == -1.0);
  }
}

TEST_CASE("test, validation and training rows are a partition with shares of all rows", "[data][split]") {
  const SplitKeys keys = split_keys(random_rows({1000, 4, 0}, 3));
  DataOptions options;
  options.val_size = 0.2;
  options.test_size = 0.1;
  const Splits splits = make_splits(keys, options, 42);
  check_partition({splits.train, splits.validation, splits.test}, range(1000));
  CHECK(splits.test.size() == 100);
  CHECK(splits.validation.size() == 200);
  check_stratified(keys, splits.test, range(1000));
  CHECK(make_splits(keys, options, 42).validation == splits.validation);
  CHECK(make_splits(keys, options, 43).validation != splits.validation);
  options.test_size = 0;
  CHECK(make_splits(keys, options, 42).test.empty());
}

TEST_CASE("folds hold every row out once and keep shares and groups", "[data][folds]") {
  for (const Shape& shape : kShapes) {
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      const SplitKeys keys = split_keys(random_rows(shape, seed));
      const FoldPlan plan{5, 3, true, seed};
      const FoldSet set = make_folds(keys, plan);
      REQUIRE(set.folds.size() == 15);
      for (std::size_t repeat = 0; repeat < 3; ++repeat) {
        std::vector<Rows> held_out;
        for (std::size_t k = 0; k < 5; ++k) {
          const Fold& fold = set.folds[repeat * 5 + k];
          CHECK(fold.repeat == static_cast<std::int64_t>(repeat));
          CHECK(fold.fold == static_cast<std::int64_t>(k));
          check_partition({fold.train, fold.held_out}, range(shape.rows));
          check_whole_groups(keys, fold.train, fold.held_out);
          held_out.push_back(fold.held_out);
          if (shape.groups == 0) check_stratified(keys, fold.held_out, range(shape.rows));
        }
        check_partition(held_out, range(shape.rows));
        if (shape.groups > 0) continue;
        const auto [least, most] =
            std::minmax_element(held_out.begin(), held_out.end(), [](auto& a, auto& b) { return a.size() < b.size(); });
        CHECK(most->size() - least->size() <= 1);
      }
      CHECK(set.folds[0].held_out != set.folds[5].held_out);
      CHECK(make_folds(keys, plan).folds[7].held_out == set.folds[7].held_out);
    }
  }
}

TEST_CASE("grouped folds come near the shares of size and class", "[data][folds]") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const SplitKeys keys = split_keys(random_rows({2000, 3, 400}, seed));
    for (const Fold& fold : make_folds(keys, {5, 1, true, seed}).folds) {
      CHECK(std::abs(static_cast<double>(fold.held_out.size()) - 400) <= 8);
      auto counts = class_counts(keys, fold.held_out);
      for (const auto& [stratum, total] : class_counts(keys, range(2000)))
        CHECK(std::abs(counts[stratum] - total / 5) <= 8);
    }
  }
}

TEST_CASE("inner validation rows come from the training rows of the fold", "[data][folds]") {
  for (const Shape& shape : {Shape{500, 4, 0}, Shape{500, 4, 60}}) {
    const SplitKeys keys = split_keys(random_rows(shape, 2));
    const FoldPlan plan{4, 1, true, 9};
    for (const Fold& fold : make_folds(keys, plan).folds) {
      const Holdout inner = inner_validation(keys, fold, 0.1, plan);
      check_partition({inner.kept, inner.held_out}, fold.train);
      check_whole_groups(keys, inner.kept, inner.held_out);
      if (shape.groups == 0) check_stratified(keys, inner.held_out, fold.train);
    }
  }
}

TEST_CASE("folds by time train on the past and hold the next block out, as scikit-learn's TimeSeriesSplit",
          "[data][folds]") {
  // [end of the training rows, end of the held-out rows] by place in time, from TimeSeriesSplit of scikit-learn 1.9.
  struct Expected {
    std::int64_t rows, folds;
    std::vector<std::pair<std::size_t, std::size_t>> ends;
  };
  const std::vector<Expected> cases = {{4, 3, {{1, 2}, {2, 3}, {3, 4}}},
                                       {10, 3, {{4, 6}, {6, 8}, {8, 10}}},
                                       {11, 4, {{3, 5}, {5, 7}, {7, 9}, {9, 11}}},
                                       {23, 5, {{8, 11}, {11, 14}, {14, 17}, {17, 20}, {20, 23}}}};
  for (const Expected& expected : cases) {
    const auto places = RandomKey(3, "places").permutation(expected.rows);  // row i is the places[i]-th in time
    std::vector<Example> rows = random_rows({expected.rows, 1, 0}, 1);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].time = std::to_string(places[i]);
    const FoldSet set = make_folds(split_keys(rows), {expected.folds, 1, false, 1, true});
    REQUIRE(set.folds.size() == expected.ends.size());
    for (std::size_t k = 0; k < set.folds.size(); ++k) {
      Rows train, held_out;
      for (std::int64_t i = 0; i < expected.rows; ++i) {
        const auto place = static_cast<std::size_t>(places[static_cast<std::size_t>(i)]);
        if (place < expected.ends[k].first) train.push_back(i);
        if (place >= expected.ends[k].first && place < expected.ends[k].second) held_out.push_back(i);
      }
      CHECK(set.folds[k].train == train);
      CHECK(set.folds[k].held_out == held_out);
    }
  }
}

TEST_CASE("by time the inner validation rows are the newest of the training rows, and equal times keep their order",
          "[data][folds]") {
  std::vector<Example> rows = random_rows({40, 1, 0}, 1);
  for (std::size_t i = 0; i < rows.size(); ++i)
    rows[i].time = i < 20 ? "2" : "1";  // the later half of the file is older
  const SplitKeys keys = split_keys(rows);
  const FoldPlan plan{3, 1, false, 1, true};
  const FoldSet set = make_folds(keys, plan);
  CHECK(set.folds[0].held_out == Rows{30, 31, 32, 33, 34, 35, 36, 37, 38, 39});
  CHECK(set.folds[2].held_out == Rows{10, 11, 12, 13, 14, 15, 16, 17, 18, 19});
  const Holdout inner = inner_validation(keys, set.folds[1], 0.25, plan);
  CHECK(inner.held_out == Rows{35, 36, 37, 38, 39});
  check_partition({inner.kept, inner.held_out}, set.folds[1].train);
}

TEST_CASE("folds by time that cannot be made are errors, classes without a past a warning", "[data][folds]") {
  CHECK_RAISES(make_folds(split_keys(random_rows({10, 1, 0}, 1)), {3, 1, false, 1, true}), usage,
               "folds in order of time need the time of every row, and no column is named for it "
               "(cross_validation.by_time); set data.columns.time");
  std::vector<Example> rows = random_rows({4, 1, 0}, 1);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].time = std::to_string(i);
  CHECK_RAISES(make_folds(split_keys(rows), {4, 1, false, 1, true}), data,
               "4 folds in order of time need more rows than folds, there are 4 (cross_validation.folds)");
  rows[2].target = ClassLabel{"new"};
  const FoldSet set = make_folds(split_keys(rows), {3, 1, false, 1, true});
  REQUIRE(set.warnings.size() == 1);
  CHECK(set.warnings[0] == "fold 2 holds out rows of classes that no row before them has: 'new'");
}

TEST_CASE("splits that cannot be made are errors, small classes a warning", "[data][split][folds]") {
  const SplitKeys keys = split_keys(random_rows({10, 1, 0}, 1));
  CHECK_RAISES(hold_out(keys, range(10), {10, SplitMethod::random}, RandomKey(1, "x")), data,
               "of 10 rows 10 cannot be held out");
  CHECK_RAISES(hold_out(keys, range(1), {0.5, SplitMethod::random}, RandomKey(1, "x")), data,
               "of 1 row 1 cannot be held out");
  CHECK_RAISES(hold_out(keys, range(10), {2, SplitMethod::group}, RandomKey(1, "x")), usage,
               "rows cannot be divided by group: no column is named for it (data.split); set data.columns.group");
  CHECK_RAISES(hold_out(keys, range(10), {2, SplitMethod::time}, RandomKey(1, "x")), usage, "set data.columns.time");
  CHECK_RAISES(make_folds(keys, {11, 1, true, 1}), data,
               "11 folds need at least as many rows, there are 10 (cross_validation.folds)");
  CHECK_RAISES(make_folds(keys, {1, 1, true, 1}), usage, "1 folds and 1 repeats were found");
  const SplitKeys grouped = split_keys(random_rows({50, 2, 4}, 1));
  CHECK_RAISES(make_folds(grouped, {5, 1, true, 1}), data, "5 folds need at least as many groups, there are 4");
  const SplitKeys one_group = split_keys(random_rows({50, 2, 1}, 1));
  CHECK_RAISES(hold_out(one_group, range(50), {0.2, SplitMethod::group}, RandomKey(1, "x")), data,
               "all rows are of one group");

  std::vector<Example> rows = random_rows({20, 1, 0}, 1);
  rows[3].target = ClassLabel{"rare"};
  const FoldSet set = make_folds(split_keys(rows), {5, 1, true, 1});
  REQUIRE(set.warnings.size() == 1);
  CHECK(set.warnings[0] == "a class has fewer rows than the 5 folds, so some folds hold none of it out: 'rare' (1)");
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].target = ClassLabel{i < 7 ? "c" + std::to_string(i) : "common"};
  const FoldSet many = make_folds(split_keys(rows), {5, 1, true, 1});
  REQUIRE(many.warnings.size() == 1);
  CHECK(many.warnings[0] == "7 classes have fewer rows than the 5 folds, so some folds hold none of them out: 'c0' (1), 'c1' (1), 'c2' (1), 'c3' (1), 'c4' (1), and 2 more");
}

TEST_CASE("the fingerprint of a split tells which rows lie where", "[data][split]") {
  const auto print = [](std::vector<Rows> parts) { return split_fingerprint(parts); };
  CHECK(print({{0, 1}, {2}}) == print({{0, 1}, {2}}));
  CHECK(print({{0, 1}, {2}}) != print({{0}, {1, 2}}));
  CHECK(print({{0, 1}, {2}}) != print({{2}, {0, 1}}));
  CHECK(print({{1, 2}}) != print({{12}}));
}
