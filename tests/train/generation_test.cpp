// Texts for the rows of a split: whose they are, and that they can be stopped.
#include "attune/train/generation.h"

#include "attune/infer/text.h"
#include "attune/train/trainer.h"
#include "catch.h"

using namespace attune;

TEST_CASE("rows with a prompt get the text that generation gives for it, until that is stopped", "[train][generated]") {
  const std::string folder = ATTUNE_SOURCE_DIR "/tests/goldens/language/tiny_gpt";
  const text::Tokenizer tokenizer = text::Tokenizer::from_folder(folder);
  const text::ChatTemplates chats = text::ChatTemplates::from_folder(folder);
  models::LoadOptions load;
  load.task = models::Task::causal_lm;
  const models::LoadedModel loaded = models::load_model(folder, load);
  std::vector<data::Example> rows(3);
  rows[0].text = "the app";  // a document
  rows[1].messages = R"([{"role": "user", "content": "where"}, {"role": "assistant", "content": "in the app"}])";
  rows[2].text = "where is my";
  rows[2].text_pair = " card";
  rows[2].has_pair = true;
  task::TaskOptions options;
  options.kind = models::Task::causal_lm;
  options.tokenizer = &tokenizer;
  options.chats = &chats;
  options.generates = true;
  const auto task = task::make_task(options);
  const std::vector<task::Encoded> encoded = task->encode(rows, tokenizer);
  std::vector<task::Prediction> predictions = train::predict(*loaded.model, *task, encoded, 4);
  CHECK(train::count_prompts(predictions) == 2);

  train::TextGeneration generation{.tokenizer = &tokenizer, .options = {}};
  generation.options.max_new_tokens = 5;
  CHECK_FALSE(train::generate_texts(*loaded.model, generation, predictions, [](std::int64_t) { return true; }));
  std::vector<std::int64_t> told;
  REQUIRE(train::generate_texts(*loaded.model, generation, predictions, [&](std::int64_t complete) {
    told.push_back(complete);
    return false;
  }));
  CHECK(told == std::vector<std::int64_t>{0, 0, 0, 0, 1, 1, 1, 1, 1, 2});
  CHECK_FALSE(predictions[0].generated);
  infer::Generator generator(*loaded.model);
  const auto text_of = [&](std::size_t row, infer::Beginning beginning) {
    const std::vector<std::vector<std::int32_t>> prompt(1, encoded[row].prompt->ids);
    return infer::generate_texts(generator, tokenizer, prompt, generation.options, beginning).front().text;
  };
  CHECK(predictions[1].generated == text_of(1, infer::Beginning::answer));
  CHECK(predictions[2].generated == text_of(2, infer::Beginning::continuation));
}
