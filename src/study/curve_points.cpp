// See curve_points.h.
#include "curve_points.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>
#include <vector>

#include "answer_files.h"
#include "attune/base/error.h"
#include "attune/data/subset.h"
#include "attune/metrics/classification.h"
#include "attune/metrics/values.h"
#include "attune/study/prompting.h"

namespace attune::study {

using files::Json;

namespace {

/// NaN without probabilities.
double mean_loss(const Answers& answers, const std::vector<std::int64_t>& gold, std::size_t labels) {
  const std::vector<double> losses = losses_of(answers, gold, labels);
  if (losses.empty()) return metrics::kNaN;
  return std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(losses.size());
}

}  // namespace

data::SubsetOptions part_of_curve(bool per_class, std::int64_t size, std::uint64_t seed) {
  data::SubsetOptions part{.enabled = true, .seed = seed};
  (per_class ? part.per_class : part.rows) = size;
  return part;
}

std::vector<data::Example> rows_of_part(const std::vector<data::Example>& rows, const data::SubsetOptions& part) {
  std::vector<data::Example> chosen;
  for (const std::int64_t row : data::choose_subset(rows, part)) chosen.push_back(rows[static_cast<std::size_t>(row)]);
  return chosen;
}

Json scores_of_point(const Answers& answers, const MethodRows& rows) {
  const std::vector<std::int64_t> gold = gold_of(rows.labels, rows.test);
  std::vector<std::string> names = rows.labels.names;
  names.emplace_back(kNoAnswer);  // (counts in no score where nothing was answered so)
  const metrics::Values values =
      metrics::ClassificationScorer({.gold = gold, .predicted = answers.predicted, .labels = names}).values();
  return {{"accuracy", metrics::value_of(values, "accuracy")},
          {"f1", metrics::json_number(metrics::value_of(values, "f1_macro"))},
          {"loss", metrics::json_number(mean_loss(answers, gold, rows.labels.names.size()))}};
}

CurvePoint curve_point(const Json& told) {
  CurvePoint point{.seed = told.at("seed").get<std::uint64_t>(), .told = told};
  if (told.at("size").is_number()) point.size = told["size"].get<std::int64_t>();
  if (!told.contains("failed")) point.accuracy = told.at("accuracy").get<double>();
  return point;
}

Json finished_point(const std::string& file) {
  Json point = files::read_json(file, {.kind = ErrorKind::resume_refused});
  const bool is_point = point.is_object() && point.contains("seed") && point.contains("size") &&
                        (point.contains("failed") || point.contains("accuracy"));
  if (is_point) return point;
  throw Error(ErrorKind::resume_refused, {.file = file,
                                          .what = "this is no point of a learning curve, or it is damaged",
                                          .where = "",
                                          .hint = "remove it, the point is then run again"});
}

void forget_weights(const std::string& folder) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().extension() == ".safetensors") found.push_back(entry.path());
  }
  for (const auto& path : found) std::filesystem::remove(path);
}

CurveFacts facts_of_curve(const Json& results) {
  return {.sizes = results.at("sizes").get<std::vector<std::int64_t>>(),
          .per_class = results.at("per_class").get<bool>(),
          .more = results.at("more").get<std::int64_t>(),
          .test_rows = results.at("test_rows").get<std::int64_t>(),
          .validation_rows = results.at("validation_rows").get<std::int64_t>()};
}

}  // namespace attune::study
