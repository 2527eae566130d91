// Answers of models as they are: against a direct computation with Transformers, and against themselves.
#include "attune/study/prompting.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "attune/base/log.h"
#include "attune/study/prompt_examples.h"
#include "raises.h"
#include "study/prompt_files.h"

using namespace attune;
using namespace attune::study;
using namespace attune::testing;

namespace {

using files::Json;

const Json& golden_named(const Json& all, const std::string& name) {
  for (const Json& one : all) {
    if (one["name"] == name) return one;
  }
  throw std::runtime_error("no golden " + name);
}

}  // namespace

TEST_CASE("labels are as likely as a direct computation with Transformers says", "[study]") {
  for (const Json& golden : prompting_goldens()) {
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
  const Json all = prompting_goldens();
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

TEST_CASE("fewer training rows than examples are a warning, once", "[study]") {
  const Json golden = golden_named(prompting_goldens(), "plain");
  PromptFiles files(golden);
  std::vector<std::string> said;
  const auto warnings_at = [&](std::size_t k) {
    files.config["prompting"]["examples"]["k"] = k;
    said.clear();
    log::redirect([&](log::Level, std::string_view message) {
      if (message.find("examples.k") != std::string_view::npos) said.emplace_back(message);
    });
    const PromptJob job = files.open();
    ask(job, {.wording = job.wordings.front(), .examples = {}});
    log::redirect(nullptr);
    return said.size();
  };
  const std::size_t rows = golden["pool"].size();
  CHECK(warnings_at(rows) == 0);
  REQUIRE(warnings_at(rows + 1) == 1);
  const std::string count = std::to_string(rows);
  CHECK_THAT(said.front(), ContainsSubstring("prompting.examples.k is " + std::to_string(rows + 1) + ", and " + count +
                                             " of " + count + " training rows can be an example"));
}

TEST_CASE("a gap is for models that fill gaps, and only for them", "[study]") {
  Json all = prompting_goldens();
  Json with_gap = golden_named(all, "plain"), without_gap = golden_named(all, "gap");
  with_gap["set"]["input"] = "{{ text }} is about {{ mask }}";
  without_gap["set"]["input"] = "{{ text }} it was";
  const PromptFiles causal(with_gap), masked(without_gap);
  const PromptJob first = causal.open(), second = masked.open();
  CHECK_RAISES(ask(first, {.wording = first.wordings.front(), .examples = {}}), usage, "gap");
  CHECK_RAISES(ask(second, {.wording = second.wordings.front(), .examples = {}}), usage, "the input has none");
}

TEST_CASE("a gap is shown with the words that are scored in it", "[study]") {
  const PromptFiles files(golden_named(prompting_goldens(), "gap"));
  const report::EventBus silent;
  const std::vector<Json> shown = prompt_examples(files.options(), "run", 1, silent);
  REQUIRE(shown.size() == 1);
  CHECK(shown[0]["asks"] == "gap");
  CHECK_THAT(shown[0]["prompt"].get<std::string>(), ContainsSubstring("[MASK]"));
  const PromptJob job = files.open();
  CHECK(shown[0]["answers"].size() >= job.labels.names.size());
  CHECK(shown[0]["answers"][0]["label"] == job.labels.names[0]);
  CHECK_THAT(prompt_examples_text(shown), ContainsSubstring("\n== scored in its gap\n" + job.labels.names[0] + ": \""));
}
