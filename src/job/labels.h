// The labels of a job: their order, the positive one of two, their number.
#pragma once

#include "attune/job/prepare.h"

namespace attune::job {

/// The order of the base's head where that has the same labels, so that it can be kept; the positive label second. Throws
/// Error{usage} for a positive label that does not exist.
void order_labels(Prepared& prepared);

/// Warns where the second label by name was taken for the positive one and nearly all training rows have it.
void warn_of_common_positive(const Prepared& prepared);

/// Throws Error{usage} where model.num_labels says another number than the training rows, and for class weights and label
/// smoothing where the rows turn out to have several labels or numbers.
void check_labels_fit_settings(const Prepared& prepared);

}  // namespace attune::job
