// run_manifest.json: everything a run depended on and what it produced, so that `attune verify` can say whether it still holds.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "attune/job/fit.h"

namespace attune::job {

/// A fit whose model stays in the folder, a cross-validation, or both.
struct ManifestInput {
  const Prepared* prepared = nullptr;
  const FitRequest* request = nullptr;  ///< null after a cross-validation without refit
  const Fit* fit = nullptr;             ///< goes with `request`
  files::Json reopened;                 ///< goes with `request`: what save_and_reopen found
  files::Json cross_validation;         ///< CrossValidationOutcome::manifest, or null
};

/// Inputs (hashes of data, split, tokenizer, base, configuration), environment, and of the fit and of each fold the
/// trajectory of loss, gradient norm and weight hashes; SHA-256 of every tensor of the model and of the files of `folder`.
files::Json make_manifest(const ManifestInput& input, const std::string& folder);

/// The manifest of a run, with everything that `verify` reads in its type. Error{usage} when it is none.
files::Json read_manifest(const std::string& path);
/// [{"step", "loss", "grad_norm", "weights_sha256" at recorded steps}].
files::Json trajectory_json(const std::vector<train::TrajectoryPoint>& trajectory);

/// The file in which a run's folder has its weights, or those of its adapter.
std::string weights_file(const std::string& folder);
/// Name → SHA-256 of the tensor's bytes, all tensors of a checkpoint or adapter folder.
std::map<std::string, std::string> tensor_hashes(const std::string& folder);

/// Name → SHA-256 of the files that a run leaves for others: model, tokenizer, results, predictions, and those of cv/. Not
/// of what is written on after the manifest (events, report) or compared by value (config.resolved.json).
std::map<std::string, std::string> file_hashes(const std::string& folder);

}  // namespace attune::job
