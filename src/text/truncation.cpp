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

/// Tokens [begin, end) of an encoding, without its overflow.
Encoding window(const Encoding& from, std::size_t begin, std::size_t end) {
  const auto cut = [&](const auto& values) {
    using Values = std::decay_t<decltype(values)>;
    if (values.empty()) return Values{};  // tokens that were not asked for
    return Values(values.begin() + static_cast<std::ptrdiff_t>(begin),
                  values.begin() + static_cast<std::ptrdiff_t>(end));
  };
  Encoding out;
  out.ids = cut(from.ids);
  out.type_ids = cut(from.type_ids);
  out.tokens = cut(from.tokens);
  out.offsets = cut(from.offsets);
  out.special_tokens_mask = cut(from.special_tokens_mask);
  out.attention_mask = cut(from.attention_mask);
  out.word_ids = cut(from.word_ids);
  out.sequence_ids = cut(from.sequence_ids);
  return out;
}

/// Windows of `length` tokens that overlap by the stride, from the kept side on until the other end is reached.
void cut_to(Encoding& encoding, std::size_t length, const Truncation& rule) {
  const std::size_t size = encoding.size();
  if (length >= size) return;
  Encoding kept;
  if (length == 0) {
    kept.overflowing.push_back(std::move(encoding));
    encoding = std::move(kept);
    return;
  }
  if (rule.stride >= length) {
    cannot_truncate(ErrorKind::usage,
                    concat("the stride ", rule.stride, " is not below the ", length, " tokens of a window"),
                    "lower the stride or raise max_length");
  }
  std::vector<Encoding> windows;
  for (std::size_t done = 0;; done += length - rule.stride) {
    const std::size_t far = std::min(done + length, size);
    windows.push_back(rule.side == Side::right ? window(encoding, done, far)
                                               : window(encoding, size - far, size - done));
    if (far == size) break;
  }
  kept = std::move(windows.front());
  kept.overflowing.assign(std::make_move_iterator(windows.begin() + 1), std::make_move_iterator(windows.end()));
  encoding = std::move(kept);
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

void truncate(Encoding& first, Encoding* second, const Truncation& rule, std::size_t num_special) {
  if (rule.max_length < num_special) {
    cannot_truncate(ErrorKind::usage,
                    concat("max_length ", rule.max_length, " leaves no room for ", num_special, " special tokens"),
                    "raise max_length");
  }
  const std::size_t limit = rule.max_length - num_special;
  const std::size_t total = first.size() + (second != nullptr ? second->size() : 0);
  if (total <= limit) return;
  if (limit == 0 || (rule.strategy == TruncationStrategy::longest_first && second == nullptr)) {
    cut_to(first, limit, rule);
    if (second != nullptr) cut_to(*second, limit, rule);
    return;
  }
  if (rule.strategy == TruncationStrategy::longest_first) {
    const auto [first_share, second_share] = shares(first.size(), second->size(), limit);
    cut_to(first, first_share, rule);
    cut_to(*second, second_share, rule);
    return;
  }
  Encoding* target = rule.strategy == TruncationStrategy::only_first ? &first : second;
  if (target == nullptr)
    cannot_truncate(ErrorKind::data, "only_second cannot truncate a text that has no second text", "use longest_first");
  const std::size_t excess = total - limit;
  if (target->size() <= excess) {
    cannot_truncate(ErrorKind::data,
                    concat("the text to truncate has ", target->size(), " tokens, but ", excess, " must go"),
                    "use longest_first or raise max_length");
  }
  cut_to(*target, target->size() - excess, rule);
}

namespace {

void pad_to(Encoding& encoding, std::size_t length, const Padding& padding) {
  for (Encoding& window : encoding.overflowing) pad_to(window, length, padding);
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
  fill(encoding.sequence_ids, std::int32_t{-1});
}

}  // namespace

void pad(std::vector<Encoding>& encodings, const Padding& padding) {
  std::size_t length = padding.fixed.value_or(0);
  if (!padding.fixed) {
    for (const Encoding& encoding : encodings) length = std::max(length, encoding.size());
  }
  if (padding.multiple_of > 0) length = (length + padding.multiple_of - 1) / padding.multiple_of * padding.multiple_of;
  for (Encoding& encoding : encodings) pad_to(encoding, length, padding);
}

}  // namespace attune::text
