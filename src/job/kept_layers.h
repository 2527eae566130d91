// Which of the frozen layers are computed once for each text (train/frozen_prefix.h).
#pragma once

#include <memory>
#include <vector>

#include "attune/job/prepare.h"
#include "attune/models/model.h"
#include "attune/train/frozen_prefix.h"
#include "attune/train/options.h"

namespace attune::job {

/// The stages below the lowest trained one, flags as TrainJob::trainable; 0 where keeping what they give is not worth it
/// (the embeddings alone are as fast to compute as to read) or wrong (under frozen_dropout a text has other states each
/// time).
int kept_stages(const models::Model& model, const std::vector<bool>& trainable, const train::TrainingOptions& options);

/// Of the model, whose weights are as they were loaded; null where kept_stages says 0. The model and what `prepared` shares must
/// outlive it.
std::unique_ptr<train::FrozenPrefix> frozen_prefix(const models::LoadedModel& loaded, const std::vector<bool>& trainable,
                                                   const Prepared& prepared);

/// Warns where training.prefix_cache_mib gives memory to keep something, and there is nothing to keep.
void warn_of_idle_prefix_cache(const Prepared& prepared, models::Model& model);

}  // namespace attune::job
