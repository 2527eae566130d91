// What holds between options: defaults that follow from others, and combinations that make no sense.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "attune/config/config.h"
#include "attune/job/options.h"

namespace attune::config {

/// Paths of options whose default follows from other options.
std::vector<std::string> derived_keys();

/// Sets the derived defaults of all options that are not in `given` (paths). Never changes what was given.
void derive_defaults(job::RunOptions& options, const std::set<std::string>& given);

/// A contradiction between options that are each valid alone.
struct Violation {
  std::vector<std::string> keys;  ///< all options that take part, the one to blame first
  std::string what;
  std::string hint;
};

/// Depends on values and the machine only, never on whether a value was written down: a dumped configuration is judged as
/// its source was.
std::vector<Violation> broken_rules(const job::RunOptions& options, const Machine& machine);

}  // namespace attune::config
