// Answers of models as they are: against a direct computation with Transformers, and against themselves.
#include "attune/study/prompting.h"

#include <cmath>
#include <nlohmann/json.hpp>

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
