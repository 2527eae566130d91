// Progress displays.
#include "attune/report/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string_view>

#include "attune/base/clock.h"
#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/strings.h"
#include "attune/report/table.h"
#include "progress_text.h"

namespace attune::report {
namespace {

class Silent : public Observer {
 public:
  void on_event(const Event&) override {}
};

class JsonLines : public Observer {
 public:
  explicit JsonLines(ProgressSink sink) : sink_(std::move(sink)) {}
  void on_event(const Event& event) override {
    const std::lock_guard lock(mutex_);
    *sink_.out << event.dump(-1, ' ', false, Event::error_handler_t::replace) << std::endl;
  }

 private:
  std::mutex mutex_;  ///< of the stream: messages of the log come from any thread
  ProgressSink sink_;
};

class PlainLines : public Observer {
 public:
  explicit PlainLines(ProgressSink sink) : sink_(std::move(sink)), begun_(sink_.seconds()) {}

  void on_event(const Event& event) override {
    const double now = sink_.seconds();
    state_.follow(event, now);
    std::string line = notable_line(event, state_.chosen_metric());
    if (line.empty()) line = log_only_line(event);
    if (event.value("event", std::string()) == "log") line = log_line(now);
    if (line.empty()) return;
    const bool says_so = state_.training().empty() || event.value("event", std::string()) == "fold_end";
    const std::string training = says_so ? "" : state_.training() + "  ";
    *sink_.out << concat("[", format_duration(now - begun_), "] ", training, escape_control(line)) << std::endl;
  }

 private:
  std::string log_line(double now) const {
    std::string line = concat("step ", state_.step(), "/", state_.steps(), "  ", state_.losses("  "));
    if (const std::string rate = state_.rate(now); !rate.empty()) line += "  " + rate;
    if (const auto eta = state_.eta(now)) line += "  " + format_duration(*eta) + " left";
    return line;
  }

  ProgressSink sink_;
  double begun_;
  ProgressState state_;
};

/// One line that is written over and over; lines worth keeping are printed above it.
class ProgressBar : public Observer {
 public:
  explicit ProgressBar(ProgressSink sink) : sink_(std::move(sink)) {}
  ~ProgressBar() override { wipe(); }

  /// From any thread: makes room for a message of the log.
  void clear() {
    const std::lock_guard lock(mutex_);
    wipe();
  }

  void on_event(const Event& event) override {
    const std::lock_guard lock(mutex_);
    const double now = sink_.seconds();
    state_.follow(event, now);
    const std::string kind = event.value("event", std::string());
    if (std::string line = notable_line(event, state_.chosen_metric()); !line.empty()) {
      wipe();
      const std::string training = state_.training().empty() || kind == "fold_end" ? "" : state_.training() + "  ";
      *sink_.out << training << escape_control(line) << "\n";
    }
    if (kind == "train_end" || kind == "run_end") {
      wipe();
    } else if (!is_frequent(kind) || now - drawn_at_ >= kSecondsBetweenDraws) {
      draw(now);
    }
    sink_.out->flush();
  }

 private:
  static constexpr double kSecondsBetweenDraws =
      0.1;  // no eye follows more, and a slow terminal would hold training up

  void wipe() {
    if (drawn_ == 0) return;
    *sink_.out << "\r" << std::string(drawn_, ' ') << "\r" << std::flush;
    drawn_ = 0;
  }

  static bool is_frequent(const std::string& kind) { return kind == "step" || kind == "phase"; }

  void draw(double now) {
    drawn_at_ = now;
    const std::string text = state_.trains() ? training_text(now) : state_.phase();
    if (text.empty()) {
      wipe();
    } else {
      write(text);
    }
  }

  std::string training_text(double now) const {
    if (state_.steps() <= 0) return "";
    const double share = std::min(1.0, static_cast<double>(state_.step()) / static_cast<double>(state_.steps()));
    std::string text = state_.training().empty() ? "" : state_.training() + " ";
    text += concat(meter(share), " ", static_cast<int>(share * 100), " % ", state_.step(), "/", state_.steps());
    const std::string separator = sink_.unicode ? " · " : " | ";
    const auto eta = state_.eta(now);
    for (const std::string& part :
         {state_.losses(separator), state_.rate(now), eta ? format_duration(*eta) + " left" : ""}) {
      if (!part.empty()) text += separator + part;
    }
    return text;
  }

  void write(std::string text) {
    const std::size_t width = sink_.width();
    text = fit_width(text, width > 1 ? width - 1 : 1);  // a full last column would wrap
    const std::size_t columns = display_width(text);
    *sink_.out << "\r" << text << std::string(drawn_ > columns ? drawn_ - columns : 0, ' ');
    drawn_ = std::max(columns, std::size_t{1});
  }

  std::string meter(double share) const {
    constexpr int cells = 24;
    const int filled = static_cast<int>(share * cells);
    std::string text = sink_.unicode ? "" : "[";
    for (int i = 0; i < cells; ++i) text += i < filled ? (sink_.unicode ? "━" : "#") : (sink_.unicode ? "─" : "-");
    return sink_.unicode ? text : text + "]";
  }

  std::mutex mutex_;  ///< over all that follows
  ProgressSink sink_;
  ProgressState state_;
  std::size_t drawn_ = 0;                                       // columns of the line on the screen
  double drawn_at_ = -std::numeric_limits<double>::infinity();  // by the sink's clock
};

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

bool unicode_terminal() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (!is_set(name)) continue;
    const std::string value = to_lower_ascii(std::getenv(name));
    return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

std::size_t terminal_width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

ProgressMode choose_progress_mode(const std::string& name) {
  if (name == "none") return ProgressMode::none;
  if (name == "plain") return ProgressMode::plain;
  if (name == "bar") return ProgressMode::bar;
  if (name == "json") return ProgressMode::json;
  if (name != "auto") {
    throw Error(ErrorKind::usage, {.file = "",
                                   .what = concat("unknown kind of progress '", name, "'"),
                                   .where = "--progress",
                                   .hint = "use auto, none, plain, bar or json"});
  }
  const char* terminal = std::getenv("TERM");
  const bool moves_cursor = terminal != nullptr && std::string_view(terminal) != "dumb";
  return isatty(STDERR_FILENO) != 0 && moves_cursor && !is_set("CI") ? ProgressMode::bar : ProgressMode::plain;
}

std::shared_ptr<Observer> make_progress(ProgressMode mode, ProgressSink sink) {
  switch (mode) {
    case ProgressMode::none:
      return std::make_shared<Silent>();
    case ProgressMode::plain:
      return std::make_shared<PlainLines>(std::move(sink));
    case ProgressMode::bar:
      return std::make_shared<ProgressBar>(std::move(sink));
    case ProgressMode::json:
      return std::make_shared<JsonLines>(std::move(sink));
  }
  return std::make_shared<Silent>();
}

std::shared_ptr<Observer> make_progress(const std::string& mode) {
  const Stopwatch clock;
  const ProgressSink sink{.out = &std::cerr,
                          .seconds = [clock] { return clock.seconds(); },
                          .width = terminal_width,
                          .unicode = unicode_terminal()};
  auto observer = make_progress(choose_progress_mode(mode), sink);
  if (const std::weak_ptr<ProgressBar> bar = std::dynamic_pointer_cast<ProgressBar>(observer); !bar.expired()) {
    log::set_before_message([bar] {
      if (const auto live = bar.lock()) live->clear();
    });
  }
  return observer;
}

}  // namespace attune::report
