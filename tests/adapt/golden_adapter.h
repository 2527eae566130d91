// The adapters of tests/goldens/adapters (scripts/goldens/adapters.py) on their bases in tests/goldens/models.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "attune/adapt/peft.h"
#include "catch.h"
#include "models/golden.h"

namespace attune::testing {

inline std::vector<std::string> golden_adapters() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(ATTUNE_SOURCE_DIR "/tests/goldens/adapters")) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

struct GoldenAdapter {
  explicit GoldenAdapter(const std::string& name)
      : folder(std::string(ATTUNE_SOURCE_DIR) + "/tests/goldens/adapters/" + name) {
    base = files::read_json(folder + "/adapter_config.json")["base_model_name_or_path"].get<std::string>();
    expected = tensor::load_tensors(folder + "/expected.safetensors");
  }

  adapt::AdapterFolder open() const { return adapt::open_adapter(folder, golden_folder(base)); }
  /// Base and adapter; the values may be written.
  models::LoadedModel load() const {
    models::LoadOptions options;
    options.task = adapt::adapter_task(open());
    models::LoadedModel loaded = adapt::load_adapted(open(), options);
    for (models::Parameter& parameter : loaded.model->parameters())
      parameter.tensor.set_data(parameter.tensor.detach().clone());
    return loaded;
  }
  at::Tensor logits(const models::LoadedModel& loaded) const {
    const models::Input input = golden_input(golden_tensors(base));
    return models::forward(*loaded.model, loaded.model->prepare(input, false)).logits;
  }
  at::Tensor direction() const { return golden_tensors(base).at("direction"); }

  std::string folder, base;
  Tensors expected;
};

inline double worst_difference(const at::Tensor& got, const at::Tensor& want) {
  REQUIRE(got.sizes() == want.sizes());
  return (got - want).abs().max().item<double>();
}

}  // namespace attune::testing
