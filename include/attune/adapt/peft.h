// Adapters in files, as PEFT writes and reads them: adapter_config.json and adapter_model.safetensors. Beside them lies
// attune_adapter.json, which PEFT ignores: the hashes of the base's weights, so that an adapter is never put on another
// base. An adapter that attune wrote also has config.json (the base's, with this head's labels) and the tokenizer
// files. Where a network made the virtual tokens, PEFT's file keeps what it gave, which is all that using the adapter
// takes; attune_prompt_encoder.safetensors keeps the network, so that training can go on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/adapt/adapter.h"
#include "attune/files/adapter_config.h"
#include "attune/files/json.h"
#include "attune/models/model.h"

namespace attune::adapt {

/// Whether `folder` holds an adapter.
bool is_adapter(const std::string& folder);

struct AdapterFolder {
  std::string folder;
  files::AdapterConfig config;
  files::Json json;  ///< adapter_config.json as read; unknown keys survive
  std::string base;  ///< folder of its base
};

/// Reads the configuration and finds the base: where base_model_name_or_path says, from the working folder or from the
/// adapter's; or at `base` where that is given. Error{model}: no adapter, no base, another base than the adapter was
/// trained on.
AdapterFolder open_adapter(const std::string& folder, const std::string& base = "");

/// The task whose head the adapter has.
models::Task adapter_task(const AdapterFolder& adapter);

/// The base with the adapter on it. `options.labels` and `.problem_type` are the adapter's own where they are empty.
/// Throws Error{model} naming a tensor that is missing, unexpected, misshapen or not finite.
models::LoadedModel load_adapted(const AdapterFolder& adapter, models::LoadOptions options);

/// What the options say, on a base that was just loaded: a new adapter, or the one to go on from.
void start_adapter(models::LoadedModel& loaded, const AdapterOptions& options, std::uint64_t seed);

/// Writes the adapter's files into `folder`. `base`: what base_model_name_or_path will say, a path made absolute. The
/// values are float32; saved modules have the model's dtype.
void save_adapter(const models::LoadedModel& loaded, const AdapterOptions& options, const std::string& base,
                  const std::string& folder);

/// Names as PEFT writes them: a parameter that the adapter trains, in adapter_model.safetensors. One of a network that
/// makes virtual tokens has none there, and is called as in the model.
std::string peft_name(const models::Parameter& parameter, const models::Model& model);

/// Names and SHA-256 of the weight files of a base folder.
files::Json base_hashes(const std::string& folder);

}  // namespace attune::adapt
