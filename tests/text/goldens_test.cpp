// Every part of a GPT-like tokenizer on tiny models, against the `tokenizers` library and Transformers.
#include "text/goldens.h"

#include "temporary_folder.h"

using attune::text::Tokenizer;
using nlohmann::json;

namespace {

json model_of(const json& models, const std::string& name, const std::string& change) {
  json model = models[name];
  if (change == "as old file") {  // merges as strings behind a version line, and no type
    json merges = json::array({"#version: 0.2"});
    for (const json& pair : model["merges"])
      merges.push_back(pair[0].get<std::string>() + " " + pair[1].get<std::string>());
    return {{"vocab", model["vocab"]}, {"merges", merges}};
  }
  if (!change.empty()) model[change] = true;
  return model;
}

Tokenizer load(const json& models, const json& golden) {
  const attune::testing::TemporaryFolder folder;
  json file = golden["parts"];
  file["model"] = model_of(models, golden["model"], golden["change"]);
  return Tokenizer::from_file(folder.write("tokenizer.json", file.dump()));
}

void check_truncated(const Tokenizer& tokenizer, const json& truncated) {
  attune::text::EncodeOptions options;
  options.truncation = attune::text::Truncation{.max_length = 6};
  options.truncation->stride = 2;
  const auto encoding = tokenizer.encode({truncated["text"].get_ref<const std::string&>()}, options);
  const json& windows = truncated["windows"];
  REQUIRE(encoding.overflowing.size() + 1 == windows.size());
  attune::testing::check_fields(encoding, windows[0]);
  for (std::size_t i = 1; i < windows.size(); ++i)
    attune::testing::check_fields(encoding.overflowing[i - 1], windows[i]);
}

}  // namespace

TEST_CASE("Parts of byte-level and byte-fallback tokenizers give the reference's tokens", "[text]") {
  const json models = attune::testing::read_golden("models.json");
  const json goldens = attune::testing::read_golden("tokenizers.json");
  REQUIRE(goldens.size() == 35);
  for (const json& golden : goldens) {
    INFO("tokenizer: " << golden["name"]);
    const Tokenizer tokenizer = load(models, golden);
    for (const json& row : golden["rows"]) attune::testing::check_row(tokenizer, row);
    if (!golden.contains("pair")) continue;
    attune::testing::check_pair(tokenizer, golden["pair"]);
    check_truncated(tokenizer, golden["truncated"]);
  }
}

TEST_CASE("vocab.json and merges.txt make the tokenizer that Transformers makes of them", "[text]") {
  const json model = attune::testing::read_golden("models.json")["bytes"];
  std::string merges = "#version: 0.2\n";
  for (const json& pair : model["merges"])
    merges += pair[0].get<std::string>() + " " + pair[1].get<std::string>() + "\n";
  const json goldens = attune::testing::read_golden("folders.json");
  REQUIRE(goldens.size() == 9);
  for (const json& golden : goldens) {
    INFO("folder: " << golden["name"]);
    const attune::testing::TemporaryFolder folder;
    folder.write("vocab.json", model["vocab"].dump());
    folder.write("merges.txt", merges);
    for (const auto& [name, content] : golden["files"].items()) folder.write(name, content.dump());
    const Tokenizer tokenizer = Tokenizer::from_folder(folder.path());
    for (const json& row : golden["rows"]) attune::testing::check_row(tokenizer, row);
    attune::testing::check_pair(tokenizer, golden["pair"]);
    for (const auto& [role, id] : golden["roles"].items()) {
      INFO("role: " << role);
      CHECK(tokenizer.special_id(role) == id.get<std::int32_t>());
    }
    const json limit = tokenizer.model_max_length() ? json(*tokenizer.model_max_length()) : json();
    CHECK(limit == golden["max_length"]);
  }
}
