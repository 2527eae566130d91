// Fits side by side: their threads, the order of their events, errors and signals. What they train is tested in tests/app.
#include "../../src/job/lanes.h"

#include <ATen/Parallel.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "attune/base/error.h"
#include "attune/base/signals.h"
#include "attune/report/cost.h"
#include "attune/report/phase.h"
#include "catch.h"
#include "raises.h"

using namespace attune;
using job::Lanes;
using Json = files::Json;

namespace {

struct Told : report::Observer {
  void on_event(const report::Event& event) override { events.push_back(event); }
  std::vector<report::Event> events;
};

/// A bus and what it was told.
struct Listening {
  Listening() { bus.add(told); }
  std::shared_ptr<Told> told = std::make_shared<Told>();
  report::EventBus bus;
};

/// Waits for what another lane does; false where it never comes.
bool wait_for(const std::function<bool()>& condition) {
  for (int i = 0; i < 2000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return condition();
}

}  // namespace

TEST_CASE("threads of a lane follow from the number of fits, not from how many are left", "[job][lanes]") {
  const auto of = [](std::size_t fits, std::size_t side_by_side, int threads) {
    const Lanes lanes(fits, side_by_side, threads);
    std::string text;
    for (std::size_t fit = 0; fit < fits; ++fit) text += std::to_string(lanes.beside(fit)) + ":" + std::to_string(lanes.threads(fit)) + " ";
    return text;
  };
  CHECK(of(4, 2, 2) == "2:1 2:1 2:1 2:1 ");
  CHECK(of(5, 2, 2) == "2:1 2:1 2:1 2:1 1:2 ");
  CHECK(of(5, 3, 8) == "3:2 3:2 3:2 2:4 2:4 ");
  CHECK(of(3, 8, 8) == "3:2 3:2 3:2 ");
  CHECK(of(2, 4, 1) == "2:1 2:1 ");
  CHECK(of(1, 4, 4) == "1:4 ");
  CHECK(of(2, 1, 4) == "1:4 1:4 ");
}

TEST_CASE("fits run side by side with their own threads, and the caller's stay as they were", "[job][lanes]") {
  const int before = at::get_num_threads();
  at::set_num_threads(4);
  std::vector<int> threads(3);
  std::atomic<int> running = 0;
  bool met = false;
  run_lanes(Lanes(3, 2, 4), Listening().bus, [&](std::size_t fit, const report::EventBus&) {
    threads[fit] = at::get_num_threads();
    ++running;
    if (fit == 0) met = wait_for([&] { return running == 2; });
    return true;
  });
  CHECK(met);
  CHECK(threads == std::vector<int>{2, 2, 4});
  CHECK(at::get_num_threads() == 4);
  int of_later_thread = 0;
  std::thread([&] { of_later_thread = at::get_num_threads(); }).join();
  CHECK(of_later_thread == 4);
  at::set_num_threads(before);
}

TEST_CASE("events of fits side by side come in one piece each, in the order of the fits", "[job][lanes]") {
  const Listening listening;
  std::atomic<bool> second_done = false;
  run_lanes(Lanes(4, 2, 2), listening.bus, [&](std::size_t fit, const report::EventBus& events) {
    const auto tell = [&](const std::string& name) { events.emit({{"event", name}, {"fit", fit}}); };
    tell("fold_begin");
    if (fit == 0) wait_for([&] { return second_done.load(); });
    for (int step = 0; step < 3; ++step) tell("step");
    tell("log");
    tell("step");
    tell("fold_end");
    if (fit == 1) second_done = true;
    return true;
  });
  std::string names;
  std::size_t latest = 0;
  for (const Json& event : listening.told->events) {
    CHECK(event["fit"].get<std::size_t>() >= latest);
    latest = event["fit"].get<std::size_t>();
    if (latest < 2) names += event["event"].get<std::string>() + " ";
  }
  CHECK(names == "fold_begin step step step log step fold_end fold_begin step log step fold_end ");
  CHECK(latest == 3);
}

TEST_CASE("what lanes take is counted as the part of the machine that it was", "[job][lanes]") {
  Listening listening;
  const auto costs = std::make_shared<report::CostTotals>();
  const auto phases = std::make_shared<report::PhaseTotals>();
  listening.bus.add(costs);
  listening.bus.add(phases);
  run_lanes(Lanes(3, 2, 2), listening.bus, [&](std::size_t, const report::EventBus& events) {
    events.emit({{"event", "phase_begin"}, {"name", "training"}});
    events.emit({{"event", "phase_begin"}, {"name", "saving"}});
    events.emit({{"event", "phase_end"}, {"name", "saving"}, {"seconds", 2.0}});
    events.emit({{"event", "phase_end"}, {"name", "training"}, {"seconds", 10.0}});
    events.emit({{"event", "cost"}, {"work", "training"}, {"tokens", 100}, {"step_seconds", 8.0}});
    return true;
  });
  CHECK(phases->seconds() == Json{{"saving", 4.0}, {"training", 16.0}});  // two at half their seconds, and one
  CHECK(costs->of("training") == Json{{"step_seconds", 16.0}, {"tokens", 300.0}});
  CHECK(listening.told->events.front().contains("lanes") == false);
}

TEST_CASE("an error stops the fits beside it and those behind, and is thrown when all have ended", "[job][lanes]") {
  const Listening listening;
  std::atomic<int> begun = 0;
  bool stopped = false;
  const auto run = [&] {
    run_lanes(Lanes(6, 2, 2), listening.bus, [&](std::size_t fit, const report::EventBus& events) {
      events.emit({{"event", "fold_begin"}, {"fit", fit}});
      ++begun;
      if (fit == 1) throw Error(ErrorKind::data, {.file = "rows", .what = "are bad", .where = "", .hint = ""});
      stopped = wait_for([] { return stop_signal() != 0; });
      return !stopped;
    });
  };
  CHECK_RAISES(run(), data, "rows: are bad");
  CHECK(stopped);
  CHECK(begun == 2);
  CHECK(stop_signal() == 0);
  REQUIRE(listening.told->events.size() == 2);
  CHECK(listening.told->events.back()["fit"] == 1);
}

TEST_CASE("of several errors that of the first fit is thrown", "[job][lanes]") {
  std::atomic<int> begun = 0;
  const auto run = [&] {
    run_lanes(Lanes(2, 2, 2), Listening().bus, [&](std::size_t fit, const report::EventBus&) -> bool {
      ++begun;
      wait_for([&] { return begun == 2; });
      if (fit == 0) wait_for([] { return stop_signal() != 0; });
      throw Error(ErrorKind::data, {.file = std::to_string(fit), .what = "is bad", .where = "", .hint = ""});
    });
  };
  CHECK_RAISES(run(), data, "0: is bad");
}

TEST_CASE("after a signal no further fit begins", "[job][lanes]") {
  const Listening listening;
  std::atomic<int> begun = 0;
  run_lanes(Lanes(6, 2, 2), listening.bus, [&](std::size_t fit, const report::EventBus& events) {
    ++begun;
    wait_for([&] { return begun == 2; });
    events.emit({{"event", "train_end"}, {"fit", fit}});
    return false;
  });
  CHECK(begun == 2);
  REQUIRE(listening.told->events.size() == 2);
  CHECK(listening.told->events.front()["fit"] == 0);
}
