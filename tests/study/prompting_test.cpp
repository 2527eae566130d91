// Answers of models as they are: against a direct computation with Transformers, and against themselves.
#include "attune/study/prompting.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "attune/config/config.h"
#include "attune/files/storage.h"
#include "models/golden.h"
#include "raises.h"

using namespace attune;
using namespace attune::study;
using namespace attune::testing;

namespace {

using files::Json;

std::string json_lines(const Json& rows) {
  std::string lines;
  for (const Json& row : rows) lines += row.dump() + "\n";
  return lines;
}

/// The files that a golden describes, and the options that name them.
class PromptFiles {
 public:
  explicit PromptFiles(const Json& golden) : golden_(golden) {
    folder_.write("train.jsonl", json_lines(golden["pool"]));
    folder_.write("validation.jsonl", json_lines(golden["rows"]));
    folder_.write("prompts.json", golden["set"].dump());
    config = {{"model", {{"path", model_path()}}},
              {"data", {{"train", folder_ / "train.jsonl"}, {"validation", folder_ / "validation.jsonl"}}},
              {"prompting", golden["prompting"]},
              {"seeds", {42}},
              {"device", "cpu"},
              {"output_dir", folder_ / "out"}};
    config["prompting"]["prompts"] = folder_ / "prompts.json";
  }

  PromptJob open() const {
    const report::EventBus silent;
    return open_prompt_job(config::parse(config.dump(), "test.json").options, silent);
  }

  Json config;

 private:
  /// A golden model lacks a tokenizer, which the golden's vocabulary gives.
  std::string model_path() {
    const auto name = golden_["model"].get<std::string>();
    if (!golden_.contains("vocabulary")) return std::string(ATTUNE_SOURCE_DIR "/") + name;
    std::string vocabulary;
    for (const Json& token : golden_["vocabulary"]) vocabulary += token.get<std::string>() + "\n";
    folder_.write("model/vocab.txt", vocabulary);
    for (const char* file : {"config.json", "model.safetensors"}) {
      files::copy_file_atomically(golden_folder(name) + "/" + file, folder_ / (std::string("model/") + file));
    }
    return folder_ / "model";
  }

  Json golden_;
  TemporaryFolder folder_;
};

Json goldens() {
  return files::read_json(ATTUNE_SOURCE_DIR "/tests/goldens/study/prompting.json");
}

const Json& golden_named(const Json& all, const std::string& name) {
  for (const Json& one : all) {
    if (one["name"] == name) return one;
  }
  throw std::runtime_error("no golden " + name);
}

}  // namespace

TEST_CASE("labels are as likely as a direct computation with Transformers says", "[study]") {
  for (const Json& golden : goldens()) {
    INFO(golden["name"]);
    const PromptFiles files(golden);
    const PromptJob job = files.open();
    REQUIRE(job.wordings.size() == 1);
    const Asked asked = ask(job, {.wording = job.wordings.front(), .examples = job.options.prompting.examples});
    REQUIRE(asked.predictions.size() == golden["rows"].size());
    for (std::size_t row = 0; row < asked.predictions.size(); ++row) {
      const auto expected = golden["log_probabilities"][row].get<std::vector<double>>();
      REQUIRE(asked.predictions[row].logits.size() == expected.size());
      for (std::size_t label = 0; label < expected.size(); ++label) {
        CHECK(asked.predictions[row].logits[label] == Approx(expected[label]).margin(2e-5));
      }
    }
    CHECK(asked.computed_tokens < asked.tokens);
  }
}

TEST_CASE("settings that a model cannot follow are refused", "[study]") {
  const Json all = goldens();
  const auto open_with = [&](const std::string& name, const auto& change) {
    PromptFiles files(golden_named(all, name));
    change(files.config);
    return files.open();
  };
  CHECK_RAISES(open_with("gap", [](Json& config) { config["prompting"]["answer"] = "generation"; }), usage,
               "writes no texts");
  CHECK_RAISES(open_with("plain", [](Json& config) { config["prompting"].erase("prompts"); }), usage,
               "there is no prompt set");
  CHECK_RAISES(open_with("plain", [](Json& config) { config["prompting"]["split"] = "test"; }), usage, "no test rows");
  CHECK_RAISES(open_with("plain",
                         [](Json& config) {
                           config["prompting"]["calibrate"] = true;
                           config["prompting"]["answer"] = "generation";
                         }),
               usage, "calibrated");
}

TEST_CASE("a gap is for models that fill gaps, and only for them", "[study]") {
  Json all = goldens();
  Json with_gap = golden_named(all, "plain"), without_gap = golden_named(all, "gap");
  with_gap["set"]["input"] = "{{ text }} is about {{ mask }}";
  without_gap["set"]["input"] = "{{ text }} it was";
  const PromptFiles causal(with_gap), masked(without_gap);
  const PromptJob first = causal.open(), second = masked.open();
  CHECK_RAISES(ask(first, {.wording = first.wordings.front(), .examples = {}}), usage, "gap");
  CHECK_RAISES(ask(second, {.wording = second.wordings.front(), .examples = {}}), usage, "the input has none");
}
