// See halving.h.
#include "halving.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/prompt/writer.h"
#include "attune/report/phase.h"

namespace attune::study {

namespace {

using files::Json;

/// A variant in a round.
struct Candidate {
  std::size_t point = 0;  ///< index into the design
  double score = 0;
  double loss = std::numeric_limits<double>::infinity();  ///< of texts there is none
};

/// How many rounds leave one of so many candidates.
std::int64_t rounds_for(std::size_t candidates, std::int64_t reduction) {
  std::int64_t rounds = 1;
  for (std::size_t left = candidates; left > static_cast<std::size_t>(reduction);
       left = (left + reduction - 1) / reduction)
    ++rounds;
  return rounds;
}

class Search {
 public:
  Search(const PromptJob& job, std::span<const DesignPoint> points, const HalvingAnswer& answer,
         const report::EventBus& events)
      : job_(job), points_(points), answer_(answer), events_(events) {
    const job::OptimiseOptions& options = job.options.prompting.optimise;
    reduction_ = options.reduction;
    const auto all = static_cast<std::int64_t>(points.size() * job.rows.size());
    budget_ = options.budget.value_or(std::max<std::int64_t>(all / 4, static_cast<std::int64_t>(points.size())));
    rounds_ = rounds_for(points.size(), reduction_);
    if (budget_ / rounds_ >= static_cast<std::int64_t>(points.size())) return;
    throw Error(ErrorKind::usage,
                {.file = "",
                 .what = concat(points.size(), " candidates in ", rounds_, " rounds need a budget of at least ",
                                points.size() * static_cast<std::size_t>(rounds_), " rows"),
                 .where = "prompting.optimise.budget",
                 .hint = "raise it, or vary less"});
  }

  /// The rounds; of the last one the first candidate is the choice. Null after a signal.
  Json run() {
    std::vector<Candidate> candidates;
    for (std::size_t i = 0; i < points_.size(); ++i) candidates.push_back({.point = i});
    Json rounds = Json::array();
    for (std::int64_t round = 1; round <= rounds_; ++round) {
      const std::int64_t share = budget_ / rounds_ / static_cast<std::int64_t>(candidates.size());
      const std::size_t rows =
          std::min<std::size_t>(job_.rows.size(), static_cast<std::size_t>(std::max<std::int64_t>(1, share)));
      if (!ask_all(candidates, round, rows)) return nullptr;
      std::ranges::stable_sort(candidates, [](const Candidate& a, const Candidate& b) {
        return a.score != b.score ? a.score > b.score : a.loss < b.loss;
      });
      rounds.push_back({{"rows", rows}, {"candidates", described(candidates)}});
      candidates.resize(round == rounds_ ? 1 : (candidates.size() + reduction_ - 1) / reduction_);
      rounds.back()["kept"] = candidates.size();
    }
    chosen_ = candidates.front();
    return rounds;
  }

  const Candidate& chosen() const { return chosen_; }
  std::int64_t budget() const { return budget_; }
  std::int64_t questions() const { return questions_; }

 private:
  bool ask_all(std::vector<Candidate>& candidates, std::int64_t round, std::size_t rows) {
    report::Phase asking(events_, concat("round ", round), static_cast<std::int64_t>(candidates.size()), "candidate");
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const DesignPoint& point = points_[candidates[i].point];
      const Json answers =
          answer_({.number = static_cast<std::size_t>(round - 1) * points_.size() + candidates[i].point + 1,
                   .name = concat(point.name, ", ", rows, " rows"),
                   .variant = point.variant,
                   .rows = rows});
      if (answers.is_null()) return false;
      const Json& metrics = answers["metrics"];
      questions_ += static_cast<std::int64_t>(rows);
      candidates[i].score = metrics.at(job_.metric).get<double>();
      const Json loss = metrics.value("loss", Json());
      candidates[i].loss = loss.is_number() ? loss.get<double>() : Candidate().loss;
      asking.progress(static_cast<std::int64_t>(i) + 1);
    }
    asking.end();
    return true;
  }

  Json described(const std::vector<Candidate>& candidates) const {
    Json list = Json::array();
    for (const Candidate& one : candidates) {
      list.push_back({{"name", points_[one.point].name}, {job_.metric, one.score}});
      if (!job_.asks_texts()) list.back()["loss"] = std::isfinite(one.loss) ? Json(one.loss) : Json();
    }
    return list;
  }

  const PromptJob& job_;
  std::span<const DesignPoint> points_;
  const HalvingAnswer& answer_;
  const report::EventBus& events_;
  std::int64_t reduction_ = 0, budget_ = 0, rounds_ = 0, questions_ = 0;
  Candidate chosen_;
};

}  // namespace

Json successive_halving(const PromptJob& job, std::span<const DesignPoint> points, const HalvingAnswer& answer,
                        const report::EventBus& events, std::size_t& chosen) {
  Search search(job, points, answer, events);
  Json rounds = search.run();
  if (rounds.is_null()) return nullptr;
  chosen = search.chosen().point;
  return {{"metric", job.metric},
          {"candidates", points.size()},
          {"budget", search.budget()},
          {"questions", search.questions()},
          {"chosen",
           {{"name", points[chosen].name},
            {"levels", points[chosen].levels},
            {"header", prompt::header_of(job.set, points[chosen].variant.wording)},
            {job.metric, search.chosen().score},
            {"rows", rounds.back()["rows"]}}},
          {"rounds", std::move(rounds)}};
}

}  // namespace attune::study
