// attune info: the build and the machine, or what a model folder holds.
#include <cstdio>

#include <nlohmann/json.hpp>

#include "attune/app/verbs.h"
#include "attune/job/environment.h"
#include "attune/models/model.h"

namespace attune::app {

namespace {

files::Json describe_model(const std::string& path) {
  const std::string folder = models::resolve_model_path(path);
  models::LoadOptions options;
  options.task = models::Task::base;
  const models::LoadedModel loaded = models::load_model(folder, options);
  std::int64_t parameters = 0;
  for (const models::Parameter& parameter : loaded.model->parameters()) parameters += parameter.tensor.numel();
  const models::ModelSpec& spec = loaded.model->spec();
  return {{"folder", folder}, {"model_type", spec.model_type}, {"parameters", parameters}, {"layers", spec.num_hidden_layers},
          {"hidden_size", spec.hidden_size}, {"attention_heads", spec.num_attention_heads}, {"vocab_size", spec.vocab_size},
          {"max_positions", spec.max_position_embeddings}, {"tensors_not_in_the_body", loaded.report.unused}};
}

}  // namespace

int run_info(const InfoVerb& options) {
  const files::Json info = options.model.empty() ? job::environment() : describe_model(options.model);
  if (options.output.json) {
    std::puts(info.dump(2).c_str());
    return 0;
  }
  for (const auto& [key, value] : info.items()) {
    std::printf("%-24s %s\n", key.c_str(), value.is_string() ? value.get<std::string>().c_str() : value.dump().c_str());
  }
  return 0;
}

}  // namespace attune::app
