// Sums of what a run computed, and numbers with their units.
#include "attune/report/cost.h"

#include <nlohmann/json.hpp>

#include "attune/report/units.h"
#include "catch.h"

using namespace attune::report;

TEST_CASE("events of cost are summed by the work that they speak of", "[report]") {
  CostTotals totals;
  CHECK(totals.of("training").is_null());
  totals.on_event({{"event", "cost"}, {"step", 5}, {"epoch", 1.0}, {"work", "training"}, {"tokens", 100}, {"flops_forward", 2e12}});
  totals.on_event({{"event", "cost"}, {"step", 9}, {"work", "training"}, {"tokens", 50}, {"flops_forward", 1e12}, {"flops_frozen", 3.0}});
  totals.on_event({{"event", "cost"}, {"work", "evaluation"}, {"tokens", 7}});
  totals.on_event({{"event", "log"}, {"work", "training"}, {"tokens", 1000}});
  CHECK(totals.of("training") == Event{{"flops_forward", 3e12}, {"flops_frozen", 3.0}, {"tokens", 150.0}});
  CHECK(totals.of("evaluation") == Event{{"tokens", 7.0}});
}

TEST_CASE("numbers have three digits and a prefix that suits them", "[report]") {
  CHECK(scaled(0, "FLOP") == "0 FLOP");
  CHECK(scaled(12, "B") == "12 B");
  CHECK(scaled(999.4, "B") == "999 B");
  CHECK(scaled(999.6, "B") == "1 kB");
  CHECK(scaled(1.2345e12, "FLOP") == "1.23 TFLOP");
  CHECK(scaled(5e30, "FLOP") == "5e+09 ZFLOP");
  CHECK(energy_text(1800) == "0.5 Wh");
  CHECK(energy_text(3.6e7) == "10 kWh");
  CHECK(money_text(12.345, "EUR") == "12.35 EUR");
  CHECK(money_text(0.00423, "EUR") == "0.0042 EUR");
}
