// Does a run still hold? Compares the files, the inputs and the environment with run_manifest.json and replays its steps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "attune/files/json.h"
#include "attune/report/events.h"

namespace attune::job {

struct VerifyOptions {
  std::string run;                    ///< output folder of a run, or that of one of its seeds
  std::optional<std::int64_t> steps;  ///< replay only the first n steps of each training
};

/// {"verdict": "bit-equal" | "within tolerance" | "changed", "differences": [sentences], "environment_differences": [sentences],
///  "replays": [{"training": "seed 1" | "fold-2" | "refit", "steps", "of", "first_difference": {"step", "what"}}],
///  "steps_replayed": n, "not_replayed": [sentences]}. A fold that is replayed to its end predicts its held-out rows again.
files::Json verify(const VerifyOptions& options, const report::EventBus& events);

}  // namespace attune::job
