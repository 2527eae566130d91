// Rows written as prompts: header, examples and the row itself in one wording, and how each label would go on from
// there.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "attune/data/example.h"
#include "attune/data/options.h"
#include "attune/prompt/labels.h"
#include "attune/prompt/options.h"
#include "attune/prompt/wordings.h"

namespace attune::prompt {

/// What a row is answered with.
enum class AnswerKind {
  label,  ///< the words of its class
  text,   ///< rows of a language model: the completion (Example::text_pair), which prompts never show
};

/// The columns that the inputs of the set name: DataOptions::kept_columns for reading its rows. Error{usage} where one
/// of them holds the answer.
std::vector<std::string> columns_of(const PromptSet& set, const data::ColumnOptions& columns, AnswerKind kind);

/// What stands once in a prompt, before or behind the examples: the header of a wording, rendered. Error{usage} where
/// that fails.
std::string header_of(const PromptSet& set, const Wording& wording);

/// A label as it would go on from a prompt.
struct Continuation {
  std::size_t label;  ///< id
  std::string word;   ///< of its label words
  std::string text;   ///< to be scored behind the prompt; of a chat as the assistant's turn, of a gap in its place
};

struct PromptText {
  std::string text;      ///< what the model goes on from, or with the mask token where it fills a gap; "" of a chat
  std::string messages;  ///< of a chat the list of messages as JSON, whose last is the user's; else ""
};

struct WriterSettings {
  AnswerKind kind = AnswerKind::label;
  LabelWords words = {};        ///< of AnswerKind::label
  std::string mask_token = {};  ///< of a model that fills gaps
};

/// Examples of a prompt, as they stand in it.
using ExampleList = std::span<const data::Example* const>;

class PromptWriter {
 public:
  /// Renders header and answers. Error{usage} where they fail, where the input has a gap and there is no mask token,
  /// and where a label word renders to nothing.
  PromptWriter(const PromptSet& set, const Wording& wording, WriterSettings settings);

  /// Error{data}, with the row's place, for a column that the input names and the row lacks (or has as null), for an
  /// example without a label or answer, for rows that are chats, and for a text that holds the mask token itself.
  PromptText write(const data::Example& row, ExampleList examples = {}) const;

  /// How the row's own answer goes on from its prompt: the word of its label, or its completion. Error{data} as above.
  std::string answer_of(const data::Example& row) const;

  /// How the labels would go on from any prompt, by label, then word; of AnswerKind::text there are none.
  const std::vector<Continuation>& answers() const;

  /// Whether the input names `mask`.
  bool fills_gap() const;

 private:
  struct Parts;
  std::shared_ptr<const Parts> parts_;
};

struct FittedPrompt {
  PromptText prompt;
  std::size_t dropped = 0;  ///< examples, from the front on
  bool fits = true;         ///< false: not even without examples
};

/// Writes the row behind as many of the last examples as `fits` allows.
FittedPrompt fit_prompt(const PromptWriter& writer, const data::Example& row, ExampleList examples,
                        const std::function<bool(const PromptText&)>& fits);

}  // namespace attune::prompt
