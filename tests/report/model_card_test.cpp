// The model card.
#include "attune/report/model_card.h"

#include <nlohmann/json.hpp>

#include "catch.h"
#include "report/summary.h"

using namespace attune::report;

TEST_CASE("the model card has the front matter of the Hub and the results", "[report]") {
  const std::string card = model_card(attune::testing::example_summary());
  CHECK(
      card.find(
          "---\nlibrary_name: transformers\nbase_model: \"acme/tiny-encoder\"\npipeline_tag: text-classification\n") ==
      0);
  CHECK(card.find("    - type: \"accuracy\"\n      value: 0.9000\n") != std::string::npos);
  CHECK(card.find("| Accuracy | 0.9000 | 0.8500 – 0.9450 |") != std::string::npos);
  CHECK(card.find("Always giving the most frequent label reaches an accuracy of 0.4800.") != std::string::npos);
  CHECK(card.find("Sorts \\<triage\\> notes & more.") != std::string::npos);
  CHECK(card.find("1200 train, 150 validation, 150 test") != std::string::npos);
}

TEST_CASE("the model card tells nothing of the folders of this machine", "[report]") {
  auto summary = attune::testing::example_summary();
  summary["base_model"] = "/home/someone/models/minilm/";
  summary["output_dir"] = "/home/someone/runs/my_run";
  const std::string card = model_card(summary);
  CHECK(card.find("someone") == std::string::npos);
  CHECK(card.find("base_model:") == std::string::npos);
  CHECK(card.find("from `minilm`") != std::string::npos);
  CHECK(card.find("# my\\_run\n") != std::string::npos);
}

TEST_CASE("the model card tells what trained, and the length that counted", "[report]") {
  auto summary = attune::testing::example_summary();
  CHECK(model_card(summary).find("| num\\_train\\_epochs | 5") != std::string::npos);
  summary["model"]["description"] = "trains 1 of 2 parameters";
  summary["settings"]["training"].update({{"batch_by", "rows"}, {"tokens_per_batch", nullptr}, {"per_device_train_batch_size", 8}});
  CHECK(model_card(summary).find("| per\\_device\\_train\\_batch\\_size | 8 |") != std::string::npos);
  summary["settings"]["training"].update({{"batch_by", "tokens"}, {"tokens_per_batch", 4096}});
  CHECK(model_card(summary).find("| tokens\\_per\\_batch | 4096 |") != std::string::npos);
  CHECK(model_card(summary).find("per\\_device") == std::string::npos);
  summary["settings"]["training"]["max_steps"] = 40;
  summary["settings"]["tuning"] = {
      {"method", "lora"},
      {"lora", {{"r", 4}, {"target_modules", {"q_proj", "v_proj"}}, {"use_dora", true}, {"use_rslora", false}}},
      {"freeze", {{"layers", ""}, {"patterns", Event::array()}}}};
  const std::string adapted = model_card(summary);
  CHECK(adapted.find("The run trains 1 of 2 parameters.") != std::string::npos);
  CHECK(adapted.find("| max\\_steps | 40 |") != std::string::npos);
  CHECK(adapted.find("num\\_train\\_epochs") == std::string::npos);
  CHECK(adapted.find(
            "| tuning | lora |\n| r | 4 |\n| target\\_modules | q\\_proj, v\\_proj |\n| use\\_dora | true |\n") !=
        std::string::npos);
  CHECK(adapted.find("rslora") == std::string::npos);
  CHECK(adapted.find("frozen") == std::string::npos);
  summary["settings"]["tuning"] = {{"method", "freeze"},
                                   {"freeze", {{"layers", "0-3"}, {"embeddings", nullptr}, {"patterns", {"*.bias"}}}}};
  const std::string frozen = model_card(summary);
  CHECK(frozen.find("| tuning | freeze |\n| frozen layers | 0-3 |\n| frozen parameters | \\*.bias |\n") !=
        std::string::npos);
}

TEST_CASE("a model card can be made of next to nothing", "[report]") {
  CHECK(model_card(Event::object()).find("---\n\n# model\n") != std::string::npos);
}
