// The words of the progress displays.
#include "progress_text.h"

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <vector>

#include "attune/base/clock.h"
#include "attune/base/strings.h"

namespace attune::report {
namespace {

std::string print(const char* format, double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, format, value);
  return buffer;
}

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
  const std::string repeat = place(event, "repeat", "repeat", "repeats");
  return (repeat.empty() ? "" : repeat + " ") + place(event, "fold", "fold", "folds");
}

/// The metrics of an event worth a line, in this order, without their prefix.
std::string metrics_text(const Event& event, const std::string& prefix) {
  std::string text;
  for (const char* name : {"loss", "accuracy", "f1", "exact_match", "mcc", "rmse", "pearson", "perplexity"}) {
    if (const auto value = number_in(event, (prefix + name).c_str())) {
      text += concat("  ", name, " ", short_number(*value));
    }
  }
  return text;
}

}  // namespace

std::string short_number(double value) {
  if (value == 0 || (std::abs(value) >= 1e-3 && std::abs(value) < 1e5)) return print("%.4g", value);
  return print("%.1e", value);
}

std::string short_count(double value) {
  if (value < 1000) return print("%.0f", value);
  return value < 1e6 ? print("%.1fk", value / 1e3) : print("%.1fM", value / 1e6);
}

void ProgressState::follow(const Event& event, double now) {
  const std::string kind = event.value("event", std::string());
  if (kind == "fold_begin" || kind == "seed_begin" || kind == "refit_begin") training_ = training_name(event, kind);
  if (kind == "train_begin") {
    steps_ = whole_in(event, "steps", 0);
    first_step_ = step_ = whole_in(event, "step", 0);
    begun_ = now;
    tokens_per_second_ = 0;
    loss_.reset();
    learning_rate_.reset();
  }
  if (kind != "log" && kind != "step") return;
  step_ = whole_in(event, "step", step_);
  epoch_ = number_in(event, "epoch").value_or(epoch_);
  tokens_per_second_ = number_in(event, "tokens_per_second").value_or(tokens_per_second_);
  if (const auto loss = number_in(event, "loss")) loss_ = loss;
  if (const auto rate = number_in(event, "learning_rate")) learning_rate_ = rate;
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

std::string notable_line(const Event& event) {
  const std::string kind = event.value("event", std::string());
  const std::string step = concat("step ", whole_in(event, "step", 0));
  if (kind == "evaluate") {
    const std::string epoch = concat("  epoch ", print("%.2f", number_in(event, "epoch").value_or(0)));
    return concat("evaluation  ", step, epoch, metrics_text(event, "eval_"));
  }
  if (kind == "early_stop") {
    return concat("stopping early at ", step, ": no better ", event.value("metric", "value"), " in ",
                  whole_in(event, "waited", 0), " evaluations");
  }
  if (kind == "fold_end") return concat("fold ", whole_in(event, "fold", 0), " held out", metrics_text(event, "test_"));
  if (kind == "train_begin") {
    return concat("training    ", whole_in(event, "rows", 0), " rows, ", whole_in(event, "steps", 0), " steps",
                  whole_in(event, "step", 0) > 0 ? ", from " + step : "");
  }
  if (kind == "train_end") {
    return concat("trained     ", step, " in ", format_duration(number_in(event, "seconds").value_or(0)));
  }
  if (kind == "refit_begin") return "refit on all rows";
  return "";
}

}  // namespace attune::report
