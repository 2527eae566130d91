// Which parameters train: the whole model, the head, or what freezing leaves.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/adapt/options.h"
#include "attune/models/model.h"

namespace attune::adapt {

/// One flag a parameter of model.parameters(). Buffers never train. `freeze.layers` includes the embeddings unless
/// `freeze.embeddings` is false; under the method of an adapter the one that the model has trains, and what goes with
/// it; `contrastive` trains all but what lies above the last layer, `prototype` nothing. `freeze.patterns` are globs (`*`, `?`, `[…]`; `*` runs over dots) over names and tied names. Error{usage}: a
/// pattern or layer that matches nothing (with the nearest name), a parameter shared by frozen and trained layers,
/// nothing left to train, nothing frozen under `method: freeze`.
std::vector<bool> trainable_parameters(models::Model& model, const TuningOptions& options);

/// One part of a model: the embeddings, a layer, or a part of the head such as "pooler" and "classifier".
struct TrainablePart {
  std::string name;
  int layer = -1;  ///< of the encoder, from 0; -1 for other parts
  std::int64_t parameters = 0;
  std::int64_t trained = 0;
};

/// The parts in order of the model, a shared tensor counted once, with the lowest part that reads it. Buffers do not
/// count.
std::vector<TrainablePart> trainable_parts(const models::Model& model, const std::vector<bool>& trainable);

/// "trains 1,803,341 of 22,713,216 parameters (7.9 %): layers 4–5, pooler, classifier".
std::string describe_trainable(const std::vector<TrainablePart>& parts);

}  // namespace attune::adapt
