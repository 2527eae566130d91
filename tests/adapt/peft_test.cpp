// Adapter folders: what PEFT wrote is written again, and what does not belong together is refused by name.
#include "attune/adapt/peft.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "adapt/golden_adapter.h"
#include "attune/files/storage.h"
#include "catch.h"
#include "raises.h"
#include "temporary_folder.h"

using namespace attune;
using namespace attune::testing;

namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensor::load_tensors(folder + "/adapter_model.safetensors")) {
    // Names of PEFT's wrapper, which it writes but does not read.
    const bool of_wrapper =
        name.find(".original_module.") != std::string::npos || name.find(".modules_to_save.") != std::string::npos;
    if (!of_wrapper) names.push_back(name);
  }
  return names;
}

/// Settings of the same kind that nobody has said anything of.
files::AdapterSettings fresh_settings(const files::AdapterSettings& settings) {
  return std::visit([](const auto& of) -> files::AdapterSettings { return std::decay_t<decltype(of)>{}; }, settings);
}

/// A copy of a golden adapter; edit `config` and `tensors`, then open().
struct EditedAdapter {
  explicit EditedAdapter(const std::string& name)
      : golden(name),
        config(files::read_json(golden.folder + "/adapter_config.json")),
        tensors(tensor::load_tensors(golden.folder + "/adapter_model.safetensors")) {}

  models::LoadedModel load() const {
    files::write_json(folder / "adapter_config.json", config);
    tensor::save_tensors(folder / "adapter_model.safetensors", tensors);
    const adapt::AdapterFolder adapter = adapt::open_adapter(folder.path(), golden_folder(golden.base));
    models::LoadOptions options;
    options.task = adapt::adapter_task(adapter);
    return adapt::load_adapted(adapter, options);
  }

  GoldenAdapter golden;
  files::Json config;
  Tensors tensors;
  TemporaryFolder folder;
};

const std::string kA = "base_model.model.bert.encoder.layer.0.attention.self.query.lora_A.weight";

}  // namespace

TEST_CASE("an adapter that is gone on from is written with PEFT's names and its unknown keys", "[adapt]") {
  const at::NoGradGuard no_grad;
  for (const std::string& name : golden_adapters()) {
    INFO(name);
    const GoldenAdapter golden(name);
    models::LoadOptions load;
    load.task = adapt::adapter_task(golden.open());
    models::LoadedModel loaded = models::load_model(golden_folder(golden.base), load);
    const adapt::AdapterOptions options{.settings = fresh_settings(golden.open().config.settings), .adapter = golden.folder};
    adapt::start_adapter(loaded, options, 1);
    const TemporaryFolder folder;
    adapt::save_adapter(loaded, options, golden_folder(golden.base), folder.path());
    CHECK(names_in(folder.path()) == names_in(golden.folder));

    const files::Json before = files::read_json(golden.folder + "/adapter_config.json"),
                      after = files::read_json(folder / "adapter_config.json");
    for (const auto& [key, value] : before.items()) {
      INFO(key);
      REQUIRE(after.contains(key));
      if ((key == "target_modules" || key == "feedforward_modules") && value.is_array()) {
        CHECK(value.size() == after[key].size());  // PEFT's order is that of a set
      } else if (key != "base_model_name_or_path" && key != "modules_to_save") {
        CHECK(value == after[key]);
      }
    }
    const adapt::AdapterFolder again = adapt::open_adapter(folder.path());
    const models::LoadedModel reopened = adapt::load_adapted(again, load);
    CHECK(at::equal(golden.logits(reopened), golden.logits(loaded)));
    CHECK(reopened.report.newly_initialised.empty());
  }
}

TEST_CASE("an adapter is not put on other weights than it was trained on", "[adapt]") {
  models::LoadedModel loaded = load_golden("bert_sequence");
  const adapt::AdapterOptions options{.settings = files::LoraSettings{}, .adapter = ""};
  adapt::start_adapter(loaded, options, 1);
  const TemporaryFolder folder;
  adapt::save_adapter(loaded, options, golden_folder("bert_sequence"), folder.path());
  const auto open = [&] { adapt::open_adapter(folder.path()); };
  CHECK_NOTHROW(open());
  EditedCheckpoint changed("bert_sequence");
  changed.tensors["classifier.bias"] = at::full({3}, 0.5);
  changed.write();
  CHECK_RAISES(adapt::open_adapter(folder.path(), changed.folder()), model, "trained on other weights");
}

TEST_CASE("a tensor of an adapter that is missing, unexpected, misshapen or damaged is named", "[adapt]") {
  EditedAdapter missing("bert_bias_all");
  missing.tensors.erase(kA);
  CHECK_RAISES(missing.load(), model, "lacks 1 tensors: " + kA + " [3, 16]");
  EditedAdapter unexpected("bert_bias_all");
  unexpected.tensors["base_model.model.bert.pooler.dense.lora_A.weight"] = at::ones({3, 16});
  CHECK_RAISES(unexpected.load(), model, "no place for: base_model.model.bert.pooler.dense.lora_A.weight");
  EditedAdapter misshapen("bert_bias_all");
  misshapen.tensors[kA] = at::ones({4, 16});
  CHECK_RAISES(misshapen.load(), model,
               "has shape [4, 16], adapter_config.json and the base make it [3, 16] (tensor " + kA);
  EditedAdapter damaged("bert_bias_all");
  damaged.tensors[kA] = at::full({3, 16}, std::numeric_limits<double>::quiet_NaN(), at::kFloat);
  CHECK_RAISES(damaged.load(), model, "48 non-finite values");
  EditedAdapter embedding("llama_embeddings");
  auto& table = embedding.tensors["base_model.model.model.embed_tokens.base_layer.weight"];
  table = table + 1.0;
  CHECK_RAISES(embedding.load(), model, "other values of an embedding");
}

TEST_CASE("a configuration of another kind of adapter or model is refused by its key", "[adapt]") {
  EditedAdapter kind("bert_span");
  kind.config["peft_type"] = "VERA";
  CHECK_RAISES(kind.load(), model, "found 'VERA'");
  EditedAdapter targets("bert_span");
  targets.config["target_modules"] = {"q_proj"};
  CHECK_RAISES(targets.load(), model, "no layer of the model fits");
  EditedAdapter base("bert_span");
  base.config["base_model_name_or_path"] = "nowhere/at/all";
  files::write_json(base.folder / "adapter_config.json", base.config);
  CHECK_RAISES(adapt::open_adapter(base.folder.path()), model, "the base 'nowhere/at/all' was not found");
  const TemporaryFolder empty;
  CHECK_RAISES(adapt::open_adapter(empty.path()), model, "there is no adapter_config.json");
}
