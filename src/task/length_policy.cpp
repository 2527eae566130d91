// See length_policy.h.
#include "task/length_policy.h"

#include <algorithm>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/data/record.h"

namespace attune::task {

namespace {

/// Removes the first `count` values, behind the beginning-of-text token where there is one.
template <class T>
void drop_beginning(std::vector<T>& values, std::size_t count, bool keeps_bos) {
  const auto begin = values.begin() + (keeps_bos ? 1 : 0);
  values.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
}

Encoded slice(const Encoded& row, std::size_t begin, std::size_t end) {
  Encoded part = row;
  part.ids.assign(row.ids.begin() + static_cast<std::ptrdiff_t>(begin),
                  row.ids.begin() + static_cast<std::ptrdiff_t>(end));
  part.learned.assign(row.learned.begin() + static_cast<std::ptrdiff_t>(begin),
                      row.learned.begin() + static_cast<std::ptrdiff_t>(end));
  return part;
}

}  // namespace

LengthPolicy::LengthPolicy(const TaskOptions& options, std::optional<std::int32_t> bos)
    : most_(static_cast<std::size_t>(options.max_length)), policy_(options.length_policy), bos_(bos) {}

void LengthPolicy::apply(Encoded row, const data::Example& example, RowShape shape, std::vector<Encoded>& rows) const {
  const std::size_t tokens = row.ids.size();
  if (tokens <= most_) return keep(std::move(row), example, rows);
  const std::string policy = policy_for(shape);
  if (policy == "drop") return;
  if (policy == "error") throw too_long(tokens, example);
  if (row.prompt) row.prompt = cut_prompt(*row.prompt, tokens, policy).value_or(AnswerPrompt());
  if (policy == "split") return split(row, example, rows);
  row.cut = static_cast<std::int64_t>(tokens - most_);
  if (policy == "truncate_left") {
    const bool keeps_bos = has_bos(row.ids);
    drop_beginning(row.ids, tokens - most_, keeps_bos);
    drop_beginning(row.learned, tokens - most_, keeps_bos);
    row.learned.front() = 0;
  } else {
    row.ids.resize(most_);
    row.learned.resize(most_);
  }
  keep(std::move(row), example, rows);
}

std::optional<AnswerPrompt> LengthPolicy::apply(AnswerPrompt prompt, const data::Example& example, RowShape shape) const {
  const std::size_t tokens = prompt.ids.size();
  if (tokens <= most_) return prompt;
  const std::string policy = policy_for(shape);
  if (policy == "drop") return std::nullopt;
  if (policy == "error") throw too_long(tokens, example);
  auto cut = policy == "truncate" ? std::nullopt : cut_prompt(std::move(prompt), tokens, policy);
  if (cut) return cut;
  throw Error(ErrorKind::data,
              {.file = data::place_of(example.origin),
               .what = concat("the prompt has ", tokens, " tokens, and data.max_length is ", most_, ": under the length policy \"", policy,
                              "\" ", policy == "truncate" ? "no answer" : "no token of the prompt", " is left"),
               .where = "",
               .hint = concat("raise data.max_length, or set data.length_policy to \"",
                              policy == "truncate" ? "truncate_left" : "truncate", "\" or \"drop\"")});
}

std::string LengthPolicy::policy_for(RowShape shape) const {
  if (policy_ != "auto") return policy_;
  return shape == RowShape::document ? "split" : shape == RowShape::awaiting ? "truncate_left" : "truncate";
}

/// As the row is cut; the windows of a split row keep it whole, and the answer follows on the last. Nothing where
/// nothing is left.
std::optional<AnswerPrompt> LengthPolicy::cut_prompt(AnswerPrompt prompt, std::size_t tokens,
                                                     const std::string& policy) const {
  const std::size_t size = prompt.ids.size(), left_out = policy == "split" ? size : tokens;
  if (policy == "truncate" || left_out <= most_) return prompt;
  const bool keeps_bos = has_bos(prompt.ids);
  const std::size_t count = left_out - most_;
  if (count + (keeps_bos ? 1 : 0) >= size) return std::nullopt;
  drop_beginning(prompt.ids, count, keeps_bos);
  prompt.cut = static_cast<std::int64_t>(count);
  return prompt;
}

/// Neighbouring windows share the token that the first of the later one is predicted from.
void LengthPolicy::split(const Encoded& row, const data::Example& example, std::vector<Encoded>& rows) const {
  const std::size_t before = rows.size();
  for (std::size_t begin = 0; begin + 1 < row.ids.size(); begin += most_ - 1) {
    Encoded window = slice(row, begin, std::min(begin + most_, row.ids.size()));
    window.learned.front() = 0;
    window.window = static_cast<std::int64_t>(rows.size() - before);
    if (window.window > 0) window.prompt.reset();
    if (std::count(window.learned.begin(), window.learned.end(), 1) > 0) rows.push_back(std::move(window));
  }
  if (rows.size() == before) throw nothing_learned(row, example);
}

void LengthPolicy::keep(Encoded row, const data::Example& example, std::vector<Encoded>& rows) const {
  if (std::count(row.learned.begin(), row.learned.end(), 1) == 0) throw nothing_learned(row, example);
  rows.push_back(std::move(row));
}

Error LengthPolicy::too_long(std::size_t tokens, const data::Example& example) const {
  return {ErrorKind::data,
          {.file = data::place_of(example.origin),
           .what = concat("the row has ", tokens, " tokens, data.max_length is ", most_),
           .where = "",
           .hint = "raise data.max_length, or say in data.length_policy what to do"}};
}

Error LengthPolicy::nothing_learned(const Encoded& row, const data::Example& example) const {
  const char* hint = row.cut > 0 ? "raise data.max_length, or set data.length_policy to \"truncate_left\" or \"drop\""
                     : !example.messages.empty() ? "give a chat in which the assistant speaks"
                                                 : "remove the row";
  return {ErrorKind::data,
          {.file = data::place_of(example.origin),
           .what = row.cut > 0 ? concat("of the row's first ", most_, " tokens none is to be learned")
                               : std::string("no token of the row is to be learned"),
           .where = "",
           .hint = hint}};
}

}  // namespace attune::task
