// The curves of the report page: loss, validation scores, learning rate and gradient norm by step.
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/strings.h"
#include "charts.h"
#include "html_sections.h"
#include "html_text.h"

namespace attune::report {

using files::Json;

namespace {

std::vector<Point> points_of(const Curve& curve) {
  return {curve.begin(), curve.end()};
}

void add_line(LineChart& chart, const std::string& name, const Curve& curve, std::string css, bool dots) {
  if (!curve.empty()) chart.lines.push_back({name, points_of(curve), std::move(css), dots});
}

/// One chart of a metric family; many trainings lie over each other as thin lines.
std::string chart_of(const RunHistory& history, LineChart chart,
                     const std::vector<std::pair<std::string, std::string>>& evaluations) {
  static const char* const series[] = {"series-b", "series-a", "series-c", "series-d"};
  const bool many = history.trainings.size() > 1;
  for (const TrainingHistory& training : history.trainings) {
    std::size_t next = 0;
    for (const auto& [metric, name] : evaluations) {
      const auto curve = training.evaluations.find(metric);
      const std::string css = series[next++ % 4];
      if (curve != training.evaluations.end()) add_line(chart, name, curve->second, css + (many ? " thin" : ""), !many);
    }
  }
  if (!many && !history.trainings.empty() && history.trainings[0].best_step && !evaluations.empty()) {
    chart.marked_x = history.trainings[0].best_step;
    chart.mark = "best";
  }
  return line_chart(chart);
}

std::string plain_chart(const RunHistory& history, const std::string& title, const std::string& y_label,
                        Curve TrainingHistory::* curve) {
  LineChart chart{
      .title = title, .x_label = "optimiser step", .y_label = y_label, .lines = {}, .marked_x = {}, .mark = {}};
  for (const TrainingHistory& training : history.trainings) {
    add_line(chart, "training", training.*curve, history.trainings.size() > 1 ? "series-a thin" : "series-a", false);
  }
  return line_chart(chart);
}

}  // namespace

std::string curves_section(const RunHistory& history) {
  if (history.trainings.empty()) return "";
  const bool many = history.trainings.size() > 1;
  LineChart loss{
      .title = "Loss", .x_label = "optimiser step", .y_label = "loss", .lines = {}, .marked_x = {}, .mark = {}};
  for (const TrainingHistory& training : history.trainings)
    add_line(loss, "training", training.loss, many ? "series-a thin" : "series-a", false);
  Json evaluated = Json::object();
  for (const TrainingHistory& training : history.trainings) {
    for (const auto& [metric, curve] : training.evaluations) evaluated[metric] = true;
  }
  std::vector<std::string> charts = {chart_of(history, loss, {{"loss", "validation"}})};
  std::vector<std::pair<std::string, std::string>> scores;
  for (const char* name :
       {"accuracy", "f1_macro", "rougeL", "rouge2", "f1", "mcc", "exact_match", "pearson", "spearman"}) {
    const std::string better = evaluated.contains("rougeL") ? "rougeL" : "f1_macro";  // (beside ROUGE f1 is in percent)
    const bool is_percent = std::string(name) == "exact_match" && better == "rougeL";
    const bool repeated = is_percent || (std::string(name) == "f1" && evaluated.contains(better));
    if (evaluated.contains(name) && !repeated && scores.size() < 3)
      scores.emplace_back(name, metric_label(name, evaluated));
  }
  if (!scores.empty()) {
    charts.push_back(chart_of(history,
                              {.title = "Validation scores",
                               .x_label = "optimiser step",
                               .y_label = "score",
                               .lines = {},
                               .marked_x = {},
                               .mark = {}},
                              scores));
  }
  charts.push_back(plain_chart(history, "Learning rate", "rate", &TrainingHistory::learning_rate));
  charts.push_back(plain_chart(history, "Gradient norm before clipping", "norm", &TrainingHistory::grad_norm));
  std::string html;
  for (const std::string& chart : charts) {
    if (!chart.empty()) html += "<div>" + chart + "</div>\n";
  }
  if (html.empty()) return "";
  const std::string note =
      many ? concat("<p class=\"soft\">", history.trainings.size(), " trainings laid over each other.</p>\n") : "";
  std::string warnings;
  for (const std::string& warning : history.warnings)
    warnings += concat("<p><strong>Warning:</strong> ", escape_html(warning), "</p>\n");
  return warnings + note + "<div class=\"charts\">" + html + "</div>\n";
}

}  // namespace attune::report
