// Truncation and padding as the reference does them.
#include "truncation.h"

#include <algorithm>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/strings.h"

namespace attune::text {

namespace {

[[noreturn]] void cannot_truncate(ErrorKind kind, const std::string& what, const std::string& hint) {
  throw Error(kind, {.file = "", .what = what, .where = "", .hint = hint});
}

/// Windows of `length` tokens that overlap by the stride, from the kept side on until the other end is reached.
Windows cut(std::size_t size, std::size_t length, const Truncation& rule) {
  if (length >= size) return {{0, size}, {}};
  if (length == 0) return {{0, 0}, {{0, size}}};
  if (rule.stride >= length) {
    cannot_truncate(ErrorKind::usage,
                    concat("the stride ", rule.stride, " is not below the ", length, " tokens of a window"),
                    "lower the stride or raise max_length");
  }
  std::vector<Window> windows;
  for (std::size_t done = 0;; done += length - rule.stride) {
    const std::size_t far = std::min(done + length, size);
    windows.push_back(rule.side == Side::right ? Window{done, far} : Window{size - far, size - done});
    if (far == size) break;
  }
  return {windows.front(), {windows.begin() + 1, windows.end()}};
}

/// The lengths of both texts under longest_first.
std::pair<std::size_t, std::size_t> shares(std::size_t first, std::size_t second, std::size_t limit) {
  std::size_t shorter = std::min(first, second);
  std::size_t longer = shorter > limit ? shorter : std::max(shorter, limit - shorter);
  if (shorter + longer > limit) {
    shorter = limit / 2;
    longer = shorter + limit % 2;
  }
  return first > second ? std::pair(longer, shorter) : std::pair(shorter, longer);
}

}  // namespace

std::pair<Windows, Windows> truncate(std::size_t first, std::optional<std::size_t> second, const Truncation& rule,
                                     std::size_t num_special) {
  if (rule.max_length < num_special) {
    cannot_truncate(ErrorKind::usage,
                    concat("max_length ", rule.max_length, " leaves no room for ", num_special, " special tokens"),
                    "raise max_length");
  }
  const std::size_t limit = rule.max_length - num_special;
  const std::size_t total = first + second.value_or(0);
  if (total <= limit) return {cut(first, first, rule), cut(second.value_or(0), total, rule)};
  if (limit == 0 || (rule.strategy == TruncationStrategy::longest_first && !second)) {
    return {cut(first, limit, rule), cut(second.value_or(0), limit, rule)};
  }
  if (rule.strategy == TruncationStrategy::longest_first) {
    const auto [first_share, second_share] = shares(first, *second, limit);
    return {cut(first, first_share, rule), cut(*second, second_share, rule)};
  }
  const bool only_first = rule.strategy == TruncationStrategy::only_first;
  if (!only_first && !second)
    cannot_truncate(ErrorKind::data, "only_second cannot truncate a text that has no second text", "use longest_first");
  const std::size_t target = only_first ? first : *second, excess = total - limit;
  if (target <= excess) {
    cannot_truncate(ErrorKind::data, concat("the text to truncate has ", target, " tokens, but ", excess, " must go"),
                    "use longest_first or raise max_length");
  }
  if (only_first) return {cut(first, first - excess, rule), {{0, second.value_or(0)}, {}}};
  return {{{0, first}, {}}, cut(*second, *second - excess, rule)};
}

namespace {

void pad_to(Encoding& encoding, std::size_t length, const Padding& padding, bool marks_sequences) {
  for (Encoding& window : encoding.overflowing) pad_to(window, length, padding, marks_sequences);
  if (encoding.size() >= length) return;
  const std::size_t missing = length - encoding.size();
  const auto fill = [&](auto& values, const auto& value) {
    values.insert(padding.side == Side::right ? values.end() : values.begin(), missing, value);
  };
  if (encoding.tokens.size() == encoding.size()) fill(encoding.tokens, padding.pad_token);
  fill(encoding.ids, padding.pad_id);
  fill(encoding.type_ids, padding.pad_type_id);
  fill(encoding.offsets, std::pair<std::uint32_t, std::uint32_t>{});
  fill(encoding.special_tokens_mask, std::uint8_t{1});
  fill(encoding.attention_mask, std::uint8_t{0});
  fill(encoding.word_ids, std::int32_t{-1});
  const bool is_pair = std::count(encoding.sequence_ids.begin(), encoding.sequence_ids.end(), 1) > 0;
  fill(encoding.sequence_ids, std::int32_t{marks_sequences || is_pair ? -1 : 0});
}

}  // namespace

void pad(std::vector<Encoding>& encodings, const Padding& padding, bool marks_sequences) {
  std::size_t length = padding.fixed.value_or(0);
  if (!padding.fixed) {
    for (const Encoding& encoding : encodings) length = std::max(length, encoding.size());
  }
  if (padding.multiple_of > 0) length = (length + padding.multiple_of - 1) / padding.multiple_of * padding.multiple_of;
  for (Encoding& encoding : encodings) pad_to(encoding, length, padding, marks_sequences);
}

}  // namespace attune::text
