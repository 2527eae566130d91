// The command that goes on with a run that a signal stopped.
#pragma once

#include <string>
#include <vector>

namespace attune::app {

/// A command as it was given: `attune <verb> <config> --vary … --set …`.
struct GivenCommand {
  std::string verb, config;
  std::vector<std::string> overrides, vary = {};
};

/// The same for a shell, with --resume. `overwrites`: its run overwrites another, which one that goes on must not.
std::string resuming_command(const GivenCommand& given, bool overwrites);

}  // namespace attune::app
