// Log façade: progress and warnings for people, on stderr. Results never go through it.
// Any thread may write; one message is written at a time. Hook and sink must not write messages themselves.
// src/base/log.cpp is the only file that knows spdlog (its fmt clashes with the one in LibTorch's wheel).
#pragma once

#include <functional>
#include <string_view>

namespace attune::log {

enum class Level { debug, info, warning, error, off };

void set_level(Level level);
Level level();
/// Called before each message that is shown: a progress bar takes itself off the line.
void set_before_message(std::function<void()> hook);
/// Instead of writing them, hands messages that are shown to `sink`: where stderr is read by a program.
void redirect(std::function<void(Level, std::string_view message)> sink);
void debug(std::string_view message);
void info(std::string_view message);
void warning(std::string_view message);
void error(std::string_view message);

}  // namespace attune::log
