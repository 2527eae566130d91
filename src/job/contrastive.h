// Training an encoder by pairs of its training rows (tuning.method contrastive).
#pragma once

#include "attune/job/fit.h"

namespace attune::job {

/// The pairs of these rows, each a row of two texts, in the order before they are shuffled; those beyond
/// data.rows_in_memory_mib lie in a file. Errors as data::draw_pairs.
files::LongList<task::Encoded> pairs_of(const files::ListView<task::Encoded>& rows, const RunOptions& options);

/// Under contrastive tuning says in prepared.data_summary["pairs"] how many pairs the training rows make and how many
/// steps they take: {"drawn", "alike", "unlike", "distinct_alike", "distinct_unlike", "steps"}. Error{usage} under any
/// method whose head reads vectors where rows do not have one class each.
void summarise_pairs(Prepared& prepared);

/// Trains fit.loaded.model by `job` on the pairs in place of the rows; fills fit.result and fit.trained_rows.
void train_on_pairs(train::TrainJob job, const FitRequest& request, Fit& fit);

}  // namespace attune::job
