// See stability.h.
#include "attune/study/stability.h"

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "attune/base/clock.h"
#include "attune/base/error.h"
#include "attune/base/print_number.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/files/storage.h"
#include "attune/job/output.h"
#include "attune/job/run.h"
#include "attune/metrics/values.h"
#include "attune/metrics/variance.h"
#include "attune/report/junit.h"
#include "attune/report/phase.h"
#include "attune/report/prompt_html.h"
#include "attune/study/prompting.h"
#include "design.h"
#include "gate.h"
#include "kept_answers.h"

namespace attune::study {

namespace {

using files::Json;
using metrics::json_number;

constexpr std::size_t kFragileRows = 20;

/// What a variant made of the rows, as it is kept: {"metrics", "labels": ids, "seconds"}.
Json answers_of(const PromptJob& job, const Asked& asked, double seconds) {
  Json labels = Json::array();
  for (const task::Prediction& prediction : asked.predictions) {
    labels.push_back(std::ranges::max_element(prediction.logits) - prediction.logits.begin());
  }
  const Json all = job.task->scores(asked.predictions, job.rows)->metrics();
  Json metrics = Json::object();
  for (const auto& [name, value] : all.items()) {
    if (!value.is_structured()) metrics[name] = value;
  }
  return {{"metrics", std::move(metrics)}, {"labels", std::move(labels)}, {"seconds", seconds}};
}

double accuracy_of(const Json& answers) {
  return answers["metrics"]["accuracy"].get<double>();
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? metrics::kNaN : sum / static_cast<double>(values.size());
}

class Stability {
 public:
  Stability(const PromptJob& job, std::vector<DesignPoint> points, std::vector<Json> answers)
      : job_(job), points_(std::move(points)), answers_(std::move(answers)) {
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
        if (counts_[row][label] > 0)
          labels[job_.answer_name(label)] = counts_[row][label];
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
  std::vector<DesignPoint> points_;
  std::vector<Json> answers_;
  std::vector<std::vector<std::int64_t>> predicted_;  ///< [variants][rows]
  std::vector<double> flips_;                         ///< [rows]
  std::vector<std::vector<int>> counts_;              ///< [rows][labels]: variants
};

/// Answers of all variants; fewer than there are after a signal.
std::vector<Json> ask_all(const PromptJob& job, const std::vector<DesignPoint>& points,
                          const report::EventBus& events) {
  const KeptAnswers kept(job, job.options.output_dir + "/variants");
  report::Phase asking(events, "asking", static_cast<std::int64_t>(points.size()), "variant");
  std::vector<Json> all;
  for (std::size_t i = 0; i < points.size(); ++i) {
    Json answers = kept.find(i + 1, points[i].name);
    if (answers.is_null()) {
      const Stopwatch clock;
      const Asked asked = ask(job, points[i].variant);
      if (asked.stopped) break;
      answers = answers_of(job, asked, clock.seconds());
      kept.keep(i + 1, points[i].name, answers);
    }
    all.push_back(std::move(answers));
    asking.progress(static_cast<std::int64_t>(all.size()));
  }
  asking.end();
  return all;
}

/// The name of the wording whose number is the largest, or the smallest; of equals the first.
std::string extreme(const Json& wordings, const char* number, bool greatest) {
  const Json* found = &wordings.front();
  for (const Json& one : wordings) {
    const double value = one[number].get<double>(), best = (*found)[number].get<double>();
    if (greatest ? value > best : value < best) found = &one;
  }
  return (*found)["name"].get<std::string>();
}

/// The chosen wordings, put to the test rows under the first seed; null after a signal.
Json test_wordings(PromptJob& job, const std::set<std::string>& names) {
  read_split(job, "test");
  Json test = Json::object();
  for (const prompt::Wording& wording : job.wordings) {
    if (!names.contains(wording.name)) continue;
    Variant variant{.wording = wording, .examples = job.options.prompting.examples};
    variant.examples.seed = job.options.seeds.front();
    const Asked asked = ask(job, variant);
    if (asked.stopped) return nullptr;
    const auto scores = job.task->scores(asked.predictions, job.rows);
    test[wording.name] = {{"metrics", scores->metrics()}, {"intervals", scores->intervals()}};
  }
  return test;
}

Json flip_gate(double flip_rate, const std::optional<double>& most) {
  std::string failure;
  if (most && flip_rate > *most) {
    failure = concat("the flip rate is ", print_number("%.4f", flip_rate), ", at most ", print_number("%.4f", *most),
                     " was allowed: so often two variants give a row different labels");
  }
  return gate_result("prompting.stability.max_flip_rate", most, failure);
}

void write_junit(const Json& results) {
  const report::TestCase gate{.name = "flip rate", .seconds = 0, .failure = results["gate"]["failure"].get<std::string>()};
  files::write_file_atomically(results["output_dir"].get<std::string>() + "/junit.xml",
                               report::junit_xml("attune prompt stability", {gate}));
}

}  // namespace

Json prompt_stability(const job::RunOptions& options, const report::EventBus& events) {
  check_study(options);
  job::check_output_folder(options);
  PromptJob job = open_prompt_job(options, events);
  const std::vector<DesignPoint> points = design(job);
  const auto lock = job::claim_output_folder(options);
  files::write_json(options.output_dir + "/config.resolved.json", config::effective(options));
  Json results = {{"output_dir", options.output_dir},
                  {"rows", job.rows.size()},
                  {"majority", job::majority_rate(job.labels, job.pool, job.rows)}};
  std::vector<Json> answers = ask_all(job, points, events);
  if (answers.size() < points.size()) {
    results["stopped_by"] = "signal";
    return results;
  }
  const Stability stability(job, points, std::move(answers));
  const double flip_rate = stability.flip_rate();
  results.update({{"variants", stability.variants()},
                  {"spread", stability.spread()},
                  {"shares", stability.shares()},
                  {"flip_rate", flip_rate},
                  {"fragile", stability.fragile()},
                  {"wordings", stability.wordings()},
                  {"gate", flip_gate(flip_rate, options.prompting.stability.max_flip_rate)}});
  results["best"] = extreme(results["wordings"], "accuracy", true);
  results["steadiest"] = extreme(results["wordings"], "flip_rate", false);
  if (!options.data.test.empty()) {
    results["test"] = test_wordings(job, {results["best"].get<std::string>(), results["steadiest"].get<std::string>()});
    if (results["test"].is_null()) {
      results["stopped_by"] = "signal";
      return results;
    }
  }
  results["stopped_by"] = "end";
  files::write_json(options.output_dir + "/stability_results.json", results);
  files::write_file_atomically(options.output_dir + "/report.html", report::stability_page(results));
  write_junit(results);
  return results;
}

}  // namespace attune::study
