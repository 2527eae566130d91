// The words of the progress displays.
#include "progress_text.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "attune/base/clock.h"
#include "attune/base/counted.h"
#include "attune/base/print_number.h"
#include "attune/base/strings.h"
#include "attune/report/units.h"

namespace attune::report {
namespace {

std::optional<double> number_in(const Event& event, const char* key) {
  const auto found = event.find(key);
  if (found == event.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

std::int64_t whole_in(const Event& event, const char* key, std::int64_t otherwise) {
  return static_cast<std::int64_t>(number_in(event, key).value_or(static_cast<double>(otherwise)));
}

std::string place(const Event& event, const std::string& name, const char* at, const char* of) {
  const std::int64_t total = whole_in(event, of, 1);
  return total > 1 ? concat(name, " ", whole_in(event, at, 1), "/", total) : "";
}

std::string training_name(const Event& event, const std::string& kind) {
  if (kind == "refit_begin") return "refit";
  if (kind == "seed_begin") return place(event, "seed", "index", "seeds");
  if (kind == "point_begin") return place(event, "point", "index", "points");
  if (kind == "method_begin") return event.value("name", std::string());
  const std::string repeat = place(event, "repeat", "repeat", "repeats");
  return (repeat.empty() ? "" : repeat + " ") + place(event, "fold", "fold", "folds");
}

/// The metrics of an event worth a line, in this order, without their prefix.
std::string metrics_text(const Event& event, const std::string& prefix, const std::string& chosen_metric) {
  std::vector<std::string> names = {"loss", "accuracy", "f1", "exact_match", "mcc", "rmse", "pearson", "perplexity", "rougeL", "bleu"};
  if (std::find(names.begin(), names.end(), chosen_metric) == names.end()) names.push_back(chosen_metric);
  std::string text;
  for (const std::string& name : names) {
    if (const auto value = number_in(event, (prefix + name).c_str())) {
      text += concat("  ", name, " ", short_number(*value));
    }
  }
  return text;
}

std::string seconds_text(const Event& event, const char* key) {
  const auto seconds = number_in(event, key);
  return seconds ? print_number("%.1f s", *seconds) : "";
}

std::string label(const std::string& name) {
  return name + std::string(name.size() < 12 ? 12 - name.size() : 1, ' ');
}

std::size_t size_of(const Event& event, const char* key) {
  return event.contains(key) ? event[key].size() : 0;
}

/// ", rates from 1.2e-05 to 2.0e-04" where parts of the model learn at rates of their own.
std::string rates_text(const Event& event) {
  std::vector<double> rates;
  if (size_of(event, "groups") > 1) {
    for (const Event& group : event["groups"]) rates.push_back(number_in(group, "learning_rate").value_or(0));
  }
  if (rates.empty()) return "";
  const auto [least, most] = std::minmax_element(rates.begin(), rates.end());
  return *least == *most ? "" : concat(", rates from ", short_number(*least), " to ", short_number(*most));
}

/// "train 736, validation 160, test 288 rows, 16 labels, 20 tokens a row"; of a subset "train 64 of 736".
std::string data_line(const Event& event) {
  std::vector<std::string> splits;
  if (event.contains("splits") && event["splits"].is_object()) {
    for (const auto& [name, split] : event["splits"].items())
      splits.push_back(concat(name, " ", whole_in(split, "rows", 0)));
  }
  if (event.contains("subset") && !splits.empty()) splits.front() += concat(" of ", whole_in(event["subset"], "of", 0));
  const bool is_one = splits.size() == 1 && splits.front().ends_with(" 1");
  std::string line = label("data") + join(splits, ", ") + (is_one ? " row" : " rows");
  if (const std::size_t labels = size_of(event, "labels"); labels > 0)
    line += ", " + counted(static_cast<std::int64_t>(labels), "label");
  if (event.contains("tokens")) {
    line += concat(", ", print_number("%.0f", number_in(event["tokens"], "mean").value_or(0)),
                   " tokens a row, the longest ", whole_in(event["tokens"], "longest", 0));
  }
  if (event.contains("pairs")) line += concat("; ", pairs_text(event["pairs"]));
  if (event.contains("train_wordings")) line += concat("; training rows in ", whole_in(event, "train_wordings", 1), " wordings each");
  if (event.contains("unlabelled")) line += concat("; ", whole_in(event["unlabelled"], "rows", 0), " unlabelled");
  return line;
}

/// "trains 154,000 of 22,719,376 parameters (0.7 %): pooler, classifier; new: classifier.bias, classifier.weight".
std::string model_line(const Event& event) {
  constexpr std::size_t most = 4;
  std::string line = label("model") + event.value("description", std::string());
  if (const std::size_t count = size_of(event, "newly_initialised"); count > 0) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < std::min(count, most); ++i)
      names.push_back(event["newly_initialised"][i].get<std::string>());
    line += "; new: " + join(names, ", ");
    if (count > most) line += concat(" and ", count - most, " more");
  }
  if (const std::size_t count = size_of(event, "unused"); count > 0) {
    line += concat("; ", count, count == 1 ? " tensor" : " tensors", " of the file unused");
  }
  return line;
}

}  // namespace

std::string short_number(double value) {
  if (value == 0 || (std::abs(value) >= 1e-3 && std::abs(value) < 1e5)) return print_number("%.4g", value);
  return print_number("%.1e", value);
}

std::string short_count(double value) {
  if (value < 1000) return print_number("%.0f", value);
  return value < 1e6 ? print_number("%.1fk", value / 1e3) : print_number("%.1fM", value / 1e6);
}

void ProgressState::follow(const Event& event, double now) {
  const std::string kind = event.value("event", std::string());
  follow_phase(event, kind);
  if (kind == "fold_begin" || kind == "seed_begin" || kind == "refit_begin" || kind == "point_begin" || kind == "method_begin") outer_ = training_ = training_name(event, kind);
  if (kind == "round_begin") training_ = concat(outer_, outer_.empty() ? "" : " ", place(event, "round", "round", "rounds"));
  if (kind == "train_begin") {
    steps_ = whole_in(event, "steps", 0);
    first_step_ = step_ = whole_in(event, "step", 0);
    begun_ = now;
    tokens_per_second_ = 0;
    loss_.reset();
    learning_rate_.reset();
    const std::string metric = event.value("metric", std::string());
    chosen_metric_ = metric.rfind("eval_", 0) == 0 ? metric.substr(5) : metric;
  }
  if (kind != "log" && kind != "step") return;
  step_ = whole_in(event, "step", step_);
  epoch_ = number_in(event, "epoch").value_or(epoch_);
  tokens_per_second_ = number_in(event, "tokens_per_second").value_or(tokens_per_second_);
  if (const auto loss = number_in(event, "loss")) loss_ = loss;
  if (const auto rate = number_in(event, "learning_rate")) learning_rate_ = rate;
}

void ProgressState::follow_phase(const Event& event, const std::string& kind) {
  const std::string name = event.value("name", std::string());
  if (kind == "phase_begin") phases_.push_back({name, 0, whole_in(event, "total", 0)});
  if (kind != "phase" && kind != "phase_end") return;
  while (!phases_.empty() && phases_.back().name != name) phases_.pop_back();  // left open by an error
  if (phases_.empty()) return;
  if (kind == "phase") {
    phases_.back().done = whole_in(event, "done", 0);
  } else {
    phases_.pop_back();
  }
}

std::string ProgressState::phase() const {
  if (phases_.empty() || trains()) return "";
  const OpenPhase& phase = phases_.back();
  return phase.total > 0 ? concat(phase.name, " ", phase.done, "/", phase.total) : phase.name;
}

std::optional<double> ProgressState::eta(double now) const {
  if (step_ <= first_step_ || steps_ < step_) return std::nullopt;
  return (now - begun_) / static_cast<double>(step_ - first_step_) * static_cast<double>(steps_ - step_);
}

std::string ProgressState::rate(double now) const {
  if (tokens_per_second_ > 0) return short_count(tokens_per_second_) + " tokens/s";
  if (step_ <= first_step_ || now <= begun_) return "";
  return short_number(static_cast<double>(step_ - first_step_) / (now - begun_)) + " steps/s";
}

std::string ProgressState::losses(const std::string& separator) const {
  std::vector<std::string> parts;
  if (loss_) parts.push_back("loss " + short_number(*loss_));
  if (learning_rate_) parts.push_back("lr " + short_number(*learning_rate_));
  return join(parts, separator);
}

std::string notable_line(const Event& event, const std::string& chosen_metric) {
  const std::string kind = event.value("event", std::string());
  const std::string step = concat("step ", whole_in(event, "step", 0));
  if (kind == "data") return data_line(event);
  if (kind == "model") return model_line(event);
  if (kind == "evaluate") {
    const std::string epoch = concat("  epoch ", print_number("%.2f", number_in(event, "epoch").value_or(0)));
    return concat(label("evaluation"), step, epoch, metrics_text(event, "eval_", chosen_metric));
  }
  if (kind == "early_stop") {
    return concat("stopping early at ", step, ": no better ", event.value("metric", "value"), " in ",
                  counted(whole_in(event, "waited", 0), "evaluation"));
  }
  if (kind == "fold_end")
    return concat("fold ", whole_in(event, "fold", 0), " held out", metrics_text(event, "test_", chosen_metric));
  if (kind == "train_begin") {
    const std::int64_t windows = whole_in(event, "windows", 0);
    return concat(label("training"), counted(whole_in(event, "rows", 0), "row"),
                  windows > 0 ? " in " + counted(windows, "window") : "", ", ",
                  counted(whole_in(event, "steps", 0), "step"), rates_text(event),
                  whole_in(event, "step", 0) > 0 ? ", from " + step : "");
  }
  if (kind == "train_end") {
    return concat(label("trained"), step, " in ", format_duration(number_in(event, "seconds").value_or(0)));
  }
  if (kind == "refit_begin") return "refit on all rows";
  if (kind == "round_end") return concat(label("agreement"), round_text(event));
  if (kind == "point_begin") {
    return concat(label("point"), whole_in(event, "index", 0), " of ", whole_in(event, "points", 0), ": ", join(event.value("settings", std::vector<std::string>()), ", "));
  }
  if (kind == "method_begin") {
    return concat(label("method"), whole_in(event, "index", 0), " of ", whole_in(event, "methods", 0), ": ", event.value("name", std::string()));
  }
  return "";
}

std::string log_only_line(const Event& event) {
  const std::string kind = event.value("event", std::string());
  if (kind == "save")
    return concat(label("saved"), event.value("path", std::string()), " in ", seconds_text(event, "seconds"));
  const bool noticed = number_in(event, "seconds").value_or(0) >= 0.05;
  if (kind != "phase_end" || event.contains("step") || !noticed) return "";
  const std::int64_t total = whole_in(event, "total", 0);
  const std::string things = total > 0 ? counted(total, event.value("counted", std::string("row"))) + " in " : "";
  return label(event.value("name", std::string())) + things + seconds_text(event, "seconds");
}

}  // namespace attune::report
