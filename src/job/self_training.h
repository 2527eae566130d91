// Self-training (Yarowsky 1995; with prompts: iPET, Schick & Schütze 2021, where models of several wordings label for
// one another). A round asks a model for the labels of rows without labels, in every wording; where the wordings agree
// the row is trained on with that label. The first model is tuned on the labelled rows (or not at all), each further
// one from the base on on labelled rows and those that the newest round took.
#pragma once

#include <functional>
#include <string>

#include "attune/files/json.h"
#include "attune/job/fit.h"

namespace attune::job {

/// fit(), behind the rounds of tuning.self_training where there are any. Rounds train in <folder>/round-<n>; what a
/// round found is kept there, and a run that goes on reads it instead of asking again. Of the result `rounds` is a list
/// of {"round", "teacher", "trained_rows", "unlabelled", "agreed", "taken", "taken_by_label", "mean_agreement", and
/// with validation rows "validation":
/// {"rows", "agreed", "accuracy" of these, "accuracy_of_all"}}. Error{data} where a round takes no row; as fit().
Fit fit_with_rounds(const FitRequest& request);

/// What an earlier run of this job kept of a finished round; false where nothing lies in the round's folder. `check` is
/// given the job_fingerprint that it was made with.
bool check_round(const std::string& round_folder,
                 const std::function<void(const std::string& path, const std::string& job)>& check);

/// What --dry-run says: {"rounds", "trainings", "wordings", "start"}; null without self-training.
files::Json plan_of_rounds(const Prepared& prepared);

}  // namespace attune::job
