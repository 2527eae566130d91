// A fold trains on its own rows, with all their windows, and sees none of those that it is scored on.
#include "../../src/job/folds.h"

#include <set>

#include "catch.h"

using namespace attune;

namespace {

/// 30 examples of three labels, of which every fifth has two windows.
job::Prepared prepared_rows(double inner_validation) {
  job::Prepared prepared;
  for (std::int64_t i = 0; i < 30; ++i) {
    data::Example example;
    example.row = 100 + i;
    example.target = data::ClassLabel{std::to_string(i % 3)};
    prepared.train.examples.push_back(std::move(example));
    for (std::int64_t window = 0; window < (i % 5 == 0 ? 2 : 1); ++window) {
      task::Encoded row;
      row.example = i;
      row.window = window;
      prepared.train.encoded.push_back(std::move(row));
    }
  }
  prepared.options.cross_validation.enabled = true;
  prepared.options.cross_validation.folds = 4;
  prepared.options.cross_validation.repeats = 2;
  prepared.options.cross_validation.inner_validation = inner_validation;
  return prepared;
}

using Windows = std::multiset<std::pair<std::int64_t, std::int64_t>>;

Windows windows_in(const files::ListView<task::Encoded>& rows) {
  Windows windows;
  rows.for_each([&](const task::Encoded& row) { windows.emplace(row.example, row.window); });
  return windows;
}

Windows windows_of(const data::Rows& examples) {
  Windows windows;
  for (const std::int64_t example : examples) {
    windows.emplace(example, 0);
    if (example % 5 == 0) windows.emplace(example, 1);
  }
  return windows;
}

}  // namespace

TEST_CASE("a fold's rows are its own and not those that it is scored on", "[job][folds]") {
  for (const double inner : {0.0, 0.25}) {
    const job::Prepared prepared = prepared_rows(inner);
    const job::FoldJobs jobs = job::fold_jobs(prepared);
    REQUIRE(jobs.folds.size() == 8);
    const report::EventBus events;
    std::multiset<std::int64_t> held_out;
    for (const job::FoldJob& fold : jobs.folds) {
      INFO(fold.name);
      std::multiset<std::int64_t> all(fold.train.begin(), fold.train.end());
      all.insert(fold.inner_validation.begin(), fold.inner_validation.end());
      all.insert(fold.held_out.begin(), fold.held_out.end());
      held_out.insert(fold.held_out.begin(), fold.held_out.end());
      CHECK(all.size() == 30);
      CHECK(std::set(all.begin(), all.end()).size() == 30);
      CHECK(fold.inner_validation.empty() == (inner == 0.0));
      const job::FitRequest request = job::fold_request(prepared, fold, events);
      CHECK(windows_in(request.train) == windows_of(fold.train));
      CHECK(windows_in(request.validation) == windows_of(fold.inner_validation));
    }
    CHECK(held_out.size() == 60);  // each in each repeat
    for (std::int64_t example = 0; example < 30; ++example) CHECK(held_out.count(example) == 2);
  }
}
