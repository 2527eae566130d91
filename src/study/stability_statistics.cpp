// See stability_statistics.h.
#include "stability_statistics.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "attune/metrics/variance.h"
#include "variant_scores.h"

namespace attune::study {

namespace {

using files::Json;

/// What a person reads of a row: its text, of two texts both.
std::string row_text(const data::Example& row) {
  return row.has_pair ? row.text + "\n" + *row.text_pair : row.text;
}

class LabelStatistics {
 public:
  LabelStatistics(const PromptJob& job, std::span<const Json> answers) : job_(job) {
    for (const Json& one : answers) predicted_.push_back(one["labels"].get<std::vector<std::int64_t>>());
    flips_ = metrics::flip_rates(predicted_);
    count_labels();
  }

  double flip_rate() const { return mean_of(flips_); }

  Json fragile() const {
    Json list = Json::array();
    for (const std::size_t row : most_fragile(flips_)) {
      Json labels = Json::object();
      for (std::size_t label = 0; label < counts_[row].size(); ++label) {
        if (counts_[row][label] > 0) labels[job_.answer_name(label)] = counts_[row][label];
      }
      list.push_back({{"id", job_.rows[row].id},
                      {"text", row_text(job_.rows[row])},
                      {"flip_rate", flips_[row]},
                      {"labels", std::move(labels)}});
    }
    return list;
  }

  /// Of some variants; of one how often it differs from the label that most of all give.
  double flip_rate_of(const std::vector<std::size_t>& points) const {
    if (points.size() == 1) return distance_to_majority(predicted_[points.front()]);
    std::vector<std::vector<std::int64_t>> own;
    for (const std::size_t point : points) own.push_back(predicted_[point]);
    return mean_of(metrics::flip_rates(own));
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
  std::vector<std::vector<std::int64_t>> predicted_;  ///< [variants][rows]
  std::vector<double> flips_;                         ///< [rows]
  std::vector<std::vector<int>> counts_;              ///< [rows][labels]: variants
};

}  // namespace

Json stability_statistics(const PromptJob& job, std::span<const DesignPoint> points, std::span<const Json> answers) {
  if (job.asks_texts()) return text_stability_statistics(job, points, answers);
  const std::vector<double> scores = main_scores(job, answers);
  const LabelStatistics labels(job, answers);
  Json found = {{"metric", job.metric}};
  found.update(compared_variants(points, answers, scores));
  found["flip_rate"] = labels.flip_rate();
  found["fragile"] = labels.fragile();
  found["wordings"] = Json::array();
  for (const prompt::Wording& wording : job.wordings) {
    const std::vector<std::size_t> own = points_of(wording, points);
    Json described = described_wording(job, wording, scores, own);
    described["flip_rate"] = labels.flip_rate_of(own);
    found["wordings"].push_back(std::move(described));
  }
  found["gate"] = flip_gate(labels.flip_rate(), job.options.prompting.stability.max_flip_rate, "label");
  found["best"] = extreme_wording(found["wordings"], job.metric, true);
  found["steadiest"] = extreme_wording(found["wordings"], "flip_rate", false);
  return found;
}

}  // namespace attune::study
