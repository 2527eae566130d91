// Texts at the end of a run: what is told of them, and what a signal does to their generation.
#include "attune/job/text_generation.h"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "attune/base/log.h"
#include "attune/base/signals.h"
#include "attune/train/trainer.h"
#include "catch.h"

using namespace attune;

namespace {

struct Said {
  log::Level level;
  std::string text;
};

/// What is logged while it lives, and afterwards no signal is pending.
class Listener {
 public:
  Listener() {
    log::redirect([this](log::Level level, std::string_view message) { said.push_back({level, std::string(message)}); });
  }
  ~Listener() {
    log::redirect(nullptr);
    request_stop(0);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  std::vector<Said> said;
};

/// Prompts of the tiny GPT-2 and its predictions for them.
struct Prompted {
  std::string folder = ATTUNE_SOURCE_DIR "/tests/goldens/language/tiny_gpt";
  text::Tokenizer tokenizer = text::Tokenizer::from_folder(folder);
  models::LoadedModel loaded;
  std::vector<data::Example> rows;
  std::vector<task::Encoded> encoded;
  std::vector<task::Prediction> predictions;
  train::TextGeneration generation{.tokenizer = &tokenizer, .options = {}};

  Prompted() {
    models::LoadOptions load;
    load.task = models::Task::causal_lm;
    loaded = models::load_model(folder, load);
    for (const char* prompt : {"where is my", "the app"}) {
      rows.push_back({});
      rows.back().text = prompt;
      rows.back().text_pair = " card";
      rows.back().has_pair = true;
    }
    task::TaskOptions options;
    options.kind = models::Task::causal_lm;
    options.tokenizer = &tokenizer;
    options.generates = true;
    const auto task = task::make_task(options);
    encoded = task->encode(rows, tokenizer);
    predictions = train::predict(*loaded.model, *task, encoded, 4);
    generation.options.max_new_tokens = 3;
  }
};

}  // namespace

TEST_CASE("it is said how many texts ended at the limit of tokens", "[job][generated]") {
  Prompted prompted;
  Listener listener;
  job::tell_of_cut_texts(prompted.predictions);
  CHECK(listener.said.empty());
  job::generate_texts(*prompted.loaded.model, prompted.generation, prompted.predictions, report::EventBus());
  REQUIRE(prompted.predictions[0].generated_to_limit);
  prompted.predictions[1].generated_to_limit = false;
  job::tell_of_cut_texts(prompted.predictions);
  REQUIRE(listener.said.size() == 1);
  CHECK(listener.said[0].level == log::Level::info);
  CHECK(listener.said[0].text.starts_with("1 of 2 generated texts ended at the limit of tokens"));
  CHECK(listener.said[0].text.find("generation.max_new_tokens") != std::string::npos);
}

TEST_CASE("a signal does not cut the last texts off, and is answered with one warning", "[job][generated]") {
  Prompted prompted;
  Listener listener;
  struct Stopper : report::Observer {
    void on_event(const report::Event& event) override {
      if (event["event"] == "phase") request_stop(15);
    }
  };
  report::EventBus events;
  events.add(std::make_shared<Stopper>());
  job::generate_texts(*prompted.loaded.model, prompted.generation, prompted.predictions, events);
  for (const task::Prediction& prediction : prompted.predictions) CHECK(prediction.generated);
  REQUIRE(listener.said.size() == 1);
  CHECK(listener.said[0].level == log::Level::warning);
  CHECK(listener.said[0].text.find("stopping once the results are written") != std::string::npos);
}
