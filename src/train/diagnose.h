// What to tell when a loss, a gradient or an output is not finite, or a loss beyond all scales, and of which rows.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "attune/data/example.h"

#include "attune/task/task.h"
#include "run.h"

namespace attune::train {

/// Where rows stand in their files, at most eight of them: "train.jsonl lines 3, 7, …". `examples`: those that the rows are
/// of, empty where there are none; then only "3 rows".
std::string places_of(std::span<const task::Encoded* const> rows, const files::ListView<data::Example>& examples);

/// Throws Error{diverged} naming the step, the rows of the batch and the first trained weight that is not finite.
[[noreturn]] void loss_diverged(const Run& run, double loss, std::span<const task::Encoded* const> rows);
/// The same for a finite loss that is_lost() (loss_watch.h), of a step and of an evaluation.
[[noreturn]] void loss_lost(const Run& run, double loss, std::span<const task::Encoded* const> rows);
[[noreturn]] void validation_lost(const Run& run, double loss);
/// The same for the gradient norm, naming the first gradient that is not finite.
[[noreturn]] void gradient_diverged(const Run& run, double norm, std::span<const task::Encoded* const> rows);

/// Throws Error{diverged} naming the rows of the batch when an output is not finite: NaN must not become a label, and a
/// sort that meets it is undefined. `examples` as above.
void check_outputs(const at::Tensor& logits, const std::vector<const task::Encoded*>& rows,
                   std::span<const data::Example> examples);

}  // namespace attune::train
