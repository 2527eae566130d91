// See stability_statistics.h.
#include "stability_statistics.h"

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "attune/base/print_number.h"
#include "attune/base/strings.h"
#include "attune/metrics/values.h"
#include "attune/metrics/variance.h"
#include "attune/prompt/writer.h"
#include "gate.h"

namespace attune::study {

namespace {

using files::Json;
using metrics::json_number;

constexpr std::size_t kFragileRows = 20;

double accuracy_of(const Json& answers) {
  return answers["metrics"]["accuracy"].get<double>();
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? metrics::kNaN : sum / static_cast<double>(values.size());
}

class Statistics {
 public:
  Statistics(const PromptJob& job, std::span<const DesignPoint> points, std::span<const Json> answers)
      : job_(job), points_(points), answers_(answers) {
    for (const Json& one : answers_) predicted_.push_back(one["labels"].get<std::vector<std::int64_t>>());
    flips_ = metrics::flip_rates(predicted_);
    count_labels();
  }

  double flip_rate() const { return mean_of(flips_); }

  Json variants() const {
    Json list = Json::array();
    for (std::size_t i = 0; i < points_.size(); ++i) {
      list.push_back({{"name", points_[i].name}, {"levels", points_[i].levels}, {"metrics", answers_[i]["metrics"]}});
    }
    return list;
  }

  Json spread() const {
    std::vector<double> accuracies;
    for (const Json& one : answers_) accuracies.push_back(accuracy_of(one));
    const metrics::ScoreSpread found = metrics::spread_of(accuracies);
    return {{"lowest", found.lowest},
            {"highest", found.highest},
            {"range", found.range},
            {"mean", found.mean},
            {"sd", json_number(found.sd)}};
  }

  Json shares() const {
    std::vector<std::string> factors;
    for (const auto& [factor, level] : points_.front().levels) factors.push_back(factor);
    std::vector<metrics::VariantScore> scores;
    for (std::size_t i = 0; i < points_.size(); ++i) {
      metrics::VariantScore score{.levels = {}, .score = accuracy_of(answers_[i])};
      for (const auto& [factor, level] : points_[i].levels) score.levels.push_back(level);
      scores.push_back(std::move(score));
    }
    const metrics::VarianceShares found = metrics::variance_shares(factors, scores);
    Json shares = Json::object();
    for (const metrics::FactorShare& factor : found.factors) {
      Json means = Json::object();
      for (const auto& [level, mean] : factor.means) means[level] = mean;
      shares[factor.factor] = {
          {"share", json_number(factor.share)}, {"chance", json_number(factor.chance)}, {"means", std::move(means)}};
    }
    shares["remainder"] = json_number(found.remainder);
    return shares;
  }

  Json fragile() const {
    std::vector<std::size_t> order(flips_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::stable_sort(order, std::greater<>{}, [&](std::size_t row) { return flips_[row]; });
    Json list = Json::array();
    for (const std::size_t row : order) {
      if (list.size() == kFragileRows || flips_[row] == 0) break;
      Json labels = Json::object();
      for (std::size_t label = 0; label < counts_[row].size(); ++label) {
        if (counts_[row][label] > 0) labels[job_.answer_name(label)] = counts_[row][label];
      }
      list.push_back({{"id", job_.rows[row].id}, {"flip_rate", flips_[row]}, {"labels", std::move(labels)}});
    }
    return list;
  }

  /// One a wording, in their order.
  Json wordings() const {
    Json list = Json::array();
    for (const prompt::Wording& wording : job_.wordings) {
      std::vector<double> accuracies;
      std::vector<std::vector<std::int64_t>> own;
      for (std::size_t i = 0; i < points_.size(); ++i) {
        if (points_[i].variant.wording.name != wording.name) continue;
        accuracies.push_back(accuracy_of(answers_[i]));
        own.push_back(predicted_[i]);
      }
      list.push_back(
          {{"name", wording.name},
           {"header", prompt::header_of(job_.set, wording)},
           {"accuracy", mean_of(accuracies)},
           {"lowest", *std::ranges::min_element(accuracies)},
           {"highest", *std::ranges::max_element(accuracies)},
           {"flip_rate", own.size() > 1 ? mean_of(metrics::flip_rates(own)) : distance_to_majority(own.front())}});
    }
    return list;
  }

 private:
  void count_labels() {
    counts_.assign(job_.rows.size(), std::vector<int>(job_.labels.names.size() + 1));
    for (const auto& labels : predicted_) {
      for (std::size_t row = 0; row < labels.size(); ++row) ++counts_[row][static_cast<std::size_t>(labels[row])];
    }
  }

  double distance_to_majority(const std::vector<std::int64_t>& labels) const {
    double differing = 0;
    for (std::size_t row = 0; row < labels.size(); ++row) {
      const auto most = std::ranges::max_element(counts_[row]) - counts_[row].begin();
      if (labels[row] != most) ++differing;
    }
    return differing / static_cast<double>(labels.size());
  }

  const PromptJob& job_;
  std::span<const DesignPoint> points_;
  std::span<const Json> answers_;
  std::vector<std::vector<std::int64_t>> predicted_;  ///< [variants][rows]
  std::vector<double> flips_;                         ///< [rows]
  std::vector<std::vector<int>> counts_;              ///< [rows][labels]: variants
};

/// The name of the wording whose number is the largest, or the smallest; of equals the first.
std::string extreme(const Json& wordings, const char* number, bool greatest) {
  const Json* found = &wordings.front();
  for (const Json& one : wordings) {
    const double value = one[number].get<double>(), best = (*found)[number].get<double>();
    if (greatest ? value > best : value < best) found = &one;
  }
  return (*found)["name"].get<std::string>();
}

Json flip_gate(double flip_rate, const std::optional<double>& most) {
  std::string failure;
  if (most && flip_rate > *most) {
    failure = concat("the flip rate is ", print_number("%.4f", flip_rate), ", at most ", print_number("%.4f", *most),
                     " was allowed: so often two variants give a row different labels");
  }
  return gate_result("prompting.stability.max_flip_rate", most, failure);
}

}  // namespace

Json stability_statistics(const PromptJob& job, std::span<const DesignPoint> points, std::span<const Json> answers) {
  const Statistics statistics(job, points, answers);
  const double flip_rate = statistics.flip_rate();
  Json found = {{"variants", statistics.variants()},
                {"spread", statistics.spread()},
                {"shares", statistics.shares()},
                {"flip_rate", flip_rate},
                {"fragile", statistics.fragile()},
                {"wordings", statistics.wordings()},
                {"gate", flip_gate(flip_rate, job.options.prompting.stability.max_flip_rate)}};
  found["best"] = extreme(found["wordings"], "accuracy", true);
  found["steadiest"] = extreme(found["wordings"], "flip_rate", false);
  return found;
}

}  // namespace attune::study
