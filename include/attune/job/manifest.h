// run_manifest.json: everything a run depended on and what it produced, so that `attune verify` can say whether it still holds.
#pragma once

#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "attune/job/fit.h"

namespace attune::job {

struct ManifestInput {
  const FitRequest* request = nullptr;
  const Fit* fit = nullptr;
  files::Json reopened;  ///< what save_and_reopen found
};

/// Inputs (hashes of data, split, tokenizer, base, configuration), environment, trajectory of loss, gradient norm and weight
/// hashes, SHA-256 of every trained tensor and of the files written.
files::Json make_manifest(const ManifestInput& input, const std::string& folder);

/// The manifest of a run, with everything that `verify` reads in its type. Error{usage} when it is none.
files::Json read_manifest(const std::string& path);

/// Name → SHA-256 of the tensor's bytes, all tensors of a checkpoint folder.
std::map<std::string, std::string> tensor_hashes(const std::string& folder);

}  // namespace attune::job
