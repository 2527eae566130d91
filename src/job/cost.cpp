// See cost.h.
#include "attune/job/cost.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/memory.h"
#include "attune/base/strings.h"
#include "attune/job/execution.h"
#include "attune/job/gpu.h"
#include "attune/nn/matrix_rate.h"

namespace attune::job {

namespace {

using files::Json;

constexpr double kLongRun = 60;  ///< seconds from which on some tenths more for measuring do not matter
constexpr double kHour = 3600, kKilowattHour = 3.6e6;

/// Phases of one kind of work.
using Phases = std::vector<const char*>;

double number_in(const Json& object, const char* key) {
  return object.contains(key) ? object[key].get<double>() : 0.0;
}

/// Numbers that count things, as sums of the events have them.
void make_whole(Json& object, const char* key) {
  if (object.contains(key)) object[key] = static_cast<std::int64_t>(object[key].get<double>());
}

/// Of these phases together; null where there was none of them, or where nobody knows.
Json part_of(const Json& by_phase, const Phases& phases) {
  Json part;
  for (const char* phase : phases) {
    if (by_phase.is_object() && by_phase.contains(phase)) part = (part.is_null() ? 0.0 : part.get<double>()) + by_phase[phase].get<double>();
  }
  return part;
}

void set_where_known(Json& object, const char* key, Json value) {
  if (!value.is_null()) object[key] = std::move(value);
}

}  // namespace

EnergyCounters energy_counters(const at::Device& device) {
  EnergyCounters counters = processor_energy();
  if (!device.is_cuda()) return counters;
  return counters + gpu_energy(static_cast<std::size_t>(std::max<int>(device.index(), 0)));
}

CostMeter::CostMeter(const CostOptions& options, const models::Execution& execution, EnergyCounters energy,
                     report::EventBus& events)
    : options_(options),
      execution_(execution),
      counters_(std::move(energy)),
      energy_(std::make_shared<EnergyMeter>(counters_.counters)),
      totals_(std::make_shared<report::CostTotals>()),
      phases_(std::make_shared<report::PhaseTotals>([meter = energy_] { return meter->joules(); })) {
  events.add(totals_);
  events.add(phases_);
}

Json CostMeter::phases() const {
  return phases_->seconds();
}

Json CostMeter::money(double seconds, const Json& joules) const {
  const bool by_energy = options_.price_per_kwh.has_value();
  if ((!options_.price_per_hour && !by_energy) || (by_energy && joules.is_null())) return nullptr;
  const double of_machine = options_.price_per_hour.value_or(0) * seconds / kHour;
  return of_machine + (by_energy ? *options_.price_per_kwh * joules.get<double>() / kKilowattHour : 0.0);
}

Json CostMeter::of_work(const char* work, const std::vector<const char*>& phases) const {
  Json cost = totals_->of(work);
  if (cost.is_null()) return cost;
  make_whole(cost, "tokens");
  make_whole(cost, "supervised");
  cost["flops"] = number_in(cost, "flops_forward") + number_in(cost, "flops_backward") + number_in(cost, "flops_frozen");
  const Json seconds = part_of(phases_->seconds(), phases), joules = part_of(phases_->joules(), phases);
  if (seconds.is_null()) return cost;
  cost["seconds"] = seconds;
  set_where_known(cost, "joules", joules);
  set_where_known(cost, "money", money(seconds.get<double>(), joules));
  return cost;
}

void CostMeter::add_share(double run_seconds, Json& cost) const {
  const bool wanted = options_.measure_rate == "true" || (options_.measure_rate == "auto" && run_seconds >= kLongRun);
  if (!wanted || !cost.contains("training")) return;
  const nn::MatrixRate rate = nn::matrix_rate(execution_.device, execution_.precision);
  cost["matrix_rate"] = {{"flops_per_second", rate.flops_per_second}, {"size", rate.size}};
  cost["matrix_rate"].update(describe(execution_));
  const Json& training = cost["training"];
  const double possible = training["step_seconds"].get<double>() * rate.flops_per_second;
  if (possible > 0) cost["share_of_matrix_rate"] = training["flops"].get<double>() / possible;
}

Json CostMeter::of_run(double seconds) const {
  Json cost = Json::object(), run = {{"flops", 0.0}, {"seconds", seconds}, {"peak_memory", peak_resident_memory()}};
  for (const auto& [work, phases] : {std::pair{"training", Phases{"training", "frozen layers"}}, {"evaluation", Phases{"evaluating", "embedding"}}}) {
    Json part = of_work(work, phases);
    if (part.is_null()) continue;
    run["flops"] = run["flops"].get<double>() + part["flops"].get<double>();
    cost[work] = std::move(part);
  }
  const std::optional<double> joules = energy_->joules();
  const Json known = joules ? Json(*joules) : Json();
  set_where_known(run, "joules", known);
  set_where_known(run, "money", money(seconds, known));
  if (run.contains("money")) cost["currency"] = options_.currency;
  cost["run"] = std::move(run);
  cost["energy"]["sources"] = Json::array();
  for (const EnergyCounter& counter : counters_.counters) {
    if (joules) cost["energy"]["sources"].push_back(counter.name);
  }
  if (!counters_.missing.empty()) cost["energy"]["missing"] = counters_.missing;
  if (counters_.missing.empty() && !joules) cost["energy"]["missing"] = "a counter stopped answering";
  if (options_.price_per_kwh && !joules) {
    cost["money_missing"] = concat("cost.price_per_kwh asks for the energy (", cost["energy"]["missing"].get<std::string>(), ")");
  }
  add_share(seconds, cost);
  return cost;
}

}  // namespace attune::job
