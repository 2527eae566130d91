// Tuning behind a wording: its first step against Transformers, and its evaluation against asking the untouched model.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "attune/job/prepare.h"
#include "attune/task/task.h"
#include "attune/train/evaluate.h"
#include "attune/train/stage_backward.h"
#include "attune/train/trainables.h"
#include "raises.h"
#include "study/prompt_files.h"

using namespace attune;
using namespace attune::testing;

namespace {

/// The golden's prompt set as that of a training.
struct TuningFiles : PromptFiles {
  explicit TuningFiles(const Json& golden) : PromptFiles(golden) {
    config["data"]["prompts"] = config["prompting"]["prompts"];
    config["model"]["task"] = golden.contains("vocabulary") ? "fill-mask" : "text-generation";
  }
};

job::Prepared prepared_of(const PromptFiles& files) {
  return job::prepare(files.options(), report::EventBus());
}

/// Everything of a training that its first step needs.
struct FirstStep {
  explicit FirstStep(const job::Prepared& prepared)
      : loaded(job::open_base(prepared, prepared.options.seeds.front())),
        task(job::make_fitted_task(prepared, {})),
        trained(*loaded.model, std::vector<bool>(loaded.model->parameters().size(), true)) {
    const task::BatchKey key{.training = true};
    std::vector<const task::Encoded*> rows;
    for (const task::Encoded& row : prepared.train.encoded) {
      rows.push_back(&row);
      weight += task->loss_weight(row, key);
    }
    const task::Batch batch = task->collate(rows, key);
    const models::Context context = loaded.model->prepare(batch.input, /*training=*/false);  // without dropout
    train::StagedPass pass(*loaded.model, context, 0);
    const at::Tensor sum = task->loss(pass.forward(), batch).sum;
    loss = sum.item<double>() / weight;
    pass.backward(sum, 1.0 / weight);
  }

  double gradient_norm() const {
    double squares = 0;
    for (const at::Tensor& gradient : trained.arena().gradients().slices())
      squares += std::pow(gradient.norm().item<double>(), 2);
    return std::sqrt(squares);
  }

  models::LoadedModel loaded;
  std::unique_ptr<task::Task> task;
  train::Trainables trained;
  double weight = 0, loss = 0;
};

std::vector<task::Prediction> evaluated(const job::Prepared& prepared) {
  models::LoadedModel loaded = job::open_base(prepared, prepared.options.seeds.front());
  return train::predict(*loaded.model, *job::make_fitted_task(prepared, {}), prepared.validation.encoded.values(), 2,
                        prepared.validation.examples.values());
}

}  // namespace

TEST_CASE("the first step behind a wording is that of Transformers", "[study][golden]") {
  for (const Json& golden : study_goldens("tuning.json")) {
    INFO(golden["name"]);
    const TuningFiles files(golden);
    const job::Prepared prepared = prepared_of(files);
    const FirstStep step(prepared);
    CHECK(step.loss == Approx(golden["loss"].get<double>()).epsilon(1e-5));
    CHECK(step.gradient_norm() == Approx(golden["gradient_norm"].get<double>()).epsilon(1e-4));
  }
}

TEST_CASE("before the first step a tuned wording is scored as it is asked", "[study][golden]") {
  for (const Json& golden : prompting_goldens()) {
    if (golden["prompting"].value("calibrate", false)) continue;
    INFO(golden["name"]);
    const TuningFiles files(golden);
    const job::Prepared prepared = prepared_of(files);
    const auto predictions = evaluated(prepared);
    REQUIRE(predictions.size() == golden["rows"].size());
    for (std::size_t row = 0; row < predictions.size(); ++row) {
      const auto expected = golden["log_probabilities"][row].get<std::vector<double>>();
      REQUIRE(predictions[row].logits.size() == expected.size());
      for (std::size_t label = 0; label < expected.size(); ++label) {
        CHECK(predictions[row].logits[label] == Approx(expected[label]).margin(2e-5));
      }
      const auto gold = static_cast<std::size_t>(predictions[row].encoded->label);
      CHECK(predictions[row].loss_sum == Approx(-expected[gold]).margin(2e-5));
    }
  }
}

TEST_CASE("no training row stands in front of itself", "[study]") {
  Json golden = study_goldens("tuning.json").at(0);
  golden["prompting"] = {{"examples", {{"k", 3}}}};
  const TuningFiles files(golden);
  const job::Prepared prepared = prepared_of(files);
  const auto count_shown = [](const std::string& prompt, const Json& rows) {
    return std::ranges::count_if(
        rows, [&](const Json& row) { return prompt.find(row["text"].get<std::string>()) != std::string::npos; });
  };
  std::size_t row = 0;
  for (const task::Encoded& encoded : prepared.train.encoded) {
    const std::string prompt = prepared.tokenizer->decode(encoded.ids, /*skip_special_tokens=*/true);
    const auto text = golden["pool"][row++]["text"].get<std::string>();
    INFO(prompt);
    REQUIRE(prompt.find(text) != std::string::npos);
    CHECK(prompt.find(text) == prompt.rfind(text));   // the row itself, once
    CHECK(count_shown(prompt, golden["pool"]) == 4);  // behind the three others
  }
  for (const data::Example& example : prepared.validation.examples) {
    CHECK(count_shown(example.text, golden["rows"]) == 1);
    CHECK(count_shown(example.text, golden["pool"]) == 3);
  }
}

TEST_CASE("rows with texts of their own are written by a wording too", "[study]") {
  Json golden = study_goldens("tuning.json").at(0);
  for (const char* rows : {"pool", "rows"}) {
    for (Json& row : golden[rows]) row = {{"prompt", row["text"]}, {"completion", row["label"]}};
  }
  golden["set"].erase("label_words");
  TuningFiles files(golden);
  files.config["prompting"]["answer"] = "text";
  SECTION("as prompt and completion") {
    const job::Prepared prepared = prepared_of(files);
    const data::Example& first = prepared.validation.examples.values().front();
    CHECK(first.text == "Name the topic.\n\nMessage: My card was swallowed by the machine.\nTopic:");
    CHECK(*first.text_pair == " card");
  }
  SECTION("or as a chat") {
    Json set = golden["set"];
    set["chat"] = true;
    files::write_json(files.config["data"]["prompts"].get<std::string>(), set);
    const job::Prepared prepared = prepared_of(files);
    const data::Example& first = prepared.validation.examples.values().front();
    const Json messages = Json::parse(*first.messages);
    REQUIRE(messages.size() == 3);
    CHECK(messages[2] == Json{{"role", "assistant"}, {"content", "card"}});
    CHECK(first.prompt_messages == 2);
  }
}

TEST_CASE("a wording that does not exist, or one of several, is asked for", "[study]") {
  Json golden = study_goldens("tuning.json").at(0);
  golden["set"]["instruction"] = {"Name the topic.", "Topic?"};
  TuningFiles files(golden);
  CHECK_RAISES(prepared_of(files), usage, "2 wordings");
  files.config["data"]["wording"] = "default/instruction=3";
  CHECK_RAISES(prepared_of(files), usage, "did you mean 'default/instruction=");
  files.config["data"]["wording"] = "default/instruction=2";
  CHECK(prepared_of(files).validation.examples.values().front().text.starts_with("Topic?"));
}

TEST_CASE("rows that make no prompt are passed over where that is wanted", "[study]") {
  Json golden = study_goldens("tuning.json").at(0);
  golden["set"]["input"] = "{{ shop }}: {{ text }}";
  for (Json& row : golden["pool"]) row["shop"] = "Kiosk";
  for (Json& row : golden["rows"]) row["shop"] = "Kiosk";
  golden["pool"][1].erase("shop");
  TuningFiles files(golden);
  CHECK_RAISES(prepared_of(files), data, "train.jsonl:2: there is no value for 'shop'");
  files.config["data"]["on_bad_row"] = "skip";
  const job::Prepared prepared = prepared_of(files);
  CHECK(prepared.train.examples.size() == 3);
  CHECK(prepared.data_summary["splits"]["train"]["skipped"] == 1);
}
