// How much generated texts depend on how one asks. See stability_statistics.h.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "attune/base/strings.h"
#include "attune/metrics/variance.h"
#include "stability_statistics.h"
#include "variant_scores.h"

namespace attune::study {

namespace {

using files::Json;

class TextStatistics {
 public:
  TextStatistics(const PromptJob& job, std::span<const DesignPoint> points, std::span<const Json> answers)
      : job_(job), points_(points) {
    for (const Json& one : answers) {
      scores_.push_back(one.at("scores").get<std::vector<double>>());
      texts_.push_back(one.at("texts").get<std::vector<std::string>>());
      if (job.assertions) verdicts_.push_back(one.at("passed").get<std::vector<std::int64_t>>());
    }
    number_texts();
    for (std::size_t row = 0; row < job.rows.size(); ++row) row_sd_.push_back(metrics::spread_of(of_row(row)).sd);
    if (job.assertions) flips_ = metrics::flip_rates(verdicts_);
  }

  /// How often two variants write a row different texts.
  double differing_texts() const { return mean_of(metrics::flip_rates(numbers_)); }
  /// How often one of two variants keeps all assertions on a row and the other does not; NaN without assertions.
  double flip_rate() const { return mean_of(flips_); }
  double row_sd() const { return mean_of(row_sd_); }

  Json fragile() const {
    Json list = Json::array();
    for (const std::size_t row : most_fragile(row_sd_)) {
      const std::vector<double> scores = of_row(row);
      const auto lowest = std::ranges::min_element(scores), highest = std::ranges::max_element(scores);
      list.push_back({{"id", job_.rows[row].id},
                      {"text", job_.rows[row].text},
                      {"sd", row_sd_[row]},
                      {"texts", texts_of_row_[row]},
                      {"lowest", written(lowest - scores.begin(), row)},
                      {"highest", written(highest - scores.begin(), row)}});
      if (job_.assertions) list.back()["flip_rate"] = flips_[row];
    }
    return list;
  }

  /// How far the scores of a row lie apart, on average over the rows: the standard deviation over these variants; of
  /// one alone how far it is from the mean over all.
  double row_sd_of(const std::vector<std::size_t>& points) const {
    std::vector<double> of_rows;
    for (std::size_t row = 0; row < job_.rows.size(); ++row) {
      if (points.size() == 1) {
        of_rows.push_back(std::abs(scores_[points.front()][row] - mean_of(of_row(row))));
        continue;
      }
      std::vector<double> own;
      for (const std::size_t point : points) own.push_back(scores_[point][row]);
      of_rows.push_back(metrics::spread_of(own).sd);
    }
    return mean_of(of_rows);
  }

 private:
  /// [variants]
  std::vector<double> of_row(std::size_t row) const {
    std::vector<double> scores;
    for (const auto& of_variant : scores_) scores.push_back(of_variant.at(row));
    return scores;
  }

  /// Texts of a row are the same where they agree but for blanks at their ends.
  void number_texts() {
    numbers_.assign(texts_.size(), std::vector<std::int64_t>(job_.rows.size()));
    for (std::size_t row = 0; row < job_.rows.size(); ++row) {
      std::map<std::string, std::int64_t> known;
      for (std::size_t variant = 0; variant < texts_.size(); ++variant) {
        const std::string text(trim(texts_[variant].at(row)));
        numbers_[variant][row] = known.emplace(text, static_cast<std::int64_t>(known.size())).first->second;
      }
      texts_of_row_.push_back(known.size());
    }
  }

  Json written(std::ptrdiff_t variant, std::size_t row) const {
    const auto number = static_cast<std::size_t>(variant);
    return {{"variant", points_[number].name}, {"score", scores_[number][row]}, {"text", texts_[number][row]}};
  }

  const PromptJob& job_;
  std::span<const DesignPoint> points_;
  std::vector<std::vector<double>> scores_;                    ///< [variants][rows]
  std::vector<std::vector<std::string>> texts_;                ///< [variants][rows]
  std::vector<std::vector<std::int64_t>> numbers_, verdicts_;  ///< [variants][rows]
  std::vector<std::size_t> texts_of_row_;                      ///< [rows] different ones
  std::vector<double> row_sd_, flips_;                         ///< [rows]
};

}  // namespace

Json text_stability_statistics(const PromptJob& job, std::span<const DesignPoint> points,
                               std::span<const Json> answers) {
  const std::vector<double> scores = main_scores(job, answers);
  const TextStatistics texts(job, points, answers);
  Json found = {{"metric", job.metric}};
  found.update(compared_variants(points, answers, scores));
  found["flip_rate"] = job.assertions ? Json(texts.flip_rate()) : Json();
  found["differing_texts"] = texts.differing_texts();
  found["row_sd"] = texts.row_sd();
  found["fragile"] = texts.fragile();
  found["wordings"] = Json::array();
  for (const prompt::Wording& wording : job.wordings) {
    const std::vector<std::size_t> own = points_of(wording, points);
    Json described = described_wording(job, wording, scores, own);
    described["row_sd"] = texts.row_sd_of(own);
    found["wordings"].push_back(std::move(described));
  }
  found["gate"] = flip_gate(texts.flip_rate(), job.options.prompting.stability.max_flip_rate, "verdict");
  found["best"] = extreme_wording(found["wordings"], job.metric, true);
  found["steadiest"] = extreme_wording(found["wordings"], "row_sd", false);
  return found;
}

}  // namespace attune::study
