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

}  // namespace attune::testing
