// See summary.h.
#include "attune/job/summary.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "attune/base/clock.h"
#include "attune/base/counted.h"
#include "attune/base/print_number.h"
#include "attune/base/strings.h"
#include "attune/job/manifest.h"
#include "attune/report/openings.h"
#include "attune/report/table.h"
#include "attune/report/units.h"

namespace attune::job {

namespace {

using files::Json;

std::string number(const Json& value) {
  return value.is_number() ? print_number("%.4f", value.get<double>()) : "–";
}

std::string ends_text(const Json& interval) { return concat("[", number(interval[0]), ", ", number(interval[1]), "]"); }

std::string with_interval(const Json& metrics, const Json& intervals, const std::string& name) {
  if (!metrics.contains(name)) return "–";
  std::string text = number(metrics[name]);
  if (intervals.contains(name) && report::has_width(intervals[name])) text += "  " + ends_text(intervals[name]);
  return text;
}

/// The metrics a reader looks at first, as far as the task has them.
std::vector<std::string> main_metrics(const Json& metrics) {
  std::vector<std::string> names;
  for (const char* name : {"accuracy", "exact_match", "f1", "f1_positive", "pr_auc", "mcc", "rmse", "pearson", "rouge1", "rouge2", "rougeL",
                           "rougeLsum", "bleu", "chrf", "chrf++", "perplexity", "bits_per_byte", "loss"}) {
    if (metrics.contains(name) && metrics[name].is_number()) names.emplace_back(name);
  }
  return names;
}

/// "f1_positive" → "f1 of fraud", where the positive label is known.
std::string shown_name(const std::string& name, const Json& metrics) {
  const bool known = name == "f1_positive" && metrics.contains("thresholds");
  return known ? concat("f1 of ", metrics["thresholds"]["positive"].get<std::string>()) : report::with_unit(name, name, metrics);
}

/// On how many texts their scores rest: not every row ends with an answer.
std::string text_count(const Json& metrics) { return metrics.contains("generated") ? metrics["generated"].dump() : ""; }

/// Metric rows, a column a split; the majority rate stands beside the accuracy.
std::string split_table(const Json& results) {
  const std::vector<std::pair<std::string, std::string>> splits = {{"validation", "validation"}, {"test", "test"}};
  std::vector<std::string> header = {"metric"};
  const Json* first = nullptr;
  for (const auto& [key, title] : splits) {
    if (!results.contains(key)) continue;
    const Json& metrics = results[key]["metrics"];
    const std::string in_windows = metrics.contains("windows") ? concat(" in ", metrics["windows"].dump(), " windows") : "";
    header.push_back(concat(title, " (", counted(metrics.value("rows", 0), "row"), in_windows, ")"));
    if (first == nullptr) first = &results[key]["metrics"];
  }
  if (first == nullptr) return "";
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> majority = {"majority rate"};
  bool has_majority = false;
  for (const auto& [key, title] : splits) {
    if (!results.contains(key)) continue;
    majority.push_back(number(results["majority"][key]));
    has_majority = has_majority || results["majority"][key].is_number();
  }
  if (has_majority) rows.push_back(majority);
  if (!text_count(*first).empty()) {
    rows.push_back({"generated texts"});
    for (const auto& [key, title] : splits) {
      if (results.contains(key)) rows.back().push_back(text_count(results[key]["metrics"]));
    }
  }
  for (const std::string& name : main_metrics(*first)) {
    std::vector<std::string> row = {shown_name(name, *first)};
    for (const auto& [key, title] : splits) {
      if (results.contains(key)) row.push_back(with_interval(results[key]["metrics"], results[key]["intervals"], name));
    }
    rows.push_back(row);
  }
  return report::text_table(header, rows);
}

std::string fold_table(const Json& cv) {
  std::vector<std::vector<std::string>> rows;
  const Json& pooled = cv["pooled"]["metrics"];
  if (pooled.contains("majority_rate")) rows.push_back({"majority rate", number(cv["mean"]["majority_rate"]), "", "", number(pooled["majority_rate"])});
  if (!text_count(pooled).empty()) rows.push_back({"generated texts", "", "", "", text_count(pooled)});
  for (const std::string& name : main_metrics(cv["mean"])) {
    const Json& interval = cv["interval"][name];
    const std::string ends = report::has_width(interval) ? ends_text(interval) : "";
    rows.push_back({shown_name(name, pooled), number(cv["mean"][name]), number(cv["sd"][name]), ends,
                    with_interval(pooled, cv["pooled"]["intervals"], name)});
  }
  return report::text_table({"metric", concat("mean of ", cv["folds"].size(), " folds"), "sd", "95 % over folds", concat("all ", pooled.value("rows", 0), " held-out rows [95 % over rows]")}, rows);
}

std::string seed_table(const Json& results) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [split, metrics] : results["statistics"].items()) {
    Json means = Json::object();
    for (const auto& [name, statistic] : metrics.items()) means[name] = statistic["mean"];
    for (const std::string& name : main_metrics(means)) {
      rows.push_back({concat(split, " ", shown_name(name, means)), concat(number(metrics[name]["mean"]), " ± ", number(metrics[name]["sd"]))});
    }
  }
  return report::text_table({"metric", concat("mean ± sd of ", results["seeds"].size(), " seeds")}, rows);
}

/// A line a round of self-training.
std::string rounds_text(const Json& results) {
  std::string text;
  for (const Json& round : results.value("self_training", Json::array())) {
    text += concat(text.empty() ? "rounds    " : "          ", round["round"].dump(), ": ", report::round_text(round), "\n");
  }
  return text;
}

/// "1:29 (training 1:05, evaluating 0:08, loading 0:04)": the three longest phases, where they can be told.
std::string time_text(const Json& results) {
  std::vector<std::pair<double, std::string>> phases;
  for (const auto& [name, seconds] : results["phases"].items()) phases.emplace_back(seconds.get<double>(), name);
  std::stable_sort(phases.begin(), phases.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::string> parts;
  for (const auto& [seconds, name] : phases) {
    if (parts.size() < 3 && seconds >= 1) parts.push_back(concat(name, " ", format_duration(seconds)));
  }
  const std::string all = format_duration(results["seconds"].get<double>());
  return parts.empty() ? all : concat(all, " (", join(parts, ", "), ")");
}

/// What the run computed and what that took, as far as it is known.
std::string cost_text(const Json& results) {
  const Json cost = results.value("cost", Json::object());
  if (!cost.contains("run")) return "";
  std::vector<std::string> work;
  for (const char* part : {"training", "evaluation"}) {
    if (cost.contains(part)) work.push_back(concat(report::scaled(cost[part]["flops"].get<double>(), "FLOP"), " in ", part));
  }
  std::string text = work.empty() ? "" : concat("work      ", join(work, ", "), "\n");
  if (cost.contains("share_of_matrix_rate")) {
    const Json& rate = cost["matrix_rate"];
    text += concat("limit     training steps reached ", print_number("%.0f", 100 * cost["share_of_matrix_rate"].get<double>()), " % of ",
                   report::scaled(rate["flops_per_second"].get<double>(), "FLOP/s"), ", the rate of ", rate["precision"].get<std::string>(),
                   " products (", rate["size"].dump(), " × ", rate["size"].dump(), ") here\n");
  }
  text += concat("memory    ", report::scaled(cost["run"]["peak_memory"].get<double>(), "B"), " at most\n");
  if (cost["run"].contains("joules")) text += concat("energy    ", report::energy_text(cost["run"]["joules"].get<double>()), "\n");
  if (cost["run"].contains("money")) {
    text += concat("money     ", report::money_text(cost["run"]["money"].get<double>(), cost["currency"].get<std::string>()), "\n");
  } else if (cost.contains("money_missing")) {
    text += concat("money     not known: ", cost["money_missing"].get<std::string>(), "\n");
  }
  return text;
}

/// What keeping the work of the frozen layers was worth, where it was worth a second; "" elsewhere.
std::string saving_text(const Json& results) {
  const Json did = results.value("prefix_cache", Json::object());
  const double saved = did.value("seconds_saved", 0.0);
  if (saved < 1) return "";
  return concat("saved     ", format_duration(saved), " by using ", counted(did["computed"].get<std::int64_t>(), "text"),
                " from the frozen layers again, ", did["reused"].get<std::int64_t>(), " times in all\n");
}

}  // namespace

std::string result_table(const Json& results) {
  std::string text;
  if (results.contains("cross_validation")) text += fold_table(results["cross_validation"]) + "\n";
  if (const std::string splits = split_table(results); !splits.empty()) text += splits + "\n";
  if (results.contains("statistics")) text += seed_table(results) + "\n";
  const std::string folder = results["output_dir"].get<std::string>();
  if (results.contains("kept_seed")) text += concat("kept      the model of seed ", results["kept_seed"].dump(), ", the best of ", results["seeds"].size(), "\n");
  if (results.contains("reopened")) text += concat("model     ", folder, "/", weights_file(folder), weights_file(folder) == "model.safetensors" ? " (opens in Transformers" : " (opens in PEFT",
                                                       "; reopened, logits equal)\n");
  text += rounds_text(results);
  if (results.contains("cross_validation") && !results.contains("reopened")) {
    text += concat("folds     ", folder, "/cv/ (no model is kept; \"refit\": true trains one on all rows)\n");
  }
  for (const auto& warning : results.value("warnings", std::vector<std::string>())) text += concat("warning   ", warning, "\n");
  if (results.contains("opening")) text += concat("opened    ", report::opening_text(results["opening"]), "\n");
  text += concat("report    ", folder, "/report.html\n");
  text += concat("time      ", time_text(results));
  if (results["stopped_by"] == "early_stopping") text += ", stopped early";
  text += "\n";
  if (results.contains("gpu_memory_peak")) {
    text += concat("gpu       ", print_number("%.2f", results["gpu_memory_peak"].get<double>() / 1e9), " GB at most\n");
  }
  return text + cost_text(results) + saving_text(results);
}

}  // namespace attune::job
