// See phase.h.
#include "attune/report/phase.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace attune::report {

Phase::Phase(Emit emit, std::string name, std::int64_t total, std::string thing)
    : emit_(std::move(emit)), name_(std::move(name)), total_(total), thing_(std::move(thing)) {
  emit_({{"event", "phase_begin"}, {"name", name_}, {"total", total_}});
}

Phase::Phase(const EventBus& events, std::string name, std::int64_t total, std::string thing)
    : Phase([&events](const Event& event) { events.emit(event); }, std::move(name), total, std::move(thing)) {}

void Phase::progress(std::int64_t done) const {
  emit_({{"event", "phase"}, {"name", name_}, {"done", done}, {"total", total_}});
}

double Phase::end() {
  const double seconds = clock_.seconds();
  Event event = {{"event", "phase_end"}, {"name", name_}, {"seconds", seconds}};
  if (total_ > 0) event["total"] = total_;
  if (total_ > 0 && thing_ != "row") event["counted"] = thing_;
  emit_(event);
  return seconds;
}

void PhaseTotals::Spent::add(const Spent& other) {
  seconds += other.seconds;
  joules = joules && other.joules ? std::optional(*joules + *other.joules) : std::nullopt;
}

std::optional<double> PhaseTotals::joules_now() {
  asked_at_ = clock_.seconds();
  return joules_ ? joules_() : std::nullopt;
}

void PhaseTotals::on_event(const Event& event) {
  constexpr double kSecondsBetweenReadings = 10;  // a counter of energy that begins anew must not do so twice
  const std::string kind = event.value("event", std::string()), name = event.value("name", std::string());
  if (kind == "phase_begin") open_.push_back({.name = name, .began_with = joules_now()});
  if (kind != "phase_end" && clock_.seconds() - asked_at_ > kSecondsBetweenReadings) joules_now();
  if (kind != "phase_end") return;
  const auto is_it = [&](const Open& open) { return open.name == name; };
  const auto found = std::find_if(open_.rbegin(), open_.rend(), is_it);
  if (found == open_.rend()) return;
  Spent whole{.seconds = event.value("seconds", 0.0) / lanes_of(event), .joules = std::nullopt}, own;
  const std::optional<double> joules = joules_now();
  if (joules && found->began_with) whole.joules = *joules - *found->began_with;
  own.seconds = std::max(0.0, whole.seconds - found->inner.seconds);
  own.joules = whole.joules && found->inner.joules ? std::optional(*whole.joules - *found->inner.joules) : std::nullopt;
  open_.erase(found.base() - 1, open_.end());  // with what an error inside it left open
  if (!open_.empty()) open_.back().inner.add(whole);
  auto known = std::find_if(totals_.begin(), totals_.end(), [&](const auto& total) { return total.first == name; });
  if (known == totals_.end()) known = totals_.insert(totals_.end(), {name, {}});
  known->second.add(own);
}

Event PhaseTotals::seconds() const {
  Event seconds = Event::object();
  for (const auto& [name, total] : totals_) seconds[name] = total.seconds;
  return seconds;
}

Event PhaseTotals::joules() const {
  Event joules = Event::object();
  for (const auto& [name, total] : totals_) {
    if (!total.joules) return nullptr;
    joules[name] = *total.joules;
  }
  return joules;
}

}  // namespace attune::report
