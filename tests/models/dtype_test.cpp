// Checkpoints in bfloat16 and float16: held as they are, computed in float32, trained as float32 masters, saved as they
// came.
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>

#include <set>

#include "attune/files/storage.h"
#include "attune/tensor/arena.h"
#include "models/golden.h"
#include "raises.h"

using namespace attune;
using namespace attune::models;
using namespace attune::testing;

namespace {

const std::map<std::string, at::ScalarType> kHalfGoldens = {{"bert_bfloat16", at::kBFloat16},
                                                            {"bert_float16", at::kHalf}};

std::set<at::ScalarType> dtypes(const LoadedModel& loaded) {
  std::set<at::ScalarType> found;
  for (const Parameter& parameter : loaded.model->parameters()) found.insert(parameter.tensor.scalar_type());
  return found;
}

std::vector<at::Tensor> tensors_of(const LoadedModel& loaded) {
  std::vector<at::Tensor> tensors;
  for (const Parameter& parameter : loaded.model->parameters()) tensors.push_back(parameter.tensor);
  return tensors;
}

}  // namespace

TEST_CASE("half-precision weights stay what they are, and give what the reference computes in float32",
          "[models][dtype]") {
  for (const auto& [name, dtype] : kHalfGoldens) {
    INFO(name);
    const Tensors expected = golden_tensors(name);
    const LoadedModel loaded = load_golden(name);
    CHECK(loaded.dtype == dtype);
    CHECK(dtypes(loaded) == std::set{dtype});
    CHECK(loaded.report.notes.empty());
    CHECK(worst(golden_logits(loaded, expected).detach(), expected.at("logits")) < 1e-5);
  }
}

TEST_CASE("trained as float32 masters, half-precision weights have the reference's gradients", "[models][dtype]") {
  for (const auto& [name, dtype] : kHalfGoldens) {
    INFO(name);
    const Tensors expected = golden_tensors(name);
    const LoadedModel loaded = load_golden(name);
    const tensor::ParameterArena arena(tensors_of(loaded));
    CHECK(dtypes(loaded) == std::set{at::kFloat});
    const at::Tensor logits = golden_logits(loaded, expected);
    CHECK(worst(logits.detach(), expected.at("logits")) < 1e-5);
    (logits * expected.at("direction")).sum().backward();
    for (const Parameter& parameter : loaded.model->parameters()) {
      INFO(parameter.name);
      const at::Tensor& want = expected.at("grad." + parameter.name);
      CHECK(worst(parameter.tensor.grad(), want) < 1e-6 + 1e-4 * want.abs().max().item<double>());
    }
  }
}

TEST_CASE("only what trains becomes float32; frozen weights beside it stay mapped", "[models][dtype]") {
  const Tensors expected = golden_tensors("bert_bfloat16");
  const LoadedModel loaded = load_golden("bert_bfloat16");
  std::vector<at::Tensor> head;
  for (Parameter& parameter : loaded.model->parameters()) {
    parameter.tensor.set_requires_grad(false);
    if (parameter.is_head) head.push_back(parameter.tensor);
  }
  const tensor::ParameterArena arena(head);
  CHECK(value_of(loaded, "classifier.weight").scalar_type() == at::kFloat);
  CHECK(value_of(loaded, "bert.encoder.layer.0.output.dense.weight").scalar_type() == at::kBFloat16);
  (golden_logits(loaded, expected) * expected.at("direction")).sum().backward();
  for (const Parameter& parameter : loaded.model->parameters()) {
    if (!parameter.is_head) continue;
    const at::Tensor& want = expected.at("grad." + parameter.name);
    CHECK(worst(parameter.tensor.grad(), want) < 1e-6 + 1e-4 * want.abs().max().item<double>());
  }
}

TEST_CASE("model.dtype converts when it loads, and the report says so", "[models][dtype]") {
  const Tensors expected = golden_tensors("bert_bfloat16");
  EditedCheckpoint edited("bert_bfloat16");
  edited.options.dtype = "float32";
  const LoadedModel widened = edited.load();
  CHECK(dtypes(widened) == std::set{at::kFloat});
  CHECK(widened.report.notes == std::vector<std::string>{"weights stored as BF16 are converted to float32"});
  CHECK(worst(golden_logits(widened, expected).detach(), expected.at("logits")) < 1e-5);

  EditedCheckpoint full("bert_sequence");
  full.options.dtype = "bfloat16";
  const LoadedModel narrowed = full.load();
  CHECK(dtypes(narrowed) == std::set{at::kBFloat16});
  CHECK(narrowed.report.notes == std::vector<std::string>{"weights stored as F32 are converted to bfloat16"});
  const at::Tensor query = full.tensors.at("bert.encoder.layer.1.attention.self.query.weight");
  CHECK(at::equal(value_of(narrowed, "bert.encoder.layer.1.attention.self.query.weight"), query.to(at::kBFloat16)));

  full.options.dtype = "float64";
  CHECK_RAISES(full.load(), usage, "key model.dtype");
}

TEST_CASE("auto follows config.json, in either spelling, and without it the file", "[models][dtype]") {
  EditedCheckpoint edited("bert_bfloat16");
  const auto found = [&] { return edited.load().dtype; };
  edited.config["dtype"] = "float16";
  CHECK(found() == at::kHalf);
  edited.config.erase("dtype");
  edited.config["torch_dtype"] = "float32";
  CHECK(found() == at::kFloat);
  edited.config["dtype"] = nullptr;
  CHECK(found() == at::kFloat);
  edited.config["dtype"] = "bfloat16";  // where both are given, the newer name counts
  CHECK(found() == at::kBFloat16);
  edited.config.erase("dtype");
  edited.config.erase("torch_dtype");
  CHECK(found() == at::kBFloat16);
  edited.config["dtype"] = "float8_e4m3fn";
  CHECK_RAISES(edited.load(), model, "float8_e4m3fn");
}

TEST_CASE("a new head and random weights have the model's format", "[models][dtype]") {
  EditedCheckpoint edited("bert_bfloat16");
  edited.options.labels = {"x", "y"};
  CHECK(dtypes(edited.load()) == std::set{at::kBFloat16});
  edited.options.random_weights = true;
  CHECK(dtypes(edited.load()) == std::set{at::kBFloat16});
}

TEST_CASE("values beyond float16's range are refused, not turned into infinities", "[models][dtype]") {
  EditedCheckpoint edited("bert_sequence");
  edited.tensors["classifier.bias"] = at::full({3}, 1e5);
  edited.options.dtype = "float16";
  CHECK_RAISES(edited.load(), model, "classifier.bias");
  edited.options.dtype = "bfloat16";
  CHECK(edited.load().dtype == at::kBFloat16);
}

TEST_CASE("what was trained is rounded to the format it is saved in, and opens as the same numbers",
          "[models][dtype]") {
  for (const auto& [name, dtype] : kHalfGoldens) {
    INFO(name);
    const Tensors expected = golden_tensors(name);
    const LoadedModel loaded = load_golden(name);
    {
      const tensor::ParameterArena arena(tensors_of(loaded));
      arena.values().flat().add_(1e-3);
    }
    round_to_dtype(loaded);
    CHECK(dtypes(loaded) == std::set{dtype});
    const TemporaryFolder folder;
    save_model(loaded, golden_folder(name), folder / "out");
    const LoadedModel reopened = load_model(folder / "out", golden_options(name));
    CHECK(reopened.dtype == dtype);
    CHECK(at::equal(golden_logits(reopened, expected), golden_logits(loaded, expected)));
  }
}

TEST_CASE("an untouched half-precision model is written byte for byte as it came", "[models][dtype]") {
  for (const auto& [name, dtype] : kHalfGoldens) {
    INFO(name);
    const LoadedModel loaded = load_golden(name);
    {
      const tensor::ParameterArena arena(tensors_of(loaded));
    }  // to float32 and back changes nothing
    const TemporaryFolder folder;
    save_model(loaded, golden_folder(name), folder / "out");
    CHECK(files::read_file(folder / "out/model.safetensors") ==
          files::read_file(golden_folder(name) + "/model.safetensors"));
    CHECK(nlohmann::json(files::read_json(folder / "out/config.json")) ==
          nlohmann::json(files::read_json(golden_folder(name) + "/config.json")));
  }
}
