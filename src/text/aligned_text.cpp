// See aligned_text.h.
#include "aligned_text.h"

#include "attune/base/utf8.h"

namespace attune::text {

Span AlignedText::origin_at(std::size_t position) const {
  if (!origin_.empty()) return origin_[position];
  const auto continues = [&](std::size_t i) {
    return i < text_.size() && (static_cast<unsigned char>(text_[i]) & 0xc0) == 0x80;
  };
  std::size_t begin = position, end = position + 1;
  while (continues(begin)) --begin;
  while (continues(end)) ++end;
  return {start_ + static_cast<std::uint32_t>(begin), start_ + static_cast<std::uint32_t>(end)};
}

void AlignedText::apply(std::span<const unicode::Tagged> characters) {
  Builder out(*this, 0);
  const std::string_view old = text_;
  std::size_t position = 0;  // behind what the characters so far stand for
  for (const auto& [c, change] : characters) {
    if (change <= 0) {
      out.append(c, position);
      for (int i = 0; i <= -change && position < old.size(); ++i) next_code_point(old, position);
    } else if (position == 0) {
      out.append_at_start(c);
    } else {
      out.append(c, position - 1);
    }
  }
  out.finish(*this);
}

AlignedText::Builder::Builder(const AlignedText& source, std::size_t unchanged) : source_(source) {
  text_.reserve(source.text_.size() + source.text_.size() / 4);
  origin_.reserve(text_.capacity());
  copy(0, unchanged);
}

void AlignedText::Builder::append_aligned(char32_t c, Span origin) {
  append_utf8(text_, c);
  origin_.resize(text_.size(), origin);
}

void AlignedText::Builder::copy(std::size_t begin, std::size_t end) {
  text_.append(source_.text_, begin, end - begin);
  if (!source_.origin_.empty()) {
    origin_.insert(origin_.end(), source_.origin_.begin() + static_cast<std::ptrdiff_t>(begin),
                   source_.origin_.begin() + static_cast<std::ptrdiff_t>(end));
    return;
  }
  std::size_t at = origin_.size();
  origin_.resize(at + end - begin);
  while (begin < end) {
    std::size_t next = begin;
    next_code_point(source_.text_, next);
    const Span character{source_.start_ + static_cast<std::uint32_t>(begin),
                         source_.start_ + static_cast<std::uint32_t>(next)};
    for (; begin < next; ++begin) origin_[at++] = character;
  }
}

void AlignedText::Builder::finish(AlignedText& target) {
  target.text_ = std::move(text_);
  target.origin_ = std::move(origin_);
}

}  // namespace attune::text
