// Models made from config.json alone: values by kind of tensor, as the reference's _init_weights distributes them.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>

#include <cmath>
#include <filesystem>
#include <set>

#include "models/golden.h"
#include "raises.h"

using namespace attune;
using namespace attune::models;
using namespace attune::testing;

namespace {

/// A golden's folder without its weights.
class BareConfig {
 public:
  explicit BareConfig(const std::string& golden)
      : config(files::read_json(golden_folder(golden) + "/config.json")), options(golden_options(golden)) {
    options.random_weights = true;
  }
  LoadedModel load() const {
    files::write_json(folder_ / "config.json", config);
    return load_model(folder_.path(), options);
  }

  files::Json config;
  LoadOptions options;

 private:
  TemporaryFolder folder_;
};

/// The embeddings of the reference's class that have a padding_idx.
std::vector<std::string> with_padding_row(const std::string& model_type) {
  if (model_type == "gpt2" || model_type == "gpt_neox") return {};
  if (model_type == "roberta") return {"word_embeddings.weight", "position_embeddings.weight"};
  if (model_type == "bert" || model_type == "distilbert" || model_type == "electra") return {"word_embeddings.weight"};
  return {"embed_tokens.weight"};
}

/// What GPT-2 divides the deviation of some matrices by: the square root of twice the number of layers.
double divisor(const ModelSpec& spec, const std::string& name) {
  return spec.model_type == "gpt2" && name.ends_with("c_proj.weight") ? std::sqrt(2.0 * spec.num_hidden_layers) : 1.0;
}

/// |mean| and |deviation - wanted| within 5 standard errors.
void check_normal(const at::Tensor& values, double deviation) {
  const auto n = static_cast<double>(values.numel());
  CHECK(std::abs(values.mean().item<double>()) < 5 * deviation / std::sqrt(n));
  CHECK(std::abs(values.std().item<double>() - deviation) < 5 * deviation / std::sqrt(2 * n));
}

}  // namespace

TEST_CASE("random weights: normal matrices and embeddings, zero biases and padding rows, norms of 1 and 0",
          "[models][init]") {
  for (const std::string& name : kGoldenModels) {
    INFO(name);
    BareConfig bare(name);
    bare.config["initializer_range"] = 0.3;
    bare.config["pad_token_id"] = 2;
    const LoadedModel loaded = bare.load();
    CHECK(loaded.report.loaded.empty());
    CHECK(loaded.report.notes == std::vector<std::string>{"all weights are new: only config.json was read"});
    const ModelSpec& spec = loaded.model->spec();
    const double norm_weight = spec.model_type.starts_with("gemma") ? 0.0 : 1.0;  // Gemma adds 1 to it
    std::vector<std::string> padded;
    std::vector<at::Tensor> normal;
    for (const Parameter& parameter : loaded.model->parameters()) {
      INFO(parameter.name);
      const at::Tensor value = parameter.tensor.detach();
      REQUIRE(value.sizes() == at::IntArrayRef(parameter.shape));
      const bool computed =
          spec.sinusoidal_positions && parameter.name.ends_with("position_embeddings.weight");
      const bool matrix = parameter.kind == ParameterKind::matrix || parameter.kind == ParameterKind::embedding;
      if (parameter.padding_row) {
        CHECK(value.select(0, 2).abs().sum().item<double>() == 0);
        CHECK(value.select(0, 1).abs().min().item<double>() > 0);
        padded.push_back(parameter.name);
      } else if (!matrix) {
        const bool scales = parameter.kind == ParameterKind::norm && parameter.name.ends_with(".weight");
        CHECK((value == (scales ? norm_weight : 0.0)).all().item<bool>());
      } else if (!computed) {
        check_normal(value, 0.3 / divisor(spec, parameter.name));
        normal.push_back(value.flatten() * divisor(spec, parameter.name));
      }
    }
    const std::vector<std::string> wanted = with_padding_row(spec.model_type);
    REQUIRE(padded.size() == wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) CHECK(padded[i].ends_with(wanted[i]));
    check_normal(at::cat(normal), 0.3);
  }
}

TEST_CASE("DistilBERT's sinusoidal positions are those that the reference saved", "[models][init]") {
  const BareConfig bare("distilbert_token");
  const at::Tensor positions = value_of(bare.load(), "distilbert.embeddings.position_embeddings.weight");
  CHECK(positions.size(0) == 12);
  CHECK(positions[0][0].item<float>() == 0.0f);
  CHECK(positions[0][1].item<float>() == 1.0f);
  CHECK(std::abs(positions[3][0].item<double>() - std::sin(3.0)) < 1e-7);
  CHECK(std::abs(positions[3][3].item<double>() - std::cos(3.0 / std::pow(10000.0, 2.0 / 16))) < 1e-7);
}

TEST_CASE("random weights are a function of seed and name, each tensor its own", "[models][init]") {
  BareConfig bare("bert_masked_lm");
  const LoadedModel first = bare.load();
  const LoadedModel again = bare.load();
  bare.options.seed = 43;
  const LoadedModel other = bare.load();
  std::set<float> heads;
  for (const Parameter& parameter : first.model->parameters()) {
    INFO(parameter.name);
    const at::Tensor value = parameter.tensor.detach();
    CHECK(at::equal(value, value_of(again, parameter.name)));
    if (value.dim() != 2) continue;
    CHECK_FALSE(at::equal(value, value_of(other, parameter.name)));
    CHECK(heads.insert(value[1][1].item<float>()).second);
  }
}

TEST_CASE("random weights ignore what the folder holds; without them a missing file is an error", "[models][init]") {
  BareConfig bare("bert_sequence");
  LoadOptions options = bare.options;
  const LoadedModel beside_weights = load_model(golden_folder("bert_sequence"), options);
  CHECK(at::equal(value_of(beside_weights, "classifier.weight"), value_of(bare.load(), "classifier.weight")));
  bare.options.random_weights = false;
  CHECK_RAISES(bare.load(), model, "model.safetensors");
}

TEST_CASE("an initializer_range of 0 means the default, as in the reference", "[models][init]") {
  BareConfig bare("bert_base");
  bare.config["initializer_range"] = 0.0;
  check_normal(value_of(bare.load(), "encoder.layer.0.attention.self.query.weight"), 0.02);
}
