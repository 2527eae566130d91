// Does a study still hold? Recomputes what its results say from the answers that were kept, and asks a part of them
// again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "attune/files/json.h"
#include "attune/report/events.h"

namespace attune::study {

struct VerifyOptions {
  std::string folder;                ///< output folder of a study
  std::optional<std::int64_t> rows;  ///< so many rows of each variant are asked again; by default a tenth, at least 8
};

/// Whether the folder holds the results of a study. Which studies there are: src/study/verifiers.cpp.
bool is_study(const std::string& folder);

/// {"run", "study": its verb, "verdict": "bit-equal" | "within tolerance" | "changed", "differences": [sentences],
/// "checked": [sentences], "not_checked": [sentences]}. Inputs that have changed are differences. Error{usage} for a
/// folder without results and for results that are damaged.
files::Json verify(const VerifyOptions& options, const report::EventBus& events);

}  // namespace attune::study
