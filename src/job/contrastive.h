// Training an encoder by pairs of its training rows (tuning.method contrastive).
#pragma once

#include "attune/job/fit.h"

namespace attune::job {

/// Under contrastive tuning says in prepared.data_summary["pairs"] how many pairs the training rows make and how many
/// steps they take: {"drawn", "alike", "unlike", "distinct_alike", "distinct_unlike", "steps"}. Error{usage} under any
/// method whose head reads vectors where rows do not have one class each.
void summarise_pairs(Prepared& prepared);

/// Trains fit.loaded.model by `job` on the pairs in place of the rows (those beyond data.rows_in_memory_mib lie in a
/// file); fills fit.result and fit.trained_rows. Errors as data::draw_pairs.
void train_on_pairs(train::TrainJob job, const FitRequest& request, Fit& fit);

}  // namespace attune::job
