// A method from its candidates to the answers of the chosen one. See attune/study/method.h.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "answer_files.h"
#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/signals.h"
#include "attune/base/strings.h"
#include "attune/metrics/values.h"
#include "candidate_work.h"

namespace attune::study {

namespace {

using files::Json;

struct SplitScore {
  double accuracy = 0, loss = 0;
};

SplitScore score_answers(const Answers& answers, const std::vector<std::int64_t>& gold, std::size_t classes) {
  SplitScore score;
  const auto rows = static_cast<double>(gold.size());
  for (std::size_t row = 0; row < gold.size(); ++row)
    score.accuracy += (answers.predicted[row] == gold[row] ? 1 : 0) / rows;
  const std::vector<double> losses = losses_of(answers, gold, classes);
  for (const double loss : losses) score.loss += loss / rows;
  if (losses.empty()) score.loss = metrics::kNaN;
  return score;
}

/// The work of one method.
class MethodWork {
 public:
  MethodWork(const Method& method, const std::vector<std::uint64_t>& seeds, const std::string& folder, Workbench& bench,
             const report::EventBus& events)
      : method_(method), bench_(bench) {
    outcome_.seeds = method.has_chance ? seeds : std::vector{seeds.front()};
    for (std::size_t number = 0; number < method.candidates.size(); ++number) {
      work_.emplace_back(method, number, folder, bench, events);
    }
  }

  Outcome run() {
    outcome_.stopped = !choose() || !answer_test();
    if (!outcome_.stopped) {
      outcome_.cost = cost();
      outcome_.shown = shown();
    }
    bench_.asked.reset();  // the next method's memory is its own
    return std::move(outcome_);
  }

 private:
  /// By the validation rows; false after a signal.
  bool choose() {
    if (work_.size() == 1) return true;
    outcome_.tried = Json::array();
    std::optional<SplitScore> best;
    for (std::size_t number = 0; number < work_.size(); ++number) {
      Json tried = {{"name", method_.candidates[number].name}};
      const std::optional<SplitScore> score = try_candidate(number, tried);
      if (stop_signal() != 0) return false;
      outcome_.tried.push_back(std::move(tried));
      if (!score || (best && !is_better(*score, *best))) continue;
      best = score;
      outcome_.chosen = number;
    }
    if (best) return true;
    throw Error(ErrorKind::diverged, {.file = "",
                                      .what = concat("every candidate of method '", method_.name, "' diverged"),
                                      .where = "",
                                      .hint = "try lower learning rates"});
  }

  static bool is_better(const SplitScore& score, const SplitScore& best) {
    return score.accuracy > best.accuracy || (score.accuracy == best.accuracy && score.loss < best.loss);
  }

  /// The means over seeds; nothing for a candidate that diverged, and after a signal.
  std::optional<SplitScore> try_candidate(std::size_t number, Json& tried) {
    SplitScore mean;
    const std::vector<std::int64_t> gold = gold_of(bench_.rows.labels, bench_.rows.validation);
    try {
      for (const std::uint64_t seed : outcome_.seeds) {
        if (!work_[number].answer(seed, "validation")) return std::nullopt;
        const SplitScore score =
            score_answers(work_[number].answers(seed, "validation"), gold, bench_.rows.labels.names.size());
        mean.accuracy += score.accuracy / static_cast<double>(outcome_.seeds.size());
        mean.loss += score.loss / static_cast<double>(outcome_.seeds.size());
      }
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::diverged) throw;
      log::warning(concat("method '", method_.name, "', ", method_.candidates[number].name, ": ", error.what()));
      tried["failed"] = error.text().what;
      return std::nullopt;
    }
    tried["accuracy"] = mean.accuracy;
    tried["loss"] = metrics::json_number(mean.loss);
    return mean;
  }

  bool answer_test() {
    if (bench_.opens_test) bench_.opens_test();
    CandidateWork& chosen = work_[outcome_.chosen];
    for (const std::uint64_t seed : outcome_.seeds) {
      if (!chosen.answer(seed, "test")) return false;
      outcome_.test.push_back(chosen.answers(seed, "test"));
      outcome_.predictions.push_back(chosen.predictions_of(seed, "test"));
    }
    return true;
  }

  /// As it was noted when the test rows were answered under the first seed; null where nothing is asked.
  Json shown() const {
    const Json work = work_[outcome_.chosen].work(outcome_.seeds.front(), "test");
    return work["facts"].value("shown", Json());
  }

  /// Of learning under the seed that took longest: what frozen layers give is computed once for all seeds and
  /// candidates. Null where nothing is learned.
  Json learning() const {
    Json longest;
    for (const std::uint64_t seed : outcome_.seeds) {
      Json work = work_[outcome_.chosen].work(seed, "learning");
      if (work.is_null()) return nullptr;
      if (longest.is_null() || work["cost"]["seconds"] > longest["cost"]["seconds"]) longest = std::move(work);
    }
    return longest;
  }

  /// The mean over seeds of what answering the test rows took, the largest of its memory.
  Json answering() const {
    Json mean;
    for (const std::uint64_t seed : outcome_.seeds) {
      const Json work = work_[outcome_.chosen].work(seed, "test");
      Json cost = work["cost"];
      if (work["facts"].contains("answered")) cost.update(work["facts"]["answered"]);
      for (auto& [key, value] : cost.items()) {
        if (!value.is_number()) {
          mean[key] = value;
        } else if (key == "peak_memory") {
          mean[key] = std::max(static_cast<std::int64_t>(number_in(mean, key)), value.get<std::int64_t>());
        } else {
          mean[key] = number_in(mean, key) + value.get<double>() / static_cast<double>(outcome_.seeds.size());
        }
      }
    }
    return mean;
  }

  static double number_in(const Json& object, const std::string& key) {
    return object.is_object() && object.contains(key) ? object[key].get<double>() : 0.0;
  }

  /// See docs/compare.md.
  Json cost() const {
    Json cost = {{"answering", answering()}};
    if (Json learned = learning(); !learned.is_null()) {
      cost["learning"] = learned["cost"];
      for (const char* key : {"tokens", "flops"}) {
        if (learned["facts"].contains(key)) cost["learning"][key] = learned["facts"][key];
      }
      for (const char* key : {"trained_parameters", "parameters"}) {
        if (learned["facts"].contains(key)) cost[key] = learned["facts"][key];
      }
    }
    const double thousands = static_cast<double>(bench_.rows.test.size()) / 1000;
    for (const char* key : {"seconds", "joules", "money", "tokens", "flops"}) {
      if (cost["answering"].contains(key)) cost["per_1000"][key] = cost["answering"][key].get<double>() / thousands;
    }
    cost["choosing_seconds"] = choosing_seconds();
    return cost;
  }

  /// Of trying all candidates, learning included.
  double choosing_seconds() const {
    if (work_.size() == 1) return 0;
    double seconds = 0;
    for (const CandidateWork& candidate : work_) {
      for (const std::uint64_t seed : outcome_.seeds) {
        for (const char* what : {"learning", "validation"}) {
          const Json work = candidate.work(seed, what);
          if (!work.is_null()) seconds += work["cost"]["seconds"].get<double>();
        }
      }
    }
    return seconds;
  }

  const Method& method_;
  Workbench& bench_;
  std::vector<CandidateWork> work_;  ///< [candidates]
  Outcome outcome_;
};

}  // namespace

Outcome carry_out(const Method& method, const std::vector<std::uint64_t>& seeds, const std::string& folder,
                  Workbench& bench, const report::EventBus& events) {
  return MethodWork(method, seeds, folder, bench, events).run();
}

}  // namespace attune::study
