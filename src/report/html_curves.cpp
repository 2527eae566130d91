// The curves of the report page: loss, validation scores, learning rate and gradient norm by step.
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

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

constexpr const char* kColours[] = {"series-a", "series-b", "series-c", "series-d"};

/// A few trainings have a colour each, named in the legend, and what the validation rows say is dashed; more of them
/// lie over each other as thin lines.
bool has_colours(const RunHistory& history) {
  std::vector<std::string> names;
  for (const TrainingHistory& training : history.trainings) names.push_back(training.name);
  return names.size() > 1 && names.size() <= std::size(kColours) && legend_fits(names);
}

/// A line a training, in its colour.
void add_coloured(LineChart& chart, const RunHistory& history, const std::string& metric, const char* dash) {
  for (std::size_t i = 0; i < history.trainings.size(); ++i) {
    const TrainingHistory& training = history.trainings[i];
    const auto curve = training.evaluations.find(metric);
    if (curve != training.evaluations.end())
      add_line(chart, training.name, curve->second, concat(kColours[i], dash), true);
  }
}

LineChart empty_chart(const std::string& title, const std::string& y_label) {
  return {.title = title, .x_label = "optimiser step", .y_label = y_label, .lines = {}, .marked_x = {}, .mark = {}};
}

/// One chart of a metric family.
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

/// Something that training tells of each step.
LineChart training_chart(const RunHistory& history, LineChart chart, Curve TrainingHistory::* curve) {
  const bool many = history.trainings.size() > 1, coloured = has_colours(history);
  for (std::size_t i = 0; i < history.trainings.size(); ++i) {
    const TrainingHistory& training = history.trainings[i];
    if (coloured) {
      add_line(chart, training.name, training.*curve, kColours[i], false);
    } else {
      add_line(chart, "training", training.*curve, many ? "series-a thin" : "series-a", false);
    }
  }
  return chart;
}

std::string loss_chart(const RunHistory& history) {
  if (!has_colours(history))
    return chart_of(history, training_chart(history, empty_chart("Loss", "loss"), &TrainingHistory::loss),
                    {{"loss", "validation"}});
  LineChart chart = training_chart(history, empty_chart("Loss", "loss"), &TrainingHistory::loss);
  const std::size_t before = chart.lines.size();
  add_coloured(chart, history, "loss", " dash-2");
  if (chart.lines.size() > before) chart.title = "Loss (dashed: validation rows)";
  return line_chart(chart);
}

/// One for all metrics, or where colours tell trainings apart one each.
std::vector<std::string> score_charts(const RunHistory& history,
                                      const std::vector<std::pair<std::string, std::string>>& scores) {
  if (scores.empty()) return {};
  if (!has_colours(history)) return {chart_of(history, empty_chart("Validation scores", "score"), scores)};
  std::vector<std::string> charts;
  for (const auto& [metric, label] : scores) {
    LineChart chart = empty_chart(label + " (validation rows)", "score");
    add_coloured(chart, history, metric, "");
    charts.push_back(line_chart(chart));
  }
  return charts;
}

/// The first three of the metrics that the trainings were evaluated by, with their labels.
std::vector<std::pair<std::string, std::string>> shown_scores(const RunHistory& history) {
  Json evaluated = Json::object();
  for (const TrainingHistory& training : history.trainings) {
    for (const auto& [metric, curve] : training.evaluations) evaluated[metric] = true;
  }
  std::vector<std::pair<std::string, std::string>> scores;
  for (const char* name :
       {"accuracy", "f1_macro", "rougeL", "rouge2", "f1", "mcc", "exact_match", "pearson", "spearman"}) {
    const std::string better = evaluated.contains("rougeL") ? "rougeL" : "f1_macro";  // (beside ROUGE f1 is in percent)
    const bool is_percent = std::string(name) == "exact_match" && better == "rougeL";
    const bool repeated = is_percent || (std::string(name) == "f1" && evaluated.contains(better));
    if (evaluated.contains(name) && !repeated && scores.size() < 3)
      scores.emplace_back(name, metric_label(name, evaluated));
  }
  return scores;
}

}  // namespace

std::string curves_section(const RunHistory& history) {
  if (history.trainings.empty()) return "";
  std::vector<std::string> charts = {loss_chart(history)};
  for (std::string& chart : score_charts(history, shown_scores(history))) charts.push_back(std::move(chart));
  charts.push_back(
      line_chart(training_chart(history, empty_chart("Learning rate", "rate"), &TrainingHistory::learning_rate)));
  charts.push_back(line_chart(
      training_chart(history, empty_chart("Gradient norm before clipping", "norm"), &TrainingHistory::grad_norm)));
  std::string html;
  for (const std::string& chart : charts) {
    if (!chart.empty()) html += "<div>" + chart + "</div>\n";
  }
  if (html.empty()) return "";
  const std::string note =
      history.trainings.size() > 1
          ? concat("<p class=\"soft\">", history.trainings.size(), " trainings laid over each other",
                   has_colours(history) ? ", each in a colour of its own" : "", ".</p>\n")
          : "";
  std::string warnings;
  for (const std::string& warning : history.warnings)
    warnings += concat("<p><strong>Warning:</strong> ", escape_html(warning), "</p>\n");
  return warnings + note + "<div class=\"charts\">" + html + "</div>\n";
}

}  // namespace attune::report
