// What becomes of rows of a language model that are longer than max_length, and of the prompts in front of their
// answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attune/task/task.h"

namespace attune::task {

/// What a row is to the length policy "auto".
enum class RowShape {
  document,  ///< split
  answered,  ///< a prompt with a completion, or a chat: truncate
  awaiting   ///< nothing but a prompt, whose answer is to be generated: truncate_left
};

/// Cuts rows to max_length as the policy says, and prompts as their rows.
class LengthPolicy {
 public:
  /// `bos`: the beginning-of-text token, which a row that begins with it keeps.
  LengthPolicy(const TaskOptions& options, std::optional<std::int32_t> bos);

  /// Adds what is left of the row to `rows`: itself, its windows, or nothing. Throws Error{data} where it is refused,
  /// or where no token is left to be learned.
  void apply(Encoded row, const data::Example& example, RowShape shape, std::vector<Encoded>& rows) const;
  /// What is left of a prompt that is a row of its own. Nothing where it is dropped. Throws Error{data} where it is refused, or where no
  /// prompt or no room for an answer is left.
  std::optional<AnswerPrompt> apply(AnswerPrompt prompt, const data::Example& example, RowShape shape) const;

 private:
  using Ids = std::vector<std::int32_t>;

  std::string policy_for(RowShape shape) const;
  bool has_bos(const Ids& ids) const { return bos_ && !ids.empty() && ids.front() == *bos_; }
  std::optional<AnswerPrompt> cut_prompt(AnswerPrompt prompt, std::size_t tokens, const std::string& policy) const;
  void split(const Encoded& row, const data::Example& example, std::vector<Encoded>& rows) const;
  void keep(Encoded row, const data::Example& example, std::vector<Encoded>& rows) const;
  Error too_long(std::size_t tokens, const data::Example& example) const;
  Error nothing_learned(const Encoded& row, const data::Example& example) const;

  std::size_t most_;
  std::string policy_;
  std::optional<std::int32_t> bos_;
};

}  // namespace attune::task
