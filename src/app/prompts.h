// Where the prompts of `attune generate` come from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/files/json.h"
#include "attune/job/language_model.h"
#include "attune/text/chat_template.h"

namespace attune::app {

struct Prompt {
  std::string id;
  std::string shown;              ///< what the user wrote
  std::vector<std::int32_t> ids;  ///< as training has them
  bool is_chat = false;           ///< made by a chat template: what the model says is a text of its own
};

/// A model's way to write conversations down.
class ChatFormat {
 public:
  /// Error{model} when it has no chat template. The model must outlive it.
  explicit ChatFormat(const job::LanguageModel& opened);
  /// The conversation as the model reads it before it answers.
  std::string text_of(const files::Json& messages) const;

 private:
  const text::ChatTemplates& templates_;
  text::ChatTemplate chosen_;
};

/// The text of --prompt. Error{data} where it has no tokens, or more than the model has positions.
Prompt prompt_of_text(const std::string& text, const job::LanguageModel& opened);
/// A line a prompt. Error{data} as above, with the line.
std::vector<Prompt> prompts_of_stdin(const job::LanguageModel& opened);
/// Files whose rows have columns: each becomes a prompt as the run that made the model read its rows (template, columns, chats), up
/// to the answer where it has one. Other files: a line a prompt. What is too long is cut as data.length_policy says, and warned of.
/// Error{data} with the line.
std::vector<Prompt> read_prompts(const std::string& file, const job::LanguageModel& opened);

}  // namespace attune::app
