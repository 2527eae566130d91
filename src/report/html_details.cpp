// Data, model and settings of the report page.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "attune/base/counted.h"
#include "attune/base/strings.h"
#include "attune/report/units.h"
#include "charts.h"
#include "html_sections.h"
#include "html_text.h"

namespace attune::report {
namespace {

using files::Json;

constexpr std::size_t kMostCounts = 25;

std::string key_value_table(const Json& object) {
  HtmlTable table{.header = {}, .rows = {}, .figures = false};
  for (const auto& [key, value] : object.items()) {
    table.rows.push_back({escape_html(key), "<span class=\"code\">" + escape_html(value_text(value)) + "</span>"});
  }
  return table.rows.empty() ? "" : html_table(table);
}

std::string duplicates_notice(const Json& duplicates) {
  if (!duplicates.is_array() || duplicates.empty()) return "";
  std::string html;
  for (const Json& entry : duplicates) {
    const Json& between = member(entry, {"between"});
    if (!between.is_array() || between.size() != 2) continue;
    const std::int64_t rows = entry.value("rows", std::int64_t{0});
    const std::string first = value_text(between[0]), second = value_text(between[1]);
    html += "<div class=\"notice\">";
    html += escape_html(first == second ? concat(counted(rows, "row"), " of ", first,
                                                 rows == 1 ? " repeats" : " repeat", " the text of another row.")
                                        : concat(counted(rows, "text"), " of ", second,
                                                 rows == 1 ? " also occurs in " : " also occur in ", first,
                                                 "; scores on them are too good."));
    if (const Json& examples = member(entry, {"examples"}); examples.is_array()) {
      for (const Json& example : examples)
        html += "<br><small class=\"soft\">" + escape_html(value_text(example)) + "</small>";
    }
    html += "</div>\n";
  }
  return html;
}

/// "Trained on 64 of 736 training rows, 8 of each label, drawn under seed 42."
std::string subset_text(const Json& subset) {
  if (!subset.is_object()) return "";
  const Json& per_class = member(subset, {"per_class"});
  std::string text = concat("Trained on ", count_text(number_or(member(subset, {"rows"}), 0)), " of ",
                            count_text(number_or(member(subset, {"of"}), 0)), " training rows",
                            per_class.is_number() ? concat(", ", value_text(per_class), " of each label") : "",
                            ", drawn under seed ", value_text(member(subset, {"seed"})), ".");
  if (const Json& fewer = member(subset, {"short_classes"}); fewer.is_object()) {
    std::vector<std::string> names;
    for (const auto& [name, rows] : fewer.items()) names.push_back(concat(name, " (", value_text(rows), ")"));
    text += concat(" Fewer have: ", join(names, ", "), ".");
  }
  return "<p>" + escape_html(text) + "</p>\n";
}

void flatten(const Json& value, const std::string& path, std::vector<std::pair<std::string, std::string>>& rows) {
  if (!value.is_object() || value.empty()) {
    rows.emplace_back(path, value_text(value));
    return;
  }
  for (const auto& [key, part] : value.items()) flatten(part, path.empty() ? key : path + "." + key, rows);
}

std::string labels_html(const Json& labels) {
  std::vector<Bar> bars;
  double most = 0, total = 0;
  for (const auto& [label, rows] : labels.items()) {
    bars.push_back({label, number_or(rows, 0), ""});
    most = std::max(most, bars.back().value);
    total += bars.back().value;
  }
  for (Bar& bar : bars)
    bar.text = concat(count_text(bar.value), "  (", pixels(std::round(1000 * bar.value / total) / 10), "\u00a0%)");
  std::stable_sort(bars.begin(), bars.end(), [](const Bar& a, const Bar& b) { return a.value > b.value; });
  if (bars.size() <= kMostCounts)
    return "<h3>Training rows by label</h3>\n<div class=\"scroll\">" + bar_list(bars, most, "Training rows by label") +
           "</div>\n";
  std::vector<Bar> rarest(bars.end() - 10, bars.end());
  bars.resize(10);
  return concat("<h3>Training rows by label: the ten most frequent</h3>\n<div class=\"scroll\">",
                bar_list(bars, most, "Most frequent labels"),
                "</div>\n<h3>… and the ten rarest</h3>\n<div class=\"scroll\">",
                bar_list(rarest, most, "Rarest labels"), "</div>\n");
}

std::string splits_table(const Json& splits, const Json& rates) {
  if (!splits.is_object()) return "";
  HtmlTable table{.header = {"split", "rows", "share with the most frequent label"}, .rows = {}};
  bool any_rate = false;
  for (const auto& [name, split] : splits.items()) {
    const Json& rate = member(rates, {name.c_str()});
    any_rate = any_rate || rate.is_number();
    table.rows.push_back({escape_html(name), count_text(number_or(member(split, {"rows"}), 0)),
                          rate.is_number() ? percent(rate.get<double>()) : "–"});
  }
  if (!any_rate) {
    table.header.pop_back();
    for (auto& row : table.rows) row.pop_back();
  }
  return table.rows.empty() ? "" : html_table(table);
}

std::string tokens_table(const Json& tokens, const Json& max_length) {
  const std::string limit = max_length.is_number() ? concat(" (", value_text(max_length), ")") : "";
  const std::vector<std::pair<const char*, std::string>> names = {
      {"mean", "mean"},
      {"median", "median"},
      {"longest", "longest"},
      {"rows_at_max_length", "rows that reach the limit" + limit}};
  HtmlTable table{.header = {}, .rows = {}};
  for (const auto& [key, label] : names) {
    const Json& value = member(tokens, {key});
    if (value.is_number()) table.rows.push_back({label, pixels(std::round(10 * value.get<double>()) / 10)});
  }
  return table.rows.empty() ? "" : "<h3>Tokens a training row</h3>\n" + html_table(table);
}

std::string names_sentence(const Json& names, const std::string& sentence) {
  if (!names.is_array() || names.empty()) return "";
  std::vector<std::string> codes;
  for (const Json& name : names) codes.push_back("<span class=\"code\">" + escape_html(value_text(name)) + "</span>");
  return concat("<p>", sentence, ": ", join(codes, ", "), ".</p>\n");
}

/// What is trained, part by part.
std::string parts_html(const Json& model) {
  const Json& parts = member(model, {"parts"});
  if (!parts.is_array() || parts.empty()) return "";
  HtmlTable table{.header = {"part", "parameters", "trained", "share"}, .rows = {}};
  const auto add = [&](const std::string& name, double parameters, double trained) {
    table.rows.push_back({escape_html(name), count_text(parameters), count_text(trained),
                          parameters > 0 ? percent(trained / parameters) : "–"});
  };
  for (const Json& part : parts) {
    add(value_text(member(part, {"name"})), number_or(member(part, {"parameters"}), 0),
        number_or(member(part, {"trained"}), 0));
  }
  add("all", number_or(member(model, {"parameters"}), 0), number_or(member(model, {"trained"}), 0));
  return "<h3>What is trained</h3>\n" + html_table(table) +
         names_sentence(member(model, {"newly_initialised"}),
                        "New, with random values, because the base has no such tensors") +
         names_sentence(member(model, {"unused"}), "In the base's files and not used");
}

/// Only where parts learn at rates of their own.
std::string groups_html(const Json& groups) {
  if (!groups.is_array() || groups.size() < 2) return "";
  HtmlTable table{.header = {"highest rate", "weight decay", "parameters"}, .rows = {}};
  bool differ = false;
  for (const Json& group : groups) {
    const Json& rate = member(group, {"learning_rate"});
    differ = differ || rate != member(groups[0], {"learning_rate"});
    table.rows.push_back({metric_text(number_or(rate, NAN)), value_text(member(group, {"weight_decay"})),
                          count_text(number_or(member(group, {"parameters"}), 0))});
  }
  return differ ? "<h3>Learning rates by part</h3>\n" + html_table(table) : "";
}

std::string class_weights_html(const Json& weights) {
  if (!weights.is_object() || weights.empty()) return "";
  HtmlTable table{.header = {"label", "weight in the loss"}, .rows = {}};
  for (const auto& [label, weight] : weights.items())
    table.rows.push_back({escape_html(label), metric_text(number_or(weight, NAN))});
  return "<details><summary>Weights of the classes in the loss</summary>" + html_table(table) + "</details>\n";
}

std::string phases_html(const Json& phases) {
  if (!phases.is_object() || phases.empty()) return "";
  double total = 0, most = 0;
  for (const auto& [name, seconds] : phases.items()) {
    total += number_or(seconds, 0);
    most = std::max(most, number_or(seconds, 0));
  }
  std::vector<Bar> bars;
  for (const auto& [name, seconds] : phases.items()) {
    const double value = number_or(seconds, 0);
    bars.push_back({name, value, concat(metric_text(value), " s · ", percent(total > 0 ? value / total : 0))});
  }
  return "<h3>Where the time went</h3>\n<div class=\"scroll\">" + bar_list(bars, most, "Seconds of each phase") +
         "</div>\n";
}

std::string training_table(const Json& train) {
  const std::vector<std::pair<const char*, const char*>> names = {{"train_steps", "optimiser steps"},
                                                                  {"epoch", "epochs"},
                                                                  {"train_samples", "rows"},
                                                                  {"train_tokens", "tokens seen"},
                                                                  {"train_loss", "mean loss"},
                                                                  {"train_runtime", "seconds"},
                                                                  {"train_samples_per_second", "rows a second"},
                                                                  {"train_tokens_per_second", "tokens a second"}};
  HtmlTable table{.header = {}, .rows = {}};
  for (const auto& [key, label] : names) {
    const Json& value = member(train, {key});
    if (!value.is_number()) continue;
    const double number = value.get<double>();
    table.rows.push_back({label, value.is_number_integer() ? count_text(number) : pixels(number)});
  }
  return html_table(table);
}

}  // namespace

std::string data_section(const Json& summary) {
  const Json& data = member(summary, {"data"});
  if (!data.is_object()) return "";
  std::string html = splits_table(member(data, {"splits"}), member(summary, {"majority"})) +
                     subset_text(member(data, {"subset"})) +
                     duplicates_notice(member(data, {"duplicates"}));
  if (const Json& labels = member(data, {"labels"}); labels.is_object() && !labels.empty()) html += labels_html(labels);
  if (const Json& tokens = member(data, {"tokens"}); tokens.is_object())
    html += tokens_table(tokens, member(summary, {"settings", "data", "max_length"}));
  if (const Json& pairs = member(data, {"pairs"}); pairs.is_object())
    html += concat("<p>Trained on pairs of rows: ", pairs_text(pairs), ".</p>\n");
  return html;
}

std::string model_section(const Json& summary, const RunHistory& history) {
  std::string html = parts_html(history.model);
  if (const Json& reopened = member(summary, {"reopened"}); reopened.is_object()) {
    html +=
        "<p>The saved files were opened again: logits of " + escape_html(value_text(member(reopened, {"rows"}))) +
        (member(reopened, {"bit_equal"}) == Json(true)
             ? " rows are equal to the bit."
             : " rows differ by at most " + escape_html(value_text(member(reopened, {"max_abs_difference"}))) + ".") +
        "</p>\n";
  }
  html += phases_html(member(summary, {"phases"}));
  if (const Json& train = member(summary, {"train"}); train.is_object())
    html += "<h3>Training</h3>\n" + training_table(train);
  html += groups_html(history.groups) + class_weights_html(member(summary, {"train", "class_weights"}));
  const Json& given = member(summary, {"environment"});
  const Json& environment = given.is_object() ? given : history.environment;
  if (environment.is_object()) html += "<h3>Environment</h3>\n" + key_value_table(environment);
  return html;
}

std::string settings_section(const Json& summary) {
  const Json& settings = member(summary, {"settings"});
  if (!settings.is_object()) return "";
  std::string html;
  Json single = Json::object();
  for (const auto& [block, value] : settings.items()) {
    if (!value.is_object() || value.empty()) single[block] = value;
  }
  html += key_value_table(single);
  for (const auto& [block, value] : settings.items()) {
    if (!value.is_object() || value.empty()) continue;
    std::vector<std::pair<std::string, std::string>> rows;
    flatten(value, "", rows);
    HtmlTable table{.header = {}, .rows = {}, .figures = false};
    for (const auto& [key, text] : rows)
      table.rows.push_back({escape_html(key), "<span class=\"code\">" + escape_html(text) + "</span>"});
    html += concat("<h3>", escape_html(block), "</h3>\n", html_table(table));
  }
  return html;
}

}  // namespace attune::report
