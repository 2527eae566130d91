// Which tensors an adapter file holds, and what they are called there.
#pragma once

#include <string>
#include <vector>

#include "attune/adapt/adapter.h"
#include "attune/models/model.h"

namespace attune::adapt {

/// Weights of changed embeddings that PEFT writes beside their change (save_embedding_layers "auto").
std::vector<const models::Parameter*> embeddings_written(const models::Model& model);

/// With bias "all" PEFT also writes each saved module's biases under the two names that its wrapper has for them, and
/// finds them out of place when it reads them. Nothing needs them: they are let through and not written.
struct WrapperBias {
  std::string trained, original;  ///< names in the file
};
std::vector<WrapperBias> wrapper_biases(const models::Model& model, const AdapterPlan& plan);

/// The outermost module of `parameter` that `plan` saves; "" = none.
std::string saved_module(const models::Parameter& parameter, const AdapterPlan& plan);

/// What adapter_model.safetensors calls the virtual tokens.
inline constexpr const char* kVirtualTokens = "prompt_embeddings";

/// Whether the parameter belongs to virtual tokens: their numbers, or a network that makes them.
bool of_virtual_tokens(const models::Parameter& parameter);
/// Whether a network makes the model's virtual tokens.
bool has_prompt_network(const models::Model& model);

}  // namespace attune::adapt
