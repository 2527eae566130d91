// Phases and their sums; events that wait for a file.
#include "attune/report/phase.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "catch.h"

using namespace attune::report;

namespace {

struct Recorder : Observer {
  void on_event(const Event& event) override { events.push_back(event); }
  std::vector<Event> events;
};

Event begin(const std::string& name) {
  return {{"event", "phase_begin"}, {"name", name}};
}
Event end(const std::string& name, double seconds) {
  return {{"event", "phase_end"}, {"name", name}, {"seconds", seconds}};
}

}  // namespace

TEST_CASE("a phase tells its begin, progress and end", "[report]") {
  EventBus bus;
  const auto recorder = std::make_shared<Recorder>();
  bus.add(recorder);
  Phase phase(bus, "tokenising", 6);
  phase.progress(4);
  const double seconds = phase.end();
  REQUIRE(recorder->events.size() == 3);
  CHECK(recorder->events[0] == Event{{"event", "phase_begin"}, {"name", "tokenising"}, {"total", 6}});
  CHECK(recorder->events[1] == Event{{"event", "phase"}, {"name", "tokenising"}, {"done", 4}, {"total", 6}});
  CHECK(recorder->events[2] ==
        Event{{"event", "phase_end"}, {"name", "tokenising"}, {"seconds", seconds}, {"total", 6}});
}

TEST_CASE("the sums count each second once, in the innermost phase", "[report]") {
  PhaseTotals totals;
  totals.on_event(begin("training"));
  for (const double seconds : {1.0, 2.0}) {
    totals.on_event(begin("evaluating"));
    totals.on_event(end("evaluating", seconds));
  }
  totals.on_event(begin("saving"));  // ended by an error
  totals.on_event(end("training", 10.0));
  totals.on_event(begin("evaluating"));
  totals.on_event(end("evaluating", 4.0));
  totals.on_event(end("loading", 1.0));  // never began
  CHECK(totals.seconds() == Event{{"evaluating", 7.0}, {"training", 7.0}});
}

TEST_CASE("energy is counted in the innermost phase too, and not known where one reading fails", "[report]") {
  std::optional<double> joules = 100.0;
  PhaseTotals totals([&] { return joules; });
  CHECK(totals.joules() == Event::object());
  totals.on_event(begin("training"));
  *joules += 7;
  totals.on_event(begin("evaluating"));
  *joules += 20;
  totals.on_event(end("evaluating", 1.0));
  *joules += 3;
  totals.on_event(end("training", 4.0));
  *joules += 1000;  // between phases
  totals.on_event(begin("evaluating"));
  *joules += 5;
  totals.on_event(end("evaluating", 1.0));
  CHECK(totals.joules() == Event{{"evaluating", 25.0}, {"training", 10.0}});
  CHECK(totals.seconds() == Event{{"evaluating", 2.0}, {"training", 3.0}});
  totals.on_event(begin("saving"));
  joules.reset();
  totals.on_event(end("saving", 1.0));
  CHECK(totals.joules().is_null());
  CHECK(totals.seconds()["saving"] == 1.0);
  CHECK(PhaseTotals().joules() == Event::object());
}

TEST_CASE("held events arrive in order once there is somewhere to put them", "[report]") {
  HeldEvents held;
  const auto recorder = std::make_shared<Recorder>();
  held.on_event({{"event", "run_begin"}});
  held.on_event({{"event", "data"}});
  CHECK(recorder->events.empty());
  held.release_to(recorder);
  held.on_event({{"event", "run_end"}});
  REQUIRE(recorder->events.size() == 3);
  CHECK(recorder->events[0]["event"] == "run_begin");
  CHECK(recorder->events[2]["event"] == "run_end");
}
