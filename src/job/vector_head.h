// The head that tuning.method contrastive and prototype put on the vectors of texts: computed from the training rows,
// written beside the model, and opened again.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "attune/job/fit.h"
#include "attune/task/vectors.h"

namespace attune::job {

/// Whether vectors get a head; then the model is loaded without one.
bool has_vector_head(const Prepared& prepared);

/// From the training rows of the request, by the fit's model as it is now, as a phase.
task::VectorHead fit_vector_head(const Fit& fit, const FitRequest& request);

/// Of the numbers of a head, in hex.
std::string sha256_of(const task::VectorHead& head);

/// Writes the head (classifier.safetensors), its labels (config_setfit.json), and what sentence-transformers needs to
/// make the same vectors.
void write_vector_head(const task::VectorHead& head, const Prepared& prepared, const std::string& folder);

/// Whether the folder has a model with such a head.
bool holds_vector_head(const std::string& folder);

struct StoredVectorHead {
  task::VectorHead head;
  std::vector<std::string> labels;
};
/// Error{model} where its files do not fit one another or `hidden_size`.
StoredVectorHead read_vector_head(const std::string& folder, std::int64_t hidden_size);

/// The task of the model that a run of the same options wrote to `folder` (reopen()), with its head.
std::unique_ptr<task::Task> reopen_task(const Prepared& prepared, std::vector<double> class_weights,
                                        const models::Model& model, const std::string& folder);

}  // namespace attune::job
