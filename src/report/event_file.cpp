// events.jsonl.
#include "attune/report/event_file.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/files/storage.h"

namespace attune::report {
namespace {

double step_of(const Event& event) {
  const auto step = event.find("step");
  return step != event.end() && step->is_number() ? step->get<double>() : -1;
}

std::string name_of(const Event& event) {
  return event.value("event", std::string());
}

/// Whether what a file says is an event whose fields have the types that are read here.
bool is_event(const Event& event) {
  if (!event.is_object() || !event.contains("event") || !event["event"].is_string()) return false;
  const auto is_whole = [&](const char* key) { return !event.contains(key) || event[key].is_number_integer(); };
  const bool is_dated = !event.contains("time") || event["time"].is_string();
  return is_dated && is_whole("seed") && is_whole("repeat") && is_whole("fold") && is_whole("round");
}

/// The text as events cannot always be UTF-8 (file names), bad bytes become U+FFFD.
std::string text_of(const Event& event) {
  return event.dump(-1, ' ', false, Event::error_handler_t::replace) + "\n";
}

/// "seed 42 round 2": a round of the training that is under way.
std::string round_of(const std::string& training, std::int64_t round) {
  const std::string outer = training.substr(0, std::min(training.find("round "), training.size()));
  return concat(outer, outer.empty() || outer.ends_with(' ') ? "" : " ", "round ", round);
}

}  // namespace

std::string training_after(const Event& event, const std::string& current) {
  const std::string name = name_of(event);
  if (name == "run_begin") return "";
  if (name == "seed_begin") return concat("seed ", event.value("seed", 0LL));
  if (name == "fold_begin") return concat("repeat ", event.value("repeat", 1LL), " fold ", event.value("fold", 0LL));
  if (name == "refit_begin") return "refit";
  if (name == "round_begin") return round_of(current, event.value("round", 0LL));
  return current;
}

std::vector<Event> read_events(const std::string& path) {
  std::vector<Event> events;
  if (!path_exists(path, ErrorKind::storage)) return events;
  std::istringstream lines(files::read_file(path, ErrorKind::storage));
  for (std::string line; std::getline(lines, line);) {
    Event event = Event::parse(line, nullptr, false);
    if (is_event(event)) events.push_back(std::move(event));
  }
  return events;
}

EventFile::EventFile(std::string path) : path_(std::move(path)) {
  read();
  open();
}

void EventFile::open() {
  file_.clear();
  file_.open(path_, std::ios::app | std::ios::binary);
  std::error_code error;
  size_ = std::filesystem::file_size(path_, error);
  if (file_ && !error) return;
  throw Error(ErrorKind::storage, {.file = path_, .what = "cannot be written", .where = "", .hint = ""});
}

void EventFile::read() {
  if (!path_exists(path_, ErrorKind::storage)) return;
  std::string training, whole;
  for (const Event& event : read_events(path_)) {
    training = training_after(event, training);
    earlier_.push_back({text_of(event), training, step_of(event)});
    whole += earlier_.back().text;
  }
  files::write_file_atomically(path_, whole);
}

void EventFile::on_event(const Event& event) {
  const std::string name = name_of(event);
  if (name == "step" || name == "phase" || name == "phase_begin") return;
  training_ = training_after(event, training_);
  if (name == "train_begin") cut_behind(std::max(0.0, step_of(event)));
  const std::string text = text_of(event);
  if (!earlier_.empty()) written_ += text;
  pending_ += text;
  if (write_pending()) return;
  if (name == "run_end") {
    throw Error(ErrorKind::storage,
                {.file = path_, .what = "could not be written", .where = "", .hint = "free some space on the disk"});
  }
  if (!std::exchange(warned_, true)) log::warning(concat(path_, ": could not be written, tried again with each event"));
}

/// All or nothing: half a line would swallow the one that comes after it.
bool EventFile::write_pending() {
  file_ << pending_ << std::flush;
  if (file_) {
    size_ += pending_.size();
    pending_.clear();
    return true;
  }
  file_.close();
  std::error_code ignored;
  std::filesystem::resize_file(path_, size_, ignored);
  open();
  return false;
}

void EventFile::cut_behind(double step) {
  const auto stale = [&](const Line& line) {
    return line.training == training_ && line.step >= 0 && (line.step > step || step == 0);
  };
  if (std::erase_if(earlier_, stale) == 0) return;
  std::string whole;
  for (const Line& line : earlier_) whole += line.text;
  file_.close();
  files::write_file_atomically(path_, whole + written_);
  open();
}

}  // namespace attune::report
