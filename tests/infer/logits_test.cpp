// Scores after the processors and warpers against those of Transformers, and the draws that follow.
#include "../../src/infer/logits.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "attune/files/json.h"
#include "attune/infer/generation_config.h"
#include "raises.h"

using namespace attune;
using namespace attune::infer;

TEST_CASE("processors and warpers change scores as in Transformers", "[infer]") {
  for (const files::Json& golden : files::read_json(ATTUNE_SOURCE_DIR "/tests/goldens/infer/processors.json")) {
    INFO(golden["options"].dump());
    std::map<std::string, std::vector<std::string>> given;
    for (const auto& [key, value] : golden["options"].items()) given[key] = {value.dump()};
    GenerationOptions options;
    set_options(given, options);
    const auto ids = golden["ids"].get<std::vector<std::int32_t>>();
    auto scores = golden["scores"].get<std::vector<float>>();
    LogitsProcessors(options, golden["prompt"].get<std::int64_t>()).apply(scores, ids);
    for (std::size_t i = 0; i < scores.size(); ++i) {
      INFO("token " << i);
      const files::Json& expected = golden["expected"][i];
      if (expected.is_null()) {
        CHECK(std::isinf(scores[i]));
      } else {
        CHECK(scores[i] == Approx(expected.get<double>()).margin(1e-6));
      }
    }
  }
}

TEST_CASE("draws follow the softmax of the scores", "[infer]") {
  const std::vector<float> scores{0.0f, std::log(3.0f), -std::numeric_limits<float>::infinity(), std::log(4.0f)};
  std::vector<int> counts(4);
  const RandomKey key(1, "test");
  for (std::uint64_t i = 0; i < 8000; ++i) ++counts[static_cast<std::size_t>(draw(scores, key, i))];
  CHECK(counts[2] == 0);
  CHECK(std::abs(counts[0] - 1000) < 120);
  CHECK(std::abs(counts[1] - 3000) < 200);
  CHECK(std::abs(counts[3] - 4000) < 200);
}

TEST_CASE("scores that are no numbers are an error, not a token", "[infer]") {
  const float infinite = std::numeric_limits<float>::infinity();
  CHECK_RAISES(most_likely(std::vector<float>{0.0f, std::nanf("")}), diverged, "no finite numbers");
  CHECK_RAISES(most_likely(std::vector<float>{-infinite, -infinite}), diverged, "no finite numbers");
  CHECK_RAISES(most_likely(std::vector<float>{0.0f, infinite}), diverged, "no finite numbers");
  CHECK(most_likely(std::vector<float>{1.0f, 2.0f, 2.0f}) == 1);
}

TEST_CASE("the log softmax is that of its definition", "[infer]") {
  std::vector<float> scores{1.0f, 2.0f, 3.0f};
  log_softmax(scores);
  CHECK(scores[2] == Approx(3.0 - std::log(std::exp(1.0) + std::exp(2.0) + std::exp(3.0))));
}
