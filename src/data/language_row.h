// The shapes in which people keep rows for language models, and chats of all shapes as one list of messages.
#pragma once

#include <string_view>

#include "attune/data/options.h"
#include "attune/data/record.h"

namespace attune::data {

/// What data.format "auto" knows, for messages.
inline constexpr std::string_view kKnownShapes =
    "rows have messages; prompt and completion (or what data.columns.prompt and data.columns.completion name, as source and "
    "target); conversations (ShareGPT); instruction and output (Alpaca); or text (data.columns.text)";

enum class LanguageFormat { text, prompt_completion, messages, sharegpt, alpaca };

struct LanguageShape {
  bool has_template = false;   ///< data.template builds the text or the prompt
  bool awaits_answer = false;  ///< rows may lack what is to be generated: LabelNeed::awaited
};

/// data.format; with "auto" that of the column in data.columns that a user has renamed, else the first that the row has the
/// columns of: messages, sharegpt (conversations), prompt_completion (completion, and prompt or a template), alpaca
/// (instruction and output), text.
LanguageFormat language_format(const Record& record, const DataOptions& options, const LanguageShape& shape);

struct ChatColumns {
  const ColumnOptions& names;
  bool awaits_answer = false;  ///< the last answer may be missing, the example then says so
};

/// Sets `messages`, `tools` and `text` of the example from a row of one of the three chat shapes. A column `system`
/// beside ShareGPT's and Alpaca's columns becomes the first message, Alpaca's `history` the turns before the last.
/// BadRow for a list that is empty, a message without role or text, and a role that is not known.
void read_chat(const Record& record, LanguageFormat format, const ChatColumns& columns, Example& example);

/// Whether the column has a value that is not blank.
bool has_text(const Record& record, const std::string& column);

/// Whether a prompt with its completion is a chat: each is a list of messages. BadRow where only one of them is.
bool completes_chat(const Record& record, const ColumnOptions& columns);

/// The same for a prompt and a completion that are lists of messages (TRL's conversational shape): `messages` are both,
/// of the prompt's nothing is learned. Where the example awaits its answer there is no completion.
void read_chat_completion(const Record& record, const ColumnOptions& columns, Example& example);

}  // namespace attune::data
