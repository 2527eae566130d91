// Which parameters train: the whole model, the head, or what freezing leaves.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/adapt/options.h"
#include "attune/models/model.h"

namespace attune::adapt {

/// One flag a parameter of model.parameters(). Buffers never train. `freeze.layers` includes the embeddings unless
/// `freeze.embeddings` is false. `freeze.patterns` are globs (`*`, `?`, `[…]`; `*` runs over dots) over names and tied
/// names. Error{usage}: a pattern or layer that matches nothing (with the nearest name), a parameter shared by frozen
/// and trained layers, nothing left to train, nothing frozen under `method: freeze`.
std::vector<bool> trainable_parameters(models::Model& model, const TuningOptions& options);

/// "trains 1,803,341 of 22,713,216 parameters (7.9 %): encoder layers 4–5, pooler, classifier".
std::string describe_trainable(models::Model& model, const std::vector<bool>& trainable);

}  // namespace attune::adapt
