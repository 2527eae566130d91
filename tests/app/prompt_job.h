// A small job for `attune prompt`.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "app/program.h"

namespace attune::testing {

/// tiny_rows() whose texts no other rows have: they may become examples.
inline std::string rows_of_their_own(int rows) {
  std::string lines = tiny_rows(rows);
  const std::string text = R"("text": ")";
  for (std::size_t at = 0; (at = lines.find(text, at)) != std::string::npos; at += text.size()) lines.insert(at + text.size(), "hello, ");
  return lines;
}

/// run.json over rows of the workspace: four wordings, two examples, two seeds. `prompting`: members laid over that block.
inline void write_prompt_job(const Workspace& workspace, const std::string& prompting = "", int validation_rows = 12) {
  using Json = nlohmann::ordered_json;
  workspace.write("train.jsonl", rows_of_their_own(24));
  workspace.write("valid.jsonl", tiny_rows(validation_rows));
  workspace.write("test.jsonl", tiny_rows(30));
  workspace.write(
      "prompts.json",
      R"({"instruction": ["Name the topic.", "What is it about?"], "input": "Message: {{ text }}\nTopic:", "rules": {"case": ["as_is", "upper"]}})");
  Json config = {{"model", {{"path", ATTUNE_SOURCE_DIR "/data/tiny-gpt"}, {"task", "text-generation"}}},
                 {"data", {{"train", "train.jsonl"}, {"validation", "valid.jsonl"}, {"test", "test.jsonl"}}},
                 {"prompting", {{"prompts", "prompts.json"}, {"examples", {{"k", 2}}}}},
                 {"seeds", {1, 2}},
                 {"threads", 1},
                 {"output_dir", "out"}};
  config["prompting"].update(Json::parse("{" + prompting + "}"));
  workspace.write("run.json", config.dump());
}

/// Notices with answers, or without, from number `first` on.
inline std::string notices(int rows, bool with_answers = true, int first = 0) {
  const char* topics[] = {"your card", "the loan", "a refund", "the new terms"};
  using Json = nlohmann::ordered_json;
  std::string lines;
  for (int i = first; i < first + rows; ++i) {
    Json row = {
        {"plain", std::string("It is noted that ") + topics[i % 4] + " number " + std::to_string(i) + " is ready."}};
    if (with_answers) row["styled"] = std::string("Good news: ") + topics[i % 4] + " is ready.";
    lines += row.dump() + "\n";
  }
  return lines;
}

/// run.json that asks for texts: two wordings, two assertions (one that nothing keeps), two examples, two seeds.
inline void write_text_job(const Workspace& workspace, const std::string& prompting = "", bool with_answers = true) {
  using Json = nlohmann::ordered_json;
  workspace.write("train.jsonl", notices(12));
  workspace.write("valid.jsonl", notices(8, with_answers));
  workspace.write("prompts.json", R"({
    "instruction": ["Rewrite the notice.", "Say it in our voice."], "input": "Plain: {{ plain }}\nOurs:", "separator": "\n",
    "assertions": [{"name": "some words", "min_words": 1}, {"name": "never", "contains": "zzqx"}]})");
  Json config = {{"model", {{"path", ATTUNE_SOURCE_DIR "/data/tiny-gpt"}, {"task", "text-generation"}}},
                 {"data",
                  {{"train", "train.jsonl"},
                   {"validation", "valid.jsonl"},
                   {"columns", {{"prompt", "plain"}, {"completion", "styled"}}}}},
                 {"prompting", {{"prompts", "prompts.json"}, {"answer", "text"}, {"examples", {{"k", 2}}}}},
                 {"generation", {{"max_new_tokens", 12}, {"stop_strings", {"\n"}}}},
                 {"seeds", {1, 2}},
                 {"threads", 1},
                 {"output_dir", "out"}};
  config["prompting"].update(Json::parse("{" + prompting + "}"));
  workspace.write("run.json", config.dump());
}

}  // namespace attune::testing
