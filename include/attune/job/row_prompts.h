// A row as the prompt that a wording makes of it: one text, of chats what the model's own template makes of the turns.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "attune/base/error.h"
#include "attune/data/example.h"
#include "attune/files/json.h"
#include "attune/models/spec.h"
#include "attune/prompt/labels.h"
#include "attune/prompt/options.h"
#include "attune/prompt/wordings.h"
#include "attune/prompt/writer.h"
#include "attune/text/chat_template.h"
#include "attune/text/tokenizer.h"

namespace attune::job {

/// What the prompts are for.
struct PromptReader {
  models::Task task = models::Task::causal_lm;
  const text::Tokenizer* tokenizer = nullptr;
  const text::ChatTemplates* chats = nullptr;
  std::string folder;  ///< of the tokenizer, for messages
};

class RowPrompts {
 public:
  /// What `reader` points at must outlive it. Error{usage} where the input has a gap and the model fills none, and the
  /// other way round; Error{model} for chats without a template; else as prompt::PromptWriter.
  RowPrompts(const prompt::PromptSet& set, const prompt::Wording& wording, prompt::AnswerKind kind,
             prompt::LabelWords words, const PromptReader& reader);

  const prompt::PromptWriter& writer() const { return writer_; }
  /// How each label would go on from any of the prompts.
  const std::vector<prompt::Continuation>& answers() const { return writer_.answers(); }
  /// What the model goes on from, or fills the gap of. Of chats Error{usage} where the template takes the turns without
  /// the system's, which holds the header, and refuses them with it; else as text::ChatTemplate::render.
  std::string text_of(const prompt::PromptText& prompt) const;
  std::string text(const data::Example& row, prompt::ExampleList examples) const {
    return text_of(writer_.write(row, examples));
  }

 private:
  std::string rendered(const files::Json& messages) const;
  /// Whether the template stops at the header's turn alone.
  bool refuses_system_turn(const files::Json& messages) const;
  Error system_turn_refused(const Error& error) const;

  prompt::PromptWriter writer_;
  const text::ChatTemplates* chats_;
  std::string file_, wording_;                  ///< of the prompt set, for messages
  std::optional<text::ChatTemplate> template_;  ///< of chats
};

/// Error{usage} for a chat where the model fills gaps, Error{model} for one where it has no template.
void check_chat(const prompt::PromptSet& set, const PromptReader& reader);

}  // namespace attune::job
