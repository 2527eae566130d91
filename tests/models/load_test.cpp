// Loading: layouts of files, new heads, and errors in place of random weights.
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <limits>

#include "models/golden.h"
#include "raises.h"

using namespace attune;
using namespace attune::models;
using namespace attune::testing;

namespace {

const std::string kQuery = "bert.encoder.layer.1.attention.self.query.weight";

}  // namespace

TEST_CASE("float32 weights stay views of the file", "[models][load]") {
  const LoadedModel loaded = load_golden("bert_sequence");
  CHECK(loaded.report.notes.empty());
  CHECK(loaded.report.loaded.size() == loaded.model->parameters().size());
  for (const Parameter& parameter : loaded.model->parameters()) {
    CHECK(parameter.tensor.sizes() == at::IntArrayRef(parameter.shape));
    CHECK(parameter.tensor.requires_grad());
  }
}

TEST_CASE("names without the body's prefix, with gamma and beta, and saved buffers are understood", "[models][load]") {
  const Tensors expected = golden_tensors("bert_sequence");
  EditedCheckpoint edited("bert_sequence");
  const Tensors original = edited.tensors;
  for (const auto& [name, value] : original) {
    std::string other = name.starts_with("bert.") ? name.substr(5) : name;
    if (other.ends_with("LayerNorm.weight")) other = other.substr(0, other.size() - 6) + "gamma";
    if (other.ends_with("LayerNorm.bias")) other = other.substr(0, other.size() - 4) + "beta";
    if (other != name) edited.rename(name, other);
  }
  edited.tensors["embeddings.position_ids"] = at::zeros({1, 12}, at::kLong);
  edited.tensors["cls.seq_relationship.bias"] = at::zeros({2});
  const LoadedModel loaded = edited.load();
  CHECK(loaded.report.newly_initialised.empty());
  CHECK(loaded.report.unused == std::vector<std::string>{"cls.seq_relationship.bias"});
  CHECK(worst(golden_logits(loaded, expected), expected.at("logits")) < 1e-5);
}

TEST_CASE("a checkpoint of another head gives its body; the head is new and reported", "[models][load]") {
  EditedCheckpoint edited("bert_masked_lm");
  edited.options.task = Task::sequence_classification;
  edited.options.labels = {"a", "b", "c"};
  const LoadedModel loaded = edited.load();
  CHECK(loaded.report.newly_initialised == std::vector<std::string>{"bert.pooler.dense.weight",
                                                                    "bert.pooler.dense.bias", "classifier.weight",
                                                                    "classifier.bias"});
  CHECK(loaded.report.unused.size() == 5);
  CHECK(loaded.model->spec().num_labels == 3);
  CHECK(at::equal(value_of(loaded, "classifier.bias"), at::zeros({3})));

  EditedCheckpoint base("bert_sequence");
  base.options.task = Task::masked_lm;
  const std::vector<std::string> fresh = base.load().report.newly_initialised;
  CHECK(std::find(fresh.begin(), fresh.end(), "cls.predictions.decoder.bias") !=
        fresh.end());  // as the reference lists it
  CHECK(fresh.size() == 6);
}

TEST_CASE("new heads are normal with the configured deviation, and a function of the seed", "[models][load]") {
  EditedCheckpoint edited("bert_masked_lm");
  edited.config["initializer_range"] = 0.5;
  edited.options.task = Task::sequence_classification;
  const at::Tensor pooler = value_of(edited.load(), "bert.pooler.dense.weight");  // 256 values
  CHECK(std::abs(pooler.mean().item<double>()) < 4 * 0.5 / 16);
  CHECK(std::abs(pooler.std().item<double>() - 0.5) < 4 * 0.5 / std::sqrt(2.0 * 256));
  CHECK(at::equal(pooler, value_of(edited.load(), "bert.pooler.dense.weight")));
  CHECK_FALSE(at::equal(pooler.narrow(0, 0, 3), value_of(edited.load(), "classifier.weight")));
  edited.options.seed = 43;
  CHECK_FALSE(at::equal(pooler, value_of(edited.load(), "bert.pooler.dense.weight")));
}

TEST_CASE("the same labels keep a tuned head; others, another count or new_head start a new one", "[models][load]") {
  for (const std::string name : {"bert_sequence", "distilbert_sequence", "electra_sequence"}) {
    INFO(name);
    EditedCheckpoint edited(name);
    edited.options.labels = {"calm", "brisk", "über"};
    CHECK(edited.load().report.newly_initialised.empty());
    edited.options.labels = {"calm", "brisk", "wild"};
    const std::size_t head = name == "bert_sequence" ? 2 : 4;  // BERT's pooler belongs to what was pre-trained
    CHECK(edited.load().report.newly_initialised.size() == head);
    edited.options.labels = {"calm", "brisk"};
    const LoadedModel smaller = edited.load();
    CHECK(smaller.report.newly_initialised.size() == head);
    CHECK(smaller.model->spec().labels == std::vector<std::string>{"calm", "brisk"});
    edited.options.labels = {};
    edited.options.new_head = true;
    CHECK(edited.load().report.newly_initialised.size() == head);
  }
}

TEST_CASE("two names of a tied tensor: equal ones tie, different ones stay apart", "[models][load]") {
  EditedCheckpoint edited("bert_masked_lm");
  edited.tensors["cls.predictions.decoder.weight"] = edited.tensors.at("bert.embeddings.word_embeddings.weight");
  const LoadedModel tied = edited.load();
  CHECK(tied.report.unused.empty());
  CHECK(tied.model->spec().tie_word_embeddings);

  edited.tensors["cls.predictions.decoder.weight"] = edited.tensors["cls.predictions.decoder.weight"] * 2;
  edited.tensors["cls.predictions.decoder.bias"] = edited.tensors.at("cls.predictions.bias") * 2;
  const LoadedModel untied = edited.load();
  CHECK_FALSE(untied.model->spec().tie_word_embeddings);
  const Tensors expected = golden_tensors("bert_masked_lm");
  CHECK(worst(golden_logits(untied, expected), expected.at("logits") * 2) < 1e-5);

  edited.tensors.erase("cls.predictions.decoder.weight");
  edited.tensors.erase("cls.predictions.decoder.bias");
  edited.rename("bert.embeddings.word_embeddings.weight", "cls.predictions.decoder.weight");
  CHECK(worst(golden_logits(edited.load(), expected), expected.at("logits")) < 1e-5);  // the other name alone will do
}

TEST_CASE("DistilBERT's fixed positions are computed when the file lacks them", "[models][load]") {
  EditedCheckpoint edited("distilbert_token");
  edited.tensors.erase("distilbert.embeddings.position_embeddings.weight");
  const LoadedModel loaded = edited.load();
  const at::Tensor table = value_of(loaded, "distilbert.embeddings.position_embeddings.weight");
  CHECK(table[0][0].item<float>() == 0.0f);
  CHECK(table[0][1].item<float>() == 1.0f);
  CHECK(table[3][4].item<double>() == Approx(std::sin(3 / std::pow(10000.0, 4.0 / 16))));
  CHECK(table[3][5].item<double>() == Approx(std::cos(3 / std::pow(10000.0, 4.0 / 16))));
  CHECK(loaded.report.newly_initialised.size() == 1);
}

TEST_CASE("a missing body tensor is an error that lists what is missing, never random weights", "[models][load]") {
  EditedCheckpoint edited("bert_sequence");
  edited.tensors.erase(kQuery);
  CHECK_RAISES(edited.load(), model, "lack 1 tensors of the model's body: " + kQuery + " [16, 16]");
  edited.config["num_hidden_layers"] = 4;
  CHECK_RAISES(edited.load(), model, "… and 23 more");
}

TEST_CASE("tensors that do not belong to config.json are errors", "[models][load]") {
  SECTION("another shape") {
    EditedCheckpoint edited("bert_sequence");
    edited.tensors[kQuery] = at::zeros({16, 8});
    CHECK_RAISES(edited.load(), model, "has shape [16, 8], config.json makes it [16, 16] (tensor " + kQuery);
  }
  SECTION("another vocabulary") {
    EditedCheckpoint edited("bert_masked_lm");
    edited.config["vocab_size"] = 33;
    CHECK_RAISES(edited.load(), model, "[33, 16]");
  }
  SECTION("more layers than stated") {
    EditedCheckpoint edited("bert_sequence");
    edited.config["num_hidden_layers"] = 1;
    CHECK_RAISES(edited.load(), model, "a layer beyond the 1 of config.json");
  }
  SECTION("a layer index out of all range") {
    EditedCheckpoint edited("distilbert_sequence");
    edited.tensors["distilbert.transformer.layer.99999999999999999999.x"] = at::zeros({1});
    CHECK_RAISES(edited.load(), model, "a layer beyond the 2");
  }
  SECTION("integers") {
    EditedCheckpoint edited("bert_sequence");
    edited.tensors[kQuery] = at::zeros({16, 16}, at::kInt);
    CHECK_RAISES(edited.load(), model, "found I32 values");
  }
  SECTION("two tensors for one parameter") {
    EditedCheckpoint edited("bert_sequence");
    edited.tensors["bert.embeddings.LayerNorm.gamma"] = at::zeros({16});
    CHECK_RAISES(edited.load(), model, "both stand for one parameter");
  }
}

TEST_CASE("NaN and infinity in weights name the tensor", "[models][load]") {
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    EditedCheckpoint edited("electra_sequence");
    at::Tensor& value = edited.tensors["electra.encoder.layer.0.output.dense.bias"];
    value = value.clone();
    value[3] = bad;
    value[4] = bad;
    CHECK_RAISES(edited.load(), model, "2 non-finite values (NaN or infinity) (tensor electra.encoder.layer.0");
  }
}

TEST_CASE("paths: a folder, or an id that says where it was looked for", "[models][load]") {
  const TemporaryFolder folder;
  CHECK(resolve_model_path(folder.path()) == folder.path());
  CHECK_RAISES(resolve_model_path(folder / "a/b/c/d"), model, "there is no such folder");
  CHECK_RAISES(resolve_model_path(folder.write("file", "x")), model, "expected the folder of a checkpoint");
  CHECK_RAISES(resolve_model_path("attune-test-nobody/no-such-model"), model,
               "hf download attune-test-nobody/no-such-model");
}
