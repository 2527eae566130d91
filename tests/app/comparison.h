// A small comparison of methods, and how its results are read.
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "app/program.h"

namespace attune::testing {

using Json = nlohmann::ordered_json;

/// Rows of two labels that no other prefix gives, with words that tell the label most of the time.
inline std::string topic_rows(int rows, const std::string& prefix) {
  std::string lines;
  for (int i = 0; i < rows; ++i) {
    const bool is_card = i % 5 < 3;
    const std::string hint = i % 4 == 3 ? "please help" : is_card ? "my card is lost" : "where is my refund";
    lines += Json{{"id", prefix + std::to_string(i)},
                  {"text", prefix + " " + std::to_string(i) + " " + hint},
                  {"label", is_card ? "card" : "refund"}}
                 .dump() +
             "\n";
  }
  return lines;
}

inline const Json kBaselines =
    Json::parse(R"([{"name": "majority", "kind": "majority"}, {"name": "words", "kind": "words"}])");

inline const Json kAllKinds = [] {
  Json methods = kBaselines;
  const std::string gpt = ATTUNE_SOURCE_DIR "/data/tiny-gpt";
  methods.push_back({{"name", "zero-shot"}, {"kind", "prompt"}, {"set", {{"model.path", gpt}}}});
  methods.push_back({{"name", "few-shot"},
                     {"kind", "prompt"},
                     {"set", {{"model.path", gpt}, {"prompting.examples.k", 2}}},
                     {"wordings", {"default/instruction=1"}}});
  methods.push_back({{"name", "head"},
                     {"kind", "train"},
                     {"set", {{"tuning.method", "head"}}},
                     {"vary", {{"training.learning_rate", {1e-6, 0.02}}}}});
  return methods;
}();

inline void write_comparison(const Workspace& workspace, const Json& methods, const Json& top = Json::object()) {
  workspace.write("train.jsonl", topic_rows(40, "learn"));
  workspace.write("valid.jsonl", topic_rows(20, "choose"));
  workspace.write("test.jsonl", topic_rows(40, "test"));
  workspace.write("prompts.json",
                  R"({"instruction": ["Name the topic.", "What is it about?"], "input": "{{ text }}\nTopic:"})");
  Json config = {
      {"model", {{"path", kTinyModel}}},
      {"data", {{"train", "train.jsonl"}, {"validation", "valid.jsonl"}, {"test", "test.jsonl"}, {"max_length", 32}}},
      {"training", {{"num_train_epochs", 2}, {"per_device_train_batch_size", 8}}},
      {"prompting", {{"prompts", "prompts.json"}}},
      {"compare", {{"methods", methods}}},
      {"seeds", {1, 2, 3}},
      {"threads", 1},
      {"output_dir", "runs/out"}};
  config.update(top);
  workspace.write("run.json", config.dump());
}

inline std::vector<Json> predictions_in(const Workspace& workspace, const std::string& file) {
  std::istringstream lines(workspace.read(file));
  std::vector<Json> rows;
  for (std::string line; std::getline(lines, line);) rows.push_back(Json::parse(line));
  return rows;
}

inline double accuracy_in(const std::vector<Json>& rows) {
  const auto right = std::ranges::count_if(rows, [](const Json& row) { return row["label"] == row["gold"]; });
  return static_cast<double>(right) / static_cast<double>(rows.size());
}

inline const Json& method_named(const Json& results, const std::string& name) {
  return *std::ranges::find_if(results["methods"], [&](const Json& method) { return method["name"] == name; });
}

/// What does not depend on time.
inline Json timeless(Json results) {
  for (const char* key : {"output_dir", "seconds", "opening", "recommendation"}) results.erase(key);
  for (Json& method : results["methods"]) method.erase("cost");
  return results;
}

}  // namespace attune::testing
