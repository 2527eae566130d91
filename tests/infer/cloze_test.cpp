// Words in the gaps of texts, against Transformers.
#include "attune/infer/cloze.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "models/golden.h"
#include "raises.h"

using namespace attune;
using namespace attune::infer;
using namespace attune::testing;

namespace {

using ClozeScores = std::vector<std::vector<std::vector<double>>>;

std::vector<ClozeText> cloze_texts(const files::Json& golden) {
  std::vector<ClozeText> texts;
  for (const auto& text : golden) {
    texts.push_back({.ids = text["ids"].get<std::vector<std::int32_t>>(),
                     .masks = text["masks"].get<std::vector<std::int64_t>>(),
                     .words = text["words"].get<std::vector<std::vector<std::int32_t>>>()});
  }
  return texts;
}

}  // namespace

TEST_CASE("words in gaps are as likely as in Transformers", "[infer]") {
  for (const auto& golden : files::read_json(ATTUNE_SOURCE_DIR "/tests/goldens/infer/cloze.json")) {
    INFO(golden["model"]);
    const models::LoadedModel loaded = load_golden(golden["model"].get<std::string>());
    const ClozeScores found = cloze_likelihoods(*loaded.model, cloze_texts(golden["texts"]));
    const auto expected = golden["log_probabilities"].get<ClozeScores>();
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      for (std::size_t word = 0; word < expected[i].size(); ++word) {
        for (std::size_t mask = 0; mask < expected[i][word].size(); ++mask) {
          CHECK(found[i][word][mask] == Approx(expected[i][word][mask]).margin(1e-5));
        }
      }
    }
  }
}

TEST_CASE("gaps need a masked language model", "[infer]") {
  const models::LoadedModel loaded = load_golden("gpt2_causal_lm");
  const std::vector<ClozeText> texts = {{.ids = {1, 2}, .masks = {1}, .words = {{3}}}};
  CHECK_RAISES(cloze_likelihoods(*loaded.model, texts), model, "no masked language model");
}
