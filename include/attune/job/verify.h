// Does a run still hold? Compares the files, the inputs and the environment with run_manifest.json and replays its steps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "attune/files/json.h"

namespace attune::job {

struct VerifyOptions {
  std::string run;                    ///< output folder of a run
  std::optional<std::int64_t> steps;  ///< replay only the first n steps
};

/// {"verdict": "bit-equal" | "within tolerance" | "changed", "differences": [sentences], "steps_replayed": n,
///  "first_difference": {"step", "what"}}.
files::Json verify(const VerifyOptions& options);

}  // namespace attune::job
