// A tiny GPT-2 with its tokenizer and chat template, and rows for it. Goldens: scripts/goldens/language.py.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "attune/files/json.h"
#include "attune/models/model.h"
#include "attune/task/task.h"
#include "catch.h"

namespace attune::testing::language {

using attune::files::Json;

inline const std::string kFolder = ATTUNE_SOURCE_DIR "/tests/goldens/language/";

/// The tiny GPT-2's tokenizer, chat template and a task over them.
struct Language {
  text::Tokenizer tokenizer = text::Tokenizer::from_folder(kFolder + "tiny_gpt");
  text::ChatTemplates chats = text::ChatTemplates::from_folder(kFolder + "tiny_gpt");
  task::TaskOptions options;

  Language() {
    options.kind = models::Task::causal_lm;
    options.tokenizer = &tokenizer;
    options.chats = &chats;
  }

  std::vector<task::Encoded> encode(const std::vector<data::Example>& examples) const {
    return task::make_task(options)->encode(examples, tokenizer);
  }
  task::Encoded encode_one(const data::Example& example) const { return encode({example}).at(0); }
};

inline data::Example document(const std::string& text) {
  data::Example example;
  example.origin = {.file = "rows.jsonl", .line = 7};
  example.text = text;
  return example;
}

inline data::Example completion(const std::string& prompt, const std::string& answer) {
  data::Example example = document(prompt);
  example.text_pair = answer;
  example.has_pair = true;
  return example;
}

inline data::Example chat(const Json& messages) {
  data::Example example = document("");
  example.messages = messages.dump();
  return example;
}

inline std::vector<int> learned_of(const task::Encoded& row) { return {row.learned.begin(), row.learned.end()}; }

/// The cases of one kind; a copy, so that a range-for may read it.
inline Json expected(const char* kind) {
  Json all = files::read_json(kFolder + "expected.json");
  REQUIRE_FALSE(all.at(kind).empty());
  return all.at(kind);
}

inline models::LoadedModel tiny_gpt() {
  models::LoadOptions options;
  options.task = models::Task::causal_lm;
  return models::load_model(kFolder + "tiny_gpt", options);
}

}  // namespace attune::testing::language
