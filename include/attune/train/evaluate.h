// Running a model over rows without training it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "attune/models/model.h"
#include "attune/task/task.h"
#include "attune/train/frozen_prefix.h"
#include "attune/train/trainer.h"

namespace attune::train {

/// Rows by falling length, so that the largest batch comes first, cut into batches of at most `batch_size` × the
/// longest text tokens: packed streams have no padding, so short rows share a batch in larger numbers. A row is a text, or
/// several where it is asked for answers in words; one that is larger is a batch of its own.
std::vector<std::vector<std::int64_t>> length_batches(std::span<const task::Encoded> rows, std::int64_t batch_size);

/// predict() of trainer.h that tells `stop` after each batch how many rows are done; nothing when it said yes. `prefix`:
/// of the model, where it has one.
std::optional<std::vector<task::Prediction>> predict_until(const models::Model& model, const task::Task& task,
                                                           const Split& split, std::int64_t batch_size,
                                                           const std::function<bool(std::int64_t done)>& stop,
                                                           FrozenPrefix* prefix = nullptr);

}  // namespace attune::train
