// See log.h. The only file that includes spdlog.
#include "attune/base/log.h"

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace attune::log {

namespace {

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto created = std::make_shared<spdlog::logger>("attune", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    created->set_pattern("%^%l%$: %v");
    created->flush_on(spdlog::level::debug);
    return created;
  }();
  return *instance;
}

std::mutex log_mutex;  ///< over what follows and while a message is written
Level current_level = Level::info;
std::function<void()> before_message;
std::function<void(Level, std::string_view)> other_sink;

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warning: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
    case Level::off: return spdlog::level::off;
  }
  return spdlog::level::info;
}

void write(Level level, std::string_view message) {
  const std::lock_guard lock(log_mutex);
  if (other_sink) {
    if (level >= current_level) other_sink(level, message);
    return;
  }
  if (before_message && level >= current_level) before_message();
  logger().log(to_spdlog(level), "{}", message);
}

}  // namespace

void set_level(Level level) {
  const std::lock_guard lock(log_mutex);
  current_level = level;
  logger().set_level(to_spdlog(level));
}
Level level() {
  const std::lock_guard lock(log_mutex);
  return current_level;
}
void set_before_message(std::function<void()> hook) {
  const std::lock_guard lock(log_mutex);
  before_message = std::move(hook);
}
void redirect(std::function<void(Level, std::string_view)> sink) {
  const std::lock_guard lock(log_mutex);
  other_sink = std::move(sink);
}
void debug(std::string_view message) { write(Level::debug, message); }
void info(std::string_view message) { write(Level::info, message); }
void warning(std::string_view message) { write(Level::warning, message); }
void error(std::string_view message) { write(Level::error, message); }

}  // namespace attune::log
