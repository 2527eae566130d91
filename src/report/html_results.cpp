// Results, folds and seeds of the report page.
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/strings.h"
#include "attune/report/openings.h"
#include "attune/report/units.h"
#include "charts.h"
#include "html_sections.h"
#include "html_text.h"

namespace attune::report {
namespace {

using files::Json;

std::string interval_text(const Json& interval) {
  if (!has_width(interval)) return "";
  return concat("[", metric_text(interval[0].get<double>()), ", ", metric_text(interval[1].get<double>()), "]");
}

std::string cell(const Json& metrics, const Json& intervals, const std::string& name) {
  const Json& value = member(metrics, {name.c_str()});
  if (!value.is_number()) return "–";
  if (value.is_number_integer()) return count_text(value.get<double>());
  const std::string interval = interval_text(member(intervals, {name.c_str()}));
  return metric_text(value.get<double>()) + (interval.empty() ? "" : "<small class=\"soft\">" + interval + "</small>");
}

std::string rows_note(const Json& metrics) {
  const Json &rows = member(metrics, {"rows"}), &windows = member(metrics, {"windows"});
  if (!rows.is_number()) return "";
  return concat("<br><small>", count_text(rows.get<double>()), rows == 1 ? " row" : " rows",
                windows.is_number() ? concat(" in ", count_text(windows.get<double>()), " windows") : "", "</small>");
}

/// Of two labels of which nearly all rows have one: what is found of the other, against guessing. "" elsewhere.
std::string uneven_labels_text(const Json& metrics, double majority) {
  constexpr double uneven = 0.8;
  const Json& positive = member(metrics, {"thresholds", "positive"});
  const Json& points = member(metrics, {"thresholds", "points"});
  const Json &precision = member(metrics, {"precision_positive"}), &recall = member(metrics, {"recall_positive"});
  const Json& area = member(metrics, {"pr_auc"});
  if (majority < uneven || !positive.is_string() || !precision.is_number() || !recall.is_number()) return "";
  const std::string name = "<b>" + escape_html(positive.get<std::string>()) + "</b>";
  std::string text = concat("Of the rows that are ", name, " it finds ", percent(recall.get<double>()),
                            ", and of the rows that it calls ", name, " ", percent(precision.get<double>()), " are.");
  if (area.is_number() && points.is_array() && !points.empty()) {
    text += concat(" PR-AUC is ", metric_text(area.get<double>()), "; guessing would reach ",
                   metric_text(number_or(member(points[0], {"precision"}), 0)), ".");
  }
  return text;
}

/// Whether it was worth it, as a sentence.
std::string verdict(const Json& summary, const MainSplit& split) {
  const Json& accuracy = member(*split.metrics, {"accuracy"});
  Json majority = member(summary, {"majority", split.name.c_str()});
  if (!majority.is_number()) majority = member(*split.metrics, {"majority_rate"});
  if (!accuracy.is_number() || !majority.is_number()) return "";
  const double model = accuracy.get<double>(), baseline = majority.get<double>();
  const Json& interval = member(*split.intervals, {"accuracy"});
  std::string text = concat("The model is right on <b>", percent(model), "</b> of the ", split.name, " rows");
  const bool has_interval = !interval_text(interval).empty();
  if (has_interval)
    text +=
        concat(" (95\u00a0% interval ", percent(interval[0].get<double>()), " to ", percent(interval[1].get<double>()), ")");
  text += concat("; always giving the most frequent label would be right on ", percent(baseline), ".");
  const double low = has_interval ? interval[0].get<double>() : model;
  const std::string uneven = uneven_labels_text(*split.metrics, baseline);
  if (low <= baseline && uneven.empty()) text += " <b>That is no clear gain over the most frequent label.</b>";
  if (!uneven.empty()) text += " With labels as uneven as these accuracy says little. " + uneven;
  return "<p class=\"lead\">" + text + "</p>\n";
}

std::string tiles(const MainSplit& split) {
  std::string html = "<div class=\"tiles\">\n";
  for (const std::string& name : headline_metrics(*split.metrics)) {
    const std::string interval = interval_text(member(*split.intervals, {name.c_str()}));
    html += concat("<div class=\"tile\"><span>", escape_html(metric_label(name, *split.metrics)), "</span><b>",
                   metric_text((*split.metrics)[name].get<double>()), "</b><span>",
                   interval.empty() ? "&nbsp;" : "95\u00a0% interval " + interval, "</span></div>\n");
  }
  return html + "</div>\n";
}

std::string results_table(const Json& summary) {
  struct Column {
    std::string title;
    const Json *metrics, *intervals;
  };
  std::vector<Column> columns;
  for (const char* split : {"validation", "test"}) {
    const Json& metrics = member(summary, {split, "metrics"});
    if (metrics.is_object()) columns.push_back({split, &metrics, &member(summary, {split, "intervals"})});
  }
  if (const Json& pooled = member(summary, {"cross_validation", "pooled", "metrics"}); pooled.is_object()) {
    columns.push_back(
        {"held-out folds, pooled", &pooled, &member(summary, {"cross_validation", "pooled", "intervals"})});
  }
  HtmlTable table{.header = {"metric"}, .rows = {}};
  std::vector<std::string> names;
  std::map<std::string, std::string> labels;
  for (const Column& column : columns) {
    table.header.push_back(column.title + rows_note(*column.metrics));
    for (const std::string& name : metric_names(*column.metrics)) {
      if (!labels.contains(name)) names.push_back(name);
      labels.emplace(name, metric_label(name, *column.metrics));
    }
  }
  for (const std::string& name : names) {
    std::vector<std::string> row = {escape_html(labels[name])};
    for (const Column& column : columns) row.push_back(cell(*column.metrics, *column.intervals, name));
    table.rows.push_back(std::move(row));
  }
  return names.empty() ? "" : html_table(table);
}

}  // namespace

MainSplit main_split(const Json& summary) {
  const Json* pooled = &member(summary, {"cross_validation", "pooled"});
  for (const auto& [name, scored] : {std::pair{"test", &member(summary, {"test"})}, std::pair{"held-out", pooled},
                                     std::pair{"validation", &member(summary, {"validation"})}}) {
    if (!member(*scored, {"metrics"}).is_object()) continue;
    const Json& samples = member(*scored, {"samples"});
    return {name, &member(*scored, {"metrics"}), &member(*scored, {"intervals"}), samples.is_object() ? &samples : nullptr};
  }
  return {};
}

std::vector<std::string> metric_names(const Json& metrics) {
  std::vector<std::string> names;
  const bool averages = metrics.contains("f1_macro");
  for (const auto& [name, value] : metrics.items()) {
    const bool technical = name == "rows" || name == "windows" || name.ends_with("runtime") || name.ends_with("per_second") ||
                           name == "epoch" || name == "step";
    const bool repeated =
        (averages && name == "f1") || (metrics.contains("subset_accuracy") && name == "subset_accuracy");
    if (value.is_number() && !technical && !repeated && name != "loss") names.push_back(name);
  }
  if (metrics.contains("loss") && metrics["loss"].is_number()) names.emplace_back("loss");
  return names;
}

std::vector<std::string> headline_metrics(const Json& metrics) {
  std::vector<std::string> names;
  const bool averages = metrics.contains("f1_macro");
  for (const char* name : {"accuracy", "rougeL", "bleu", "exact_match", "f1_positive", "f1_macro", "f1", "pr_auc", "mcc", "rmse", "mae",
                           "r2", "pearson", "spearman", "ece", "perplexity", "loss"}) {
    if (names.size() == 4 || (averages && std::string(name) == "f1")) continue;
    if (metrics.contains(name) && metrics[name].is_number()) names.emplace_back(name);
  }
  return names;
}

std::string results_section(const Json& summary) {
  const MainSplit split = main_split(summary);
  if (split.metrics == nullptr) return "";
  std::string html = verdict(summary, split) + tiles(split) + results_table(summary);
  const bool intervals = member(summary, {"test", "intervals"}).is_object() || split.intervals->is_object();
  if (intervals)
    html +=
        "<p class=\"soft\"><small>In brackets: 95\u00a0% intervals by bootstrap over rows (whole groups where the data has "
        "them); Wilson's of a share of all rows or none. None stands where no resample differs.</small></p>\n";
  return html + opening_html(summary);
}

namespace {

std::string fold_strips(const Json& cv) {
  std::vector<DotStrip> strips;
  for (const std::string& name : headline_metrics(member(cv, {"mean"}))) {
    DotStrip strip{.label = metric_label(name, cv["mean"]), .dots = {}, .mean = cv["mean"][name].get<double>(), .interval = {}};
    const Json& interval = member(cv, {"interval", name.c_str()});
    if (!interval_text(interval).empty()) strip.interval = Point{interval[0].get<double>(), interval[1].get<double>()};
    for (const Json& fold : cv["folds"]) {
      const Json& value = member(fold, {"metrics", name.c_str()});
      if (value.is_number())
        strip.dots.emplace_back(concat("repeat ", fold.value("repeat", 1), ", fold ", fold.value("fold", 0)),
                                value.get<double>());
    }
    strips.push_back(std::move(strip));
  }
  return dot_strips(strips);
}

std::string epochs_text(const Json& value) {
  return value.is_number() ? pixels(value.get<double>()) : "–";
}

/// The last row holds the means; a column of rows appears where the folds tell them.
std::string fold_table(const Json& cv) {
  HtmlTable table{.header = {"fold", "rows trained on", "held out", "best epoch"}, .rows = {}};
  const std::vector<std::string> names = headline_metrics(member(cv, {"mean"}));
  for (const std::string& name : names) table.header.push_back(escape_html(metric_label(name, cv["mean"])));
  const bool repeats = cv["folds"].size() > 0 && cv["folds"].back().value("repeat", 1) > 1;
  for (const Json& fold : cv["folds"]) {
    const std::string repeat = repeats ? concat(fold.value("repeat", 1), " / ") : "";
    std::vector<std::string> row = {concat(repeat, fold.value("fold", 0))};
    for (const char* part : {"train", "held_out"}) {
      const Json& rows = member(fold, {"rows", part});
      row.push_back(rows.is_number() ? count_text(rows.get<double>()) : "–");
    }
    row.push_back(epochs_text(member(fold, {"best_epoch"})));
    for (const std::string& name : names) row.push_back(cell(member(fold, {"metrics"}), Json(), name));
    table.rows.push_back(std::move(row));
  }
  std::vector<std::string> mean = {
      "mean ± sd", "", "", epochs_text(member(cv, {"median_best_epoch"})) + "<small class=\"soft\">median</small>"};
  for (const std::string& name : names)
    mean.push_back(concat(cell(cv["mean"], Json(), name), " ± ", cell(member(cv, {"sd"}), Json(), name)));
  table.rows.push_back(std::move(mean));
  return html_table(table);
}

}  // namespace

std::string folds_section(const Json& summary) {
  const Json& cv = member(summary, {"cross_validation"});
  if (!member(cv, {"folds"}).is_array()) return "";
  std::string html = "<p>Each dot is one fold, scored once on rows that its training never saw. ";
  if (member(summary, {"settings", "cross_validation", "by_time"}) == Json(true)) {
    html +=
        "Folds go by time: each trained on the rows before its block, so that later folds had more rows to train on. ";
  }
  html += "The upright is the mean, the band its 95\u00a0% interval";
  if (const Json& method = member(cv, {"interval_method"}); method.is_string())
    html += " (" + escape_html(method.get<std::string>()) + ")";
  return html + ".</p>\n" + fold_strips(cv) + fold_table(cv);
}

std::string seeds_section(const Json& summary) {
  const Json& seeds = member(summary, {"seeds"});
  if (!seeds.is_array() || seeds.size() < 2) return "";
  const bool tested = member(seeds[0], {"results", "test", "metrics"}).is_object();
  const char* split = tested ? "test" : "validation";
  std::vector<DotStrip> strips;
  const Json& first = member(seeds[0], {"results", split, "metrics"});
  for (const std::string& name : headline_metrics(first)) {
    DotStrip strip{.label = metric_label(name, first), .dots = {}, .mean = 0, .interval = {}};
    for (const Json& seed : seeds) {
      const Json& value = member(seed, {"results", split, "metrics", name.c_str()});
      if (value.is_number()) strip.dots.emplace_back("seed " + value_text(member(seed, {"seed"})), value.get<double>());
    }
    for (const auto& dot : strip.dots) strip.mean += dot.second / static_cast<double>(strip.dots.size());
    strips.push_back(std::move(strip));
  }
  std::string html = concat("<p>The same training with ", seeds.size(), " seeds, scored on the ", split,
                            " rows. The upright is the mean.");
  if (const Json& kept = member(summary, {"kept_seed"}); !kept.is_null())
    html += " The model of seed " + escape_html(value_text(kept)) + " was kept.";
  return html + "</p>\n" + dot_strips(strips);
}

}  // namespace attune::report
