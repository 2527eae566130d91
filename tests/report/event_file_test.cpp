// events.jsonl: what is written, and what a resumed run makes of it.
#include "attune/report/event_file.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "file_limit.h"
#include "raises.h"

using namespace attune::report;

namespace {

struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("attune_events_" + std::to_string(::getpid()));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file() const { return (path / "events.jsonl").string(); }
};

Event log_at(int step, double loss) {
  return {{"event", "log"}, {"step", step}, {"loss", loss}};
}
Event begin_at(int step) {
  return {{"event", "train_begin"}, {"step", step}};
}
Event fold(int number) {
  return {{"event", "fold_begin"}, {"fold", number}, {"repeat", 1}};
}

std::vector<double> losses(const std::string& path) {
  std::vector<double> found;
  for (const Event& event : read_events(path)) {
    if (event["event"] == "log") found.push_back(event["loss"]);
  }
  return found;
}

}  // namespace

TEST_CASE("each event is a line that is there at once", "[report]") {
  const Folder folder;
  EventFile file(folder.file());
  file.on_event(log_at(1, 0.5));
  file.on_event({{"event", "step"}, {"step", 2}});
  file.on_event({{"event", "warning"}, {"message", "bad \xff byte\nsecond line"}});
  const auto events = read_events(folder.file());
  REQUIRE(events.size() == 2);
  CHECK(events[1]["message"] == "bad \xEF\xBF\xBD byte\nsecond line");
}

TEST_CASE("a resumed training replaces the events behind its step", "[report]") {
  const Folder folder;
  {
    EventFile file(folder.file());
    for (const Event& event : {begin_at(0), log_at(10, 1), log_at(20, 2), log_at(30, 3)}) file.on_event(event);
  }
  std::ofstream(folder.file(), std::ios::app) << R"({"event": "log", "st)";  // killed while writing
  EventFile file(folder.file());
  file.on_event({{"event", "run_begin"}});
  file.on_event(begin_at(20));
  file.on_event(log_at(30, 3.5));
  CHECK(losses(folder.file()) == std::vector<double>{1, 2, 3.5});
  CHECK(read_events(folder.file())[3]["event"] == "run_begin");
}

TEST_CASE("a fold that resumes leaves other folds alone, one that starts anew loses its old events", "[report]") {
  const Folder folder;
  {
    EventFile file(folder.file());
    for (const Event& event :
         {fold(1), begin_at(0), log_at(40, 1), fold(2), begin_at(0), log_at(10, 2), log_at(20, 3)}) {
      file.on_event(event);
    }
  }
  EventFile file(folder.file());
  for (const Event& event : {Event{{"event", "run_begin"}}, fold(1), fold(2), begin_at(10), log_at(20, 4), fold(3),
                             begin_at(0), log_at(10, 5)}) {
    file.on_event(event);
  }
  CHECK(losses(folder.file()) == std::vector<double>{1, 2, 4, 5});

  EventFile again(folder.file());
  for (const Event& event : {fold(2), begin_at(0), log_at(10, 9)}) again.on_event(event);
  CHECK(losses(folder.file()) == std::vector<double>{1, 5, 9});
}

TEST_CASE("a round that resumes leaves the other rounds of its seed alone", "[report]") {
  const auto round = [](int number) { return Event{{"event", "round_begin"}, {"round", number}}; };
  std::string training = training_after({{"event", "seed_begin"}, {"seed", 7}}, "");
  for (const int number : {1, 2}) training = training_after(round(number), training);
  CHECK(training == "seed 7 round 2");
  CHECK(training_after(round(3), "") == "round 3");
  CHECK(training_after(round(3), "round 2") == "round 3");
  const Folder folder;
  {
    EventFile file(folder.file());
    for (const Event& event : {round(1), begin_at(0), log_at(10, 1), round(2), begin_at(0), log_at(10, 2), log_at(20, 3)}) file.on_event(event);
  }
  EventFile file(folder.file());
  for (const Event& event : {round(2), begin_at(10), log_at(20, 4)}) file.on_event(event);
  CHECK(losses(folder.file()) == std::vector<double>{1, 2, 4});
}

TEST_CASE("an event file that cannot be opened or read is a storage error", "[report]") {
  CHECK_THROWS_AS(EventFile("/nonexistent/folder/events.jsonl"), attune::Error);
  CHECK(read_events("/nonexistent/folder/events.jsonl").empty());
  const Folder folder;
  CHECK_RAISES(read_events(folder.path.string()), storage, "this is a folder");
}

TEST_CASE("lines that are no events are left out", "[report]") {
  const Folder folder;
  std::ofstream(folder.file()) << "[1]\nnull\n{}\n{\"event\": 3}\n{\"event\": \"seed_begin\", \"seed\": \"x\"}\n"
                               << "{\"event\": \"run_begin\", \"time\": 3}\n{\"event\": \"fold_begin\", \"fold\": 1e300}\n"
                               << "{\"event\": \"log\", \"step\": 1, \"loss\": 2}\n\xff\n";
  CHECK(losses(folder.file()) == std::vector<double>{2});
  CHECK(read_events(folder.file()).size() == 1);
}

TEST_CASE("events that find the disk full are written when there is room again", "[report]") {
  const Folder folder;
  EventFile file(folder.file());
  file.on_event(log_at(1, 1));
  attune::testing::with_file_limit(std::filesystem::file_size(folder.file()) + 10, [&] {
    file.on_event(log_at(2, 2));
    file.on_event(log_at(3, 3));
    CHECK(losses(folder.file()) == std::vector<double>{1});
    CHECK_RAISES(file.on_event({{"event", "run_end"}}), storage, "could not be written");
  });
  file.on_event(log_at(4, 4));
  CHECK(losses(folder.file()) == std::vector<double>{1, 2, 3, 4});
  CHECK(read_events(folder.file()).size() == 5);
}
