// See schedule.h. s: updates done, W: warmup steps, T: all steps.
#include "attune/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/strings.h"

namespace attune::optim {

namespace {

using Keywords = std::vector<std::string>;

/// Every schedule and the keywords of lr_scheduler_kwargs that it reads.
const std::map<std::string, Keywords>& table() {
  static const std::map<std::string, Keywords> kTable = {
      {"constant", {}},
      {"constant_with_warmup", {}},
      {"linear", {}},
      {"cosine", {"num_cycles"}},
      {"cosine_with_restarts", {"num_cycles"}},
      {"polynomial", {"lr_end", "power"}},
      {"inverse_sqrt", {"timescale"}},
      {"cosine_with_min_lr", {"num_cycles", "min_lr", "min_lr_rate"}},
      {"cosine_warmup_with_min_lr", {"num_cycles", "min_lr", "min_lr_rate", "warmup_lr_rate"}},
      {"warmup_stable_decay", {"num_decay_steps", "num_stable_steps", "min_lr_ratio", "num_cycles"}},
  };
  return kTable;
}

[[noreturn]] void refuse(const std::string& what, const std::string& key, const std::string& hint) {
  throw Error(ErrorKind::usage, {.file = "", .what = what, .where = key, .hint = hint});
}

void check_keywords(const ScheduleOptions& options) {
  const auto row = table().find(options.type);
  if (row == table().end()) {
    const std::string nearest = nearest_name(options.type, schedule_names());
    refuse(concat("unknown schedule '", options.type, "'"), "training.lr_scheduler_type",
           nearest.empty() ? concat("one of ", join(schedule_names(), ", ")) : concat("did you mean '", nearest, "'?"));
  }
  for (const auto& [name, value] : options.kwargs) {
    if (std::count(row->second.begin(), row->second.end(), name) > 0) continue;
    refuse(concat("schedule '", options.type, "' has no keyword '", name, "'"), "training.lr_scheduler_kwargs",
           row->second.empty() ? "it takes none" : concat("it takes ", join(row->second, ", ")));
  }
}

double cosine(double cycles, double progress) {
  return 0.5 * (1.0 + std::cos(std::numbers::pi * cycles * 2.0 * progress));
}

double min_rate(const ScheduleOptions& options) {
  const auto ratio = options.kwargs.find("min_lr_rate");
  const auto rate = options.kwargs.find("min_lr");
  const bool has_ratio = ratio != options.kwargs.end(), has_rate = rate != options.kwargs.end();
  if (has_ratio == has_rate) {
    refuse(concat("schedule '", options.type, "' needs one of min_lr and min_lr_rate"), "training.lr_scheduler_kwargs",
           "give exactly one");
  }
  return has_ratio ? ratio->second : rate->second / options.learning_rate;
}

}  // namespace

std::vector<std::string> schedule_names() {
  std::vector<std::string> names;
  for (const auto& [name, keywords] : table()) names.push_back(name);
  return names;
}

std::int64_t warmup_steps(double setting, std::int64_t total_steps) {
  return static_cast<std::int64_t>(setting < 1 ? std::ceil(static_cast<double>(total_steps) * setting) : setting);
}

Schedule::Schedule(ScheduleOptions options) : options_(std::move(options)) {
  check_keywords(options_);
  const std::string& type = options_.type;
  if (type == "cosine_with_min_lr" || type == "cosine_warmup_with_min_lr") min_rate_ = min_rate(options_);
  if (type == "warmup_stable_decay" && !options_.kwargs.contains("num_decay_steps")) {
    refuse("schedule 'warmup_stable_decay' needs num_decay_steps", "training.lr_scheduler_kwargs", "give it");
  }
  if (type == "polynomial" && options_.learning_rate <= argument("lr_end", 1e-7)) {
    refuse("lr_end must be below learning_rate", "training.lr_scheduler_kwargs", "lower it");
  }
}

double Schedule::argument(const std::string& name, double fallback) const {
  const auto entry = options_.kwargs.find(name);
  return entry == options_.kwargs.end() ? fallback : entry->second;
}

double Schedule::factor(std::int64_t step) const {
  const auto s = static_cast<double>(step);
  const auto warmup = static_cast<double>(options_.warmup_steps);
  if (options_.type == "constant") return 1.0;
  if (step >= options_.warmup_steps) return after_warmup(s);
  if (options_.type == "warmup_stable_decay") {
    const double ratio = argument("min_lr_ratio", 0.0);
    return std::max(0.0, s / warmup * (1.0 - ratio) + ratio);
  }
  if (options_.type == "cosine_warmup_with_min_lr") {
    if (!options_.kwargs.contains("warmup_lr_rate")) return (s + 1.0) / warmup;
    const double first = argument("warmup_lr_rate", 0.0);
    return first + (1.0 - first) * s / std::max(1.0, warmup - 1.0);
  }
  return s / warmup;
}

double Schedule::after_warmup(double s) const {
  const auto warmup = static_cast<double>(options_.warmup_steps);
  const auto total = static_cast<double>(options_.total_steps);
  const double span = std::max(1.0, total - warmup);
  const double progress = (s - warmup) / span;
  const std::string& type = options_.type;
  if (type == "linear") return std::max(0.0, (total - s) / span);
  if (type == "cosine") return std::max(0.0, cosine(argument("num_cycles", 0.5), progress));
  if (type == "cosine_with_restarts") {
    if (progress >= 1.0) return 0.0;
    return std::max(0.0, cosine(0.5, std::fmod(argument("num_cycles", 1.0) * progress, 1.0)));
  }
  if (type == "polynomial") {
    const double first = options_.learning_rate, last = argument("lr_end", 1e-7);
    if (s > total || total <= warmup) return last / first;
    return ((first - last) * std::pow(1.0 - progress, argument("power", 1.0)) + last) / first;
  }
  if (type == "inverse_sqrt") {
    const double scale = argument("timescale", warmup > 0 ? warmup : 10000.0);
    return 1.0 / std::sqrt((s + scale - warmup) / scale);
  }
  if (type == "cosine_with_min_lr") {
    return std::max(0.0, cosine(argument("num_cycles", 0.5), progress) * (1.0 - min_rate_) + min_rate_);
  }
  if (type == "cosine_warmup_with_min_lr") {
    const double f = cosine(argument("num_cycles", 0.5), (s - warmup + 1.0) / span);
    return std::max(0.0, f * (1.0 - min_rate_) + min_rate_);
  }
  if (type == "warmup_stable_decay") {
    const double decay = argument("num_decay_steps", 0.0), ratio = argument("min_lr_ratio", 0.0);
    const double stable = argument("num_stable_steps", total - warmup - decay);
    if (s < warmup + stable) return 1.0;
    if (s >= warmup + stable + decay) return ratio;
    const double f = cosine(argument("num_cycles", 0.5), (s - warmup - stable) / std::max(1.0, decay));
    return std::max(0.0, f * (1.0 - ratio) + ratio);
  }
  return 1.0;  // constant_with_warmup
}

}  // namespace attune::optim
