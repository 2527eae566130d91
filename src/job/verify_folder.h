// What verification finds without training: the inputs of a run and the files of its folder, against the manifest.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "attune/files/json.h"
#include "attune/job/prepare.h"

namespace attune::job {

/// Leaves that differ between two JSON values, as "path: old → new".
void difference(const files::Json& recorded, const files::Json& now, const std::string& path,
                std::vector<std::string>& out);

/// The inputs as the run read them; nothing where they can no longer be read since their files changed, which
/// `differences` then say.
std::optional<Prepared> prepare_again(const files::Json& manifest, const RunOptions& options,
                                      const report::EventBus& events, std::vector<std::string>& differences);

/// Tensors of the weights in the folder that have other values than the manifest says, and other files with other
/// bytes; the weights' file is not told again where check_tensors found something.
void check_tensors(const files::Json& manifest, const std::string& folder, std::vector<std::string>& differences);
void check_files(const files::Json& manifest, const std::string& folder, std::vector<std::string>& differences);

}  // namespace attune::job
