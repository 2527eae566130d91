// From a row of a language model to its text and the parts of it that are learned.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "attune/data/example.h"
#include "attune/text/chat_template.h"

namespace attune::task {

/// [begin, end) in code points.
using Span = std::pair<std::uint32_t, std::uint32_t>;

struct LearnedText {
  std::string text;
  std::vector<Span> spans;         ///< what is learned, ascending; nothing in a document, of which all is
  bool is_document = false;        ///< learned from the first token to the last
  bool adds_special = true;        ///< the tokenizer puts its special tokens around it; a chat template writes its own
  bool ends_with_answer = true;    ///< the last span reaches the end: nothing but an end token may follow
};

/// Renders chats with one template, parsed at the first of them.
class ChatRenderer {
 public:
  /// `templates` may be null: then every chat is an Error{model}. It must outlive the renderer.
  explicit ChatRenderer(const text::ChatTemplates* templates) : templates_(templates) {}

  /// The chat of example.messages, of the first example.prompt_messages without spans; spans as the template's {%
  /// generation %} blocks give them, else by rendering the conversation up to each answer and up to its end: each must
  /// be the beginning of the next and of the whole. Error{data} with file and line for a chat that the template
  /// refuses, Error{model} for a template whose prefixes do not nest.
  LearnedText render(const data::Example& example);
  /// The chat as the model reads it before its last message, which answers it, or before the answer that it awaits. Error{data} as
  /// above.
  std::string prompt(const data::Example& example);

 private:
  const text::ChatTemplate& chosen(bool with_tools, const data::Example& example);

  const text::ChatTemplates* templates_;
  std::optional<text::ChatTemplate> plain_, with_tools_;
};

/// Documents, prompts with completions, and chats.
LearnedText learned_text(const data::Example& example, ChatRenderer& chats);

/// What stands before the answer that a row ends with, and the answer.
struct PromptedAnswer {
  std::string prompt;
  std::optional<std::string> reference;  ///< nothing where the example awaits its answer
};
/// Of prompts with completions, of chats whose last message is a text of the assistant's, and of rows that await an answer; nothing
/// of the others.
std::optional<PromptedAnswer> answer_text(const data::Example& example, ChatRenderer& chats);
/// The same of every row: of documents their text, of chats that the assistant does not end with a text all of them. Nothing
/// of rows of ids.
std::optional<PromptedAnswer> beginning_text(const data::Example& example, ChatRenderer& chats);

}  // namespace attune::task
