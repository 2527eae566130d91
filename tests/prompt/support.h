// What the tests of prompt sets share.
#pragma once

#include <string>
#include <vector>

#include "attune/data/example.h"
#include "attune/prompt/labels.h"
#include "attune/prompt/options.h"
#include "attune/prompt/writer.h"

namespace attune::prompt {

inline data::Example labelled(std::int64_t row, const std::string& text, const std::string& label) {
  data::Example example;
  example.row = row;
  example.origin = {"rows.jsonl", row + 1};
  example.text = text;
  example.target = data::ClassLabel{label};
  return example;
}

/// "Message: …" answered with one of two labels.
inline PromptSet small_set() {
  PromptSet set;
  set.file = "set.json";
  set.texts.instruction = {"Which intent?"};
  set.texts.input = {"Message: {{ text }}\nIntent:"};
  return set;
}

inline LabelWords small_words() {
  return {.labels = {"card_lost", "refund"}, .words = {{"card lost", "lost"}, {"refund"}}};
}

/// A writer for the first wording of the set.
inline PromptWriter first_writer(const PromptSet& set, const std::string& mask_token = "") {
  return PromptWriter(set, wordings(set).front(),
                      {.kind = AnswerKind::label, .words = small_words(), .mask_token = mask_token});
}

inline std::vector<const data::Example*> pointers(const std::vector<data::Example>& examples) {
  std::vector<const data::Example*> all;
  for (const data::Example& example : examples) all.push_back(&example);
  return all;
}

}  // namespace attune::prompt
