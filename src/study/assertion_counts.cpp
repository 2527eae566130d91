// See assertion_counts.h.
#include "assertion_counts.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/metrics/intervals.h"

namespace attune::study {

namespace {

using files::Json;

constexpr std::size_t kShownFailures = 5;

}  // namespace

void AssertionCounts::add(std::vector<std::string> texts) {
  const auto count_tokens = [&](std::string_view text) {
    const text::Encoding encoding = job_.tokenizer->encode(
        {.text = std::string(text)}, {.add_special_tokens = false, .truncation = {}, .with_tokens = false});
    return static_cast<std::int64_t>(encoding.ids.size());
  };
  std::vector<Failures>& failures = failures_.emplace_back();
  for (const std::string& text : texts) failures.push_back(job_.assertions->check(text, count_tokens));
  texts_.push_back(std::move(texts));
}

Json AssertionCounts::failures_of(std::size_t row) const {
  Json failed = Json::array();
  for (const prompt::FailedAssertion& one : failures_.front()[row])
    failed.push_back({{"name", one.name}, {"why", one.why}});
  return failed;
}

Json AssertionCounts::assertions() const {
  const auto rows = static_cast<double>(job_.rows.size());
  Json list = Json::array();
  for (const prompt::Assertion& assertion : job_.set.assertions) {
    Json first = Json::array();
    std::size_t failed = 0;
    for (std::size_t seed = 0; seed < failures_.size(); ++seed) {
      for (std::size_t row = 0; row < failures_[seed].size(); ++row) {
        const Failures& of_text = failures_[seed][row];
        const auto found = std::ranges::find(of_text, assertion.name, &prompt::FailedAssertion::name);
        if (found == of_text.end()) continue;
        ++failed;
        if (first.size() < kShownFailures)
          first.push_back({{"id", job_.rows[row].id}, {"text", texts_[seed][row]}, {"why", found->why}});
      }
    }
    const double rate = 1 - static_cast<double>(failed) / (rows * static_cast<double>(failures_.size()));
    const metrics::Interval interval = metrics::wilson_interval(rate * rows, rows);
    list.push_back({{"name", assertion.name},
                    {"rate", rate},
                    {"interval", {interval.low, interval.high}},
                    {"failed", failed},
                    {"first", std::move(first)}});
  }
  return list;
}

double AssertionCounts::rate_of_all() const {
  std::size_t passed = 0, texts = 0;
  for (const auto& of_seed : failures_) {
    texts += of_seed.size();
    passed += static_cast<std::size_t>(std::ranges::count_if(of_seed, &Failures::empty));
  }
  return static_cast<double>(passed) / static_cast<double>(texts);
}

}  // namespace attune::study
