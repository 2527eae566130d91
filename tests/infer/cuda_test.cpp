// Generation on a GPU: the ids of the goldens, and kept keys.
#include "cuda.h"

#include <ATen/core/grad_mode.h>

#include <nlohmann/json.hpp>

#include "../../src/infer/passes.h"
#include "attune/infer/generate.h"
#include "attune/infer/generation_config.h"
#include "infer/golden_options.h"
#include "models/golden.h"

using namespace attune;
using namespace attune::infer;
using namespace attune::testing;

namespace {

const models::Execution kOnGpu = {.device = at::Device(at::kCUDA, 0), .precision = nn::Precision::float32};

}  // namespace

TEST_CASE("ids and beam scores from a GPU are those of Transformers, also in a ragged batch", "[cuda][infer]") {
  ATTUNE_NEEDS_GPU();
  for (const files::Json& golden : files::read_json(ATTUNE_SOURCE_DIR "/tests/goldens/infer/generate.json")) {
    DYNAMIC_SECTION(golden["model"] << " " << golden["options"].dump()) {
      EditedCheckpoint checkpoint(golden["model"].get<std::string>());
      if (golden.contains("config")) checkpoint.config.update(golden["config"]);
      const models::LoadedModel loaded = checkpoint.load();
      loaded.model->set_execution(kOnGpu);
      const auto prompts = golden["prompts"].get<std::vector<std::vector<std::int32_t>>>();
      for (const std::int64_t batch_size : {1, 16}) {
        GenerationOptions options = golden_options(golden["options"]);
        options.batch_size = batch_size;
        const std::vector<Generated> results = generate(*loaded.model, prompts, options);
        std::vector<std::vector<std::int32_t>> ids;
        for (const Generated& result : results) ids.push_back(result.ids);
        CHECK(ids == golden["ids"].get<std::vector<std::vector<std::int32_t>>>());
        for (std::size_t i = 0; golden.contains("scores") && i < results.size(); ++i) {
          CHECK(results[i].score == Approx(golden["scores"][i].get<double>()).margin(1e-5));
        }
      }
    }
  }
}

TEST_CASE("logits behind kept keys on a GPU are those of one pass on the CPU", "[cuda][infer]") {
  ATTUNE_NEEDS_GPU();
  const at::NoGradGuard no_grad;
  for (const std::string& name : kGoldenModels) {
    if (!name.ends_with("_causal_lm")) continue;
    DYNAMIC_SECTION(name) {
      const models::LoadedModel cpu = load_golden(name), there = load_golden(name);
      there.model->set_execution(kOnGpu);
      Passes passes(*there.model);
      Row row{.ids = {7, 3, 11}, .cached = {}}, other{.ids = {9}, .cached = {}};
      Row* const rows[] = {&row, &other};
      for (std::int32_t next = 4; next < 12; ++next) {
        Passes whole(*cpu.model);
        Row fresh{.ids = row.ids, .cached = {}}, fresh_other{.ids = other.ids, .cached = {}};
        Row* const fresh_rows[] = {&fresh, &fresh_other};
        CHECK(off_by(passes.next_logits(rows), whole.next_logits(fresh_rows)) < 1e-5);
        row.ids.push_back(next);
        other.ids.push_back(30 - next);
        if (next % 3 == 0) other.ids.push_back(next);  // two tokens in one pass
      }
    }
  }
}
