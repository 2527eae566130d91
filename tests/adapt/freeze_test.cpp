// What trains under each method, and how mistakes are refused.
#include "attune/adapt/freeze.h"

#include "catch.h"
#include "raises.h"
#include "train/fake.h"

using namespace attune;
using testing::FakeModel;

namespace {

/// Names of what trains.
std::vector<std::string> trained(adapt::TuningOptions options, testing::FakeOptions fake = {}) {
  FakeModel model(fake);
  const std::vector<bool> flags = adapt::trainable_parameters(model, options);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < flags.size(); ++i) {
    if (flags[i]) names.push_back(model.parameters()[i].name);
  }
  return names;
}

adapt::TuningOptions freeze(const std::string& layers, std::vector<std::string> patterns = {}) {
  adapt::TuningOptions options{.method = "freeze", .freeze = {}};
  options.freeze.layers = layers;
  options.freeze.patterns = std::move(patterns);
  return options;
}

const std::vector<std::string> kHead = {"classifier.weight", "classifier.bias"};

}  // namespace

TEST_CASE("full trains everything, head the head", "[adapt]") {
  CHECK(trained({}).size() == 7);
  CHECK(trained({.method = "head", .freeze = {}}) == kHead);
}

TEST_CASE("frozen layers take the embeddings with them unless told otherwise", "[adapt]") {
  CHECK(trained(freeze("all")) == kHead);
  CHECK(trained(freeze("0-1")) == kHead);
  CHECK(trained(freeze("0")).size() == 4);
  adapt::TuningOptions options = freeze("0");
  options.freeze.embeddings = false;
  CHECK(trained(options).size() == 5);
  options = freeze("");
  options.freeze.trainable_layers = 1;
  CHECK(trained(options) == trained(freeze("0")));
  options.freeze.layers = "0";
  CHECK_RAISES(trained(options), usage, "both given");
  options = freeze("");
  options.freeze.embeddings = true;
  CHECK(trained(options).size() == 6);
}

TEST_CASE("patterns are globs that must match", "[adapt]") {
  CHECK(trained(freeze("", {"*.bias"})).size() == 4);
  CHECK(trained(freeze("", {"fake.encoder.layer.0.*", "classifier.?ias"})).size() == 4);
  CHECK_RAISES(trained(freeze("", {"classifier.wieght"})), usage, "did you mean 'classifier.weight'?");
}

TEST_CASE("a head tied to frozen embeddings freezes with them", "[adapt]") {
  const std::vector<std::string> left = {"fake.encoder.layer.1.dense.weight", "fake.encoder.layer.1.dense.bias", "classifier.bias"};
  CHECK((trained(freeze("0"), {.tied = true}) == left));
}

TEST_CASE("mistakes in what to freeze are refused", "[adapt]") {
  CHECK_RAISES(trained(freeze("0-5")), usage, "layer 5 does not exist, the model has 2 layers");
  CHECK_RAISES(trained(freeze("1-0")), usage, "runs backwards");
  CHECK_RAISES(trained(freeze("x")), usage, "is no layer");
  CHECK_RAISES(trained(freeze("")), usage, "freezes nothing");
  CHECK_RAISES(trained(freeze("", {"*"})), usage, "nothing is left to train");
  CHECK_RAISES(trained({.method = "lora", .freeze = {}}), usage, "nothing is left to train");
  CHECK_RAISES(trained({.method = "prompt", .freeze = {}}), usage, "unknown method");
}

TEST_CASE("the parts of a model say how much of them trains", "[adapt]") {
  FakeModel model;
  std::string table;
  for (const auto& part : adapt::trainable_parts(model, adapt::trainable_parameters(model, freeze("0", {"*.1.dense.bias"})))) {
    table += part.name + " " + std::to_string(part.trained) + "/" + std::to_string(part.parameters) + "\n";
  }
  CHECK(table == "embeddings 0/66\nlayer 0 0/42\nlayer 1 36/42\nclassifier 21/21\n");
}

TEST_CASE("what trains is said in one line", "[adapt]") {
  FakeModel model;
  const auto text = [&](const adapt::TuningOptions& options) {
    return adapt::describe_trainable(adapt::trainable_parts(model, adapt::trainable_parameters(model, options)));
  };
  CHECK(text({}) == "trains 171 of 171 parameters (100.0 %): embeddings, layers 0–1, classifier");
  CHECK(text(freeze("0")) == "trains 63 of 171 parameters (36.8 %): layer 1, classifier");
  CHECK(text(freeze("0", {"*.1.dense.bias"})) ==
        "trains 57 of 171 parameters (33.3 %): parts of layer 1, classifier");
}
