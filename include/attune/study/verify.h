// Does a study still hold? Recomputes what its results say from the answers that were kept, and asks a part of them
// again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "attune/files/json.h"
#include "attune/report/events.h"

namespace attune::study {

struct VerifyOptions {
  std::string folder;                ///< output folder of a study
  std::optional<std::int64_t> rows;  ///< so many rows of each variant are asked again; by default a tenth, at least 8.
                                     ///< Of a meta-training so many episodes are repeated, by default all
  std::optional<std::int64_t> runs;  ///< so many trainings of a comparison or learning curve are repeated, which a keyed
                                     ///< draw chooses; by default 1. 0: none, and no prompt is asked again
};

/// Rows that are asked again of so many that were answered.
std::size_t rows_asked_again(const VerifyOptions& options, std::size_t answered);

/// Whether the folder holds the results of a study. Which studies there are: src/study/verifiers.cpp.
bool is_study(const std::string& folder);

/// {"run", "study": its verb, "verdict": "bit-equal" | "within tolerance" | "changed", "differences": [sentences],
/// "checked": [sentences], "not_checked": [sentences]}. Inputs that have changed are differences. Writes nothing into the
/// folder; trainings that are repeated lie in a temporary folder of the system as long as they last. After a signal what
/// was not done is not checked. Error{usage} for a folder without results, for results that are damaged, and for `runs`
/// of a study that has none.
files::Json verify(const VerifyOptions& options, const report::EventBus& events);

}  // namespace attune::study
