// Where the prompts of `attune generate` come from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/files/json.h"
#include "attune/job/language_model.h"
#include "attune/models/spec.h"
#include "attune/text/chat_template.h"
#include "attune/text/tokenizer.h"

namespace attune::app {

struct Prompt {
  std::string id;
  std::string text;      ///< that is tokenized
  std::string shown;     ///< what the user wrote
  std::string origin;    ///< for errors: file and line; "" = the command line
  bool is_chat = false;  ///< made by a chat template: what the model says is a text of its own
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

/// A line a prompt.
std::vector<Prompt> prompts_of_stdin();
/// Files whose rows have columns: each becomes a prompt as the run that made the model read its rows (template, columns, chats), up
/// to the answer where it has one; a column `id` names it. Other files: a line a prompt. Error{data} with the line.
std::vector<Prompt> read_prompts(const std::string& file, const job::LanguageModel& opened);

/// Token ids, as training has them. Error{data} for a prompt that has more tokens than the model has positions.
std::vector<std::vector<std::int32_t>> encode_prompts(const std::vector<Prompt>& prompts,
                                                      const text::Tokenizer& tokenizer, const models::ModelSpec& spec);

}  // namespace attune::app
