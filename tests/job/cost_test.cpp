// What a run is said to have cost, from events with fixed numbers.
#include "attune/job/cost.h"

#include <nlohmann/json.hpp>

#include "catch.h"

using namespace attune;
using files::Json;

namespace {

struct Meter {
  explicit Meter(const job::CostOptions& options = {}, EnergyCounters energy = {.counters = {}, .missing = "no counter"})
      : cost(options, {}, std::move(energy), events) {}

  void phase(const char* name, double seconds) {
    events.emit({{"event", "phase_begin"}, {"name", name}});
    events.emit({{"event", "phase_end"}, {"name", name}, {"seconds", seconds}});
  }
  /// A training of 4 s with 2.5 s of steps, and an evaluation of 1 s.
  void work() {
    events.emit({{"event", "cost"}, {"work", "training"}, {"tokens", 300}, {"supervised", 40}, {"flops_forward", 1e9}, {"flops_backward", 2e9},
                 {"flops_recomputed", 5e9}, {"flops_frozen", 5e8}, {"step_seconds", 2.5}});
    phase("training", 4.0);
    events.emit({{"event", "cost"}, {"work", "evaluation"}, {"tokens", 100}, {"flops_forward", 1e9}, {"flops_frozen", 0.0}});
    phase("evaluating", 1.0);
  }

  report::EventBus events;
  job::CostMeter cost;
};

/// A counter that grows by 9 J each time that it is read.
EnergyCounters counter() {
  const auto joules = std::make_shared<double>(0.0);
  return {.counters = {{.name = "package-0", .read = [joules] { return std::optional(*joules += 9); }, .range = 0}}, .missing = ""};
}

}  // namespace

TEST_CASE("a run's work is summed, and what is not known is not there", "[job][cost]") {
  Meter meter;
  meter.work();
  const Json cost = meter.cost.of_run(10);
  CHECK(cost["training"]["flops"] == 3.5e9);  // nothing that was computed again
  CHECK(cost["training"]["flops_recomputed"] == 5e9);
  CHECK(cost["training"]["tokens"] == 300);
  CHECK(cost["training"]["tokens"].is_number_integer());
  CHECK(cost["training"]["seconds"] == 4.0);
  CHECK(cost["evaluation"]["flops"] == 1e9);
  CHECK(cost["run"]["flops"] == 4.5e9);
  CHECK(cost["run"]["seconds"] == 10);
  CHECK(cost["run"]["peak_memory"].get<std::int64_t>() > 0);
  CHECK(cost["energy"] == Json{{"sources", Json::array()}, {"missing", "no counter"}});
  for (const char* part : {"training", "evaluation", "run"}) {
    CHECK_FALSE(cost[part].contains("joules"));
    CHECK_FALSE(cost[part].contains("money"));
  }
  CHECK_FALSE(cost.contains("currency"));
  CHECK_FALSE(cost.contains("matrix_rate"));  // a short run
  CHECK_FALSE(Meter().cost.of_run(1).contains("training"));
}

TEST_CASE("money is the price of the time and of the energy", "[job][cost]") {
  Meter by_hour({.price_per_hour = 7.2, .price_per_kwh = {}, .currency = "EUR"});
  by_hour.work();
  const Json cost = by_hour.cost.of_run(10);
  CHECK(cost["currency"] == "EUR");
  CHECK(cost["run"]["money"].get<double>() == Approx(0.02));
  CHECK(cost["training"]["money"].get<double>() == Approx(0.008));
  CHECK(cost["evaluation"]["money"].get<double>() == Approx(0.002));

  Meter unknown({.price_per_hour = 7.2, .price_per_kwh = 0.4});
  const Json in_part = unknown.cost.of_run(10);
  CHECK_FALSE(in_part["run"].contains("money"));  // a part would be missing
  CHECK(in_part["money_missing"].get<std::string>().starts_with("cost.price_per_kwh asks for the energy ("));
  CHECK_FALSE(cost.contains("money_missing"));

  // Read when the meter is made, at both ends of two phases, and at the end: 9 J a phase, 45 J in all.
  Meter both({.price_per_hour = 7.2, .price_per_kwh = 400.0}, counter());
  both.work();
  const Json known = both.cost.of_run(10);
  CHECK(known["energy"] == Json{{"sources", {"package-0"}}});
  CHECK(known["training"]["joules"] == 9.0);
  CHECK(known["run"]["joules"] == 45.0);
  CHECK(known["run"]["money"].get<double>() == Approx(0.02 + 0.005));
  CHECK(known["training"]["money"].get<double>() == Approx(0.008 + 0.001));
}

TEST_CASE("the share of the machine's limit is the model's work by what the steps' time could have done", "[job][cost]") {
  job::CostOptions options;
  options.measure_rate = "true";
  Meter meter(options);
  meter.work();
  const Json cost = meter.cost.of_run(10);
  const double rate = cost["matrix_rate"]["flops_per_second"].get<double>();
  CHECK(rate > 1e8);
  CHECK(cost["matrix_rate"]["precision"] == "float32");
  CHECK(cost["matrix_rate"]["device"] == "cpu");
  CHECK(cost["share_of_matrix_rate"].get<double>() == Approx(3.5e9 / (2.5 * rate)));
  options.measure_rate = "false";
  Meter never(options);
  never.work();
  CHECK_FALSE(never.cost.of_run(1000).contains("matrix_rate"));
}
