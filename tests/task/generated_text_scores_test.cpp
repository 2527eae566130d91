// Scores, intervals and samples of generated texts, and of documents beside them.
#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "attune/metrics/overlap.h"
#include "attune/train/trainer.h"
#include "catch.h"
#include "task/language_fixture.h"

using namespace attune;
using namespace attune::testing::language;

TEST_CASE("generated texts are scored against the rows' answers, and documents count in the loss alone", "[task][language]") {
  Language language;
  language.options.generates = true;
  const std::vector<data::Example> rows = {completion("where is", " my card"), document("the app"), completion("what", " can i do")};
  const auto task = task::make_task(language.options);
  const std::vector<task::Encoded> encoded = task->encode(rows, language.tokenizer);
  const models::LoadedModel loaded = tiny_gpt();
  std::vector<task::Prediction> predictions = train::predict(*loaded.model, *task, encoded, 4);
  CHECK_FALSE(task->scores(predictions, rows)->metrics().contains("rougeL"));
  CHECK_FALSE(task->describe({&predictions[0], 1}, rows[0], false).contains("generated"));
  predictions[0].generated = " my card";
  predictions[2].generated = " can do";
  const auto scored = task->scores(predictions, rows);
  const Json scores = scored->metrics();
  const metrics::OverlapScorer scorer(std::vector<std::string>{" my card", " can do"},
                                      std::vector<std::vector<std::string>>{{" my card"}, {" can i do"}});
  CHECK(scores["generated"] == 2);
  CHECK(scores["rows"] == 3);
  for (const auto& [name, value] : scorer.values()) {
    CHECK(scores[name].get<double>() == value);
    const std::vector<std::string> names = task->metric_names();
    CHECK(std::find(names.begin(), names.end(), name) != names.end());
  }
  const Json intervals = scored->intervals();
  CHECK(intervals["rouge1"][0].get<double>() == Approx(0.8));
  CHECK(intervals["rouge1"][1] == 1);
  CHECK(intervals["loss"][0].get<double>() < scores["loss"].get<double>());
  CHECK(intervals["perplexity"][1].get<double>() > scores["perplexity"].get<double>());
  CHECK_FALSE(intervals.contains("bits_per_byte"));
  const Json line = task->describe({&predictions[2], 1}, rows[2], false);
  CHECK(line["generated"] == " can do");
  CHECK(line["reference"] == " can i do");
  predictions[2].generated = " can i do";
  const Json matched = task->scores(predictions, rows)->intervals()["exact_match"];
  CHECK(matched[0].get<double>() == Approx(34.24).margin(0.01));  // Wilson, of the two texts
  CHECK(matched[1] == 100.0);
}

TEST_CASE("bits per byte of documents have an interval over documents, whose windows count together", "[task][language]") {
  Language language;
  language.options.max_length = 4;
  const std::vector<data::Example> rows = {document("where is my card"), document("the app"), document("what can i do with it")};
  const auto task = task::make_task(language.options);
  const std::vector<task::Encoded> encoded = task->encode(rows, language.tokenizer);
  REQUIRE(encoded.size() > rows.size());
  const models::LoadedModel loaded = tiny_gpt();
  const std::vector<task::Prediction> predictions = train::predict(*loaded.model, *task, encoded, 4);
  const auto scores = task->scores(predictions, rows);
  std::vector<double> of_rows;
  double all = 0, bytes = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    double nll = 0;
    for (const task::Prediction& prediction : predictions) {
      if (prediction.encoded->example != static_cast<std::int64_t>(i)) continue;
      for (const float logprob : prediction.logits) nll -= logprob;
    }
    all += nll;
    bytes += static_cast<double>(rows[i].text.size());
    of_rows.push_back(nll / std::log(2.0) / static_cast<double>(rows[i].text.size()));
  }
  CHECK(scores->metrics()["bits_per_byte"].get<double>() == Approx(all / std::log(2.0) / bytes));
  const Json interval = scores->intervals()["bits_per_byte"];
  REQUIRE(interval.is_array());
  const auto [low, high] = std::minmax_element(of_rows.begin(), of_rows.end());
  CHECK(interval[0].get<double>() >= *low - 1e-9);
  CHECK(interval[0].get<double>() < scores->metrics()["bits_per_byte"].get<double>());
  CHECK(interval[1].get<double>() <= *high + 1e-9);
  CHECK(interval[1].get<double>() > scores->metrics()["bits_per_byte"].get<double>());
}

TEST_CASE("of generated texts the best and the worst are shown, with the end of what stood before them", "[task][language]") {
  Language language;
  language.options.generates = true;
  language.options.max_length = 4000;
  std::vector<data::Example> rows;
  std::string long_prompt = "where";
  for (int i = 0; i < 100; ++i) long_prompt += " my card";
  for (int i = 0; i < 12; ++i) {
    rows.push_back(completion(i == 0 ? long_prompt : "where is", " a b c d e f g h i j k l"));
    rows.back().id = "r" + std::to_string(i);
  }
  rows.push_back(document("the app"));
  const auto task = task::make_task(language.options);
  const std::vector<task::Encoded> encoded = task->encode(rows, language.tokenizer);
  std::vector<task::Prediction> predictions;
  std::string words;
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    predictions.push_back({});
    predictions[i].encoded = &encoded[i];
    if (i < 12) predictions[i].generated = words += " " + std::string(1, static_cast<char>('a' + i));
  }
  const Json samples = task->scores(predictions, rows)->samples("chrf");
  CHECK(samples["metric"] == "chrf");
  CHECK(samples["texts"] == 12);
  const Json& shown = samples["rows"];
  REQUIRE(shown.size() == 10);
  CHECK(shown[0]["id"] == "r11");
  CHECK(shown[0]["score"] == 100);
  CHECK(shown[4]["id"] == "r7");
  CHECK(shown[5]["id"] == "r4");
  CHECK(shown[9]["id"] == "r0");
  CHECK(shown[9]["generated"] == " a");
  CHECK(shown[9]["reference"] == *rows[0].text_pair);
  const std::string end = shown[9]["prompt"];
  CHECK(end.starts_with("…"));
  CHECK(end.size() == 300 + std::string("…").size());
  CHECK(long_prompt.ends_with(end.substr(std::string("…").size())));
  CHECK(task->scores(predictions, rows)->samples("loss")["metric"] == "rougeL");
  for (task::Prediction& prediction : predictions) prediction.generated.reset();
  CHECK(task->scores(predictions, rows)->samples("chrf").is_null());
}

TEST_CASE("samples show prompts as people read them", "[task][language]") {
  Language language;
  language.options.generates = true;
  const Json calls = Json::array({{{"name", "find"}}});
  const Json turns = {{{"role", "system"}, {"content", "brief"}}, {{"role", "user"}, {"content", "hello"}}, {{"role", "assistant"}, {"content", ""}, {"tool_calls", calls}},
                      {{"role", "user"}, {"content", "where"}}, {{"role", "assistant"}, {"content", "in the app"}}};
  const std::vector<data::Example> rows = {chat(turns), completion("<|endoftext|>where is my card", " here")};
  const auto shown = [&] {
    const auto task = task::make_task(language.options);
    const std::vector<task::Encoded> encoded = task->encode(rows, language.tokenizer);
    std::vector<task::Prediction> predictions;
    for (const task::Encoded& row : encoded) {
      predictions.emplace_back();
      predictions.back().encoded = &row;
      predictions.back().loss_weight = 1;
      predictions.back().generated = "here";
    }
    std::vector<std::string> prompts;
    const Json samples = task->scores(predictions, rows)->samples("f1");
    for (const Json& row : samples["rows"]) prompts.push_back(row["prompt"]);
    std::sort(prompts.begin(), prompts.end());
    return prompts;
  };
  CHECK(shown() == std::vector<std::string>{"system: brief\nuser: hello\nassistant: " + calls.dump() + "\nuser: where", "where is my card"});
  language.options.length_policy = "truncate_left";
  language.options.max_length = static_cast<std::int64_t>(language.encode_one(rows[0]).ids.size()) - 4;
  const std::string cut = shown().back();
  INFO(cut);
  CHECK(cut.starts_with("…"));
  CHECK(cut.ends_with("user\nwhere\nassistant"));
}
