// Text on its way through the tokenizer: the characters as they are now, and for each the bytes of the input it came
// from. As long as nothing changed lengths the alignment is the identity and costs nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "attune/text/unicode.h"

namespace attune::text {

/// Bytes [begin, end).
struct Span {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  bool operator==(const Span&) const = default;
};

inline std::string_view slice(std::string_view text, Span span) {
  return text.substr(span.begin, span.end - span.begin);
}

class AlignedText {
 public:
  AlignedText() = default;
  /// Input text (valid UTF-8) that begins at byte `start` of the input.
  AlignedText(std::string_view text, std::uint32_t start) : text_(text), start_(start) {}
  /// The same as a new object, in the memory of this one.
  void reset(std::string_view text, std::uint32_t start) {
    text_ = text;
    start_ = start;
    origin_.clear();
  }

  std::string_view view() const { return text_; }
  /// Replaces one ASCII character by another: the alignment stays.
  void set_ascii(std::size_t position, char c) { text_[position] = c; }
  /// Bytes of the input that a non-empty range of the text came from. Where the range cuts through a character, so may
  /// these.
  Span origin(Span range) const {
    if (origin_.empty()) return {start_ + range.begin, start_ + range.end};
    return {origin_[range.begin].begin, origin_[range.end - 1].end};
  }
  /// A normalised form, see unicode::Tagged.
  void apply(std::span<const unicode::Tagged> characters);

  /// Writes the next state of a text: what is not copied is gone.
  class Builder {
   public:
    /// Takes over the first `unchanged` bytes.
    Builder(const AlignedText& source, std::size_t unchanged);
    /// A character that shares the alignment of the source's byte `position`.
    void append(char32_t c, std::size_t position) { append_aligned(c, source_.origin_at(position)); }
    /// A character without any source: it stands at the very beginning.
    void append_at_start(char32_t c) { append_aligned(c, {source_.start_, source_.start_}); }
    void copy(std::size_t begin, std::size_t end);
    /// Bytes written so far.
    std::size_t size() const { return text_.size(); }
    /// Replaces the source's text. The builder is spent.
    void finish(AlignedText& target);

   private:
    void append_aligned(char32_t c, Span origin);

    const AlignedText& source_;
    std::string text_;
    std::vector<Span> origin_;
  };

 private:
  Span origin_at(std::size_t position) const;

  std::string text_;
  std::uint32_t start_ = 0;
  std::vector<Span> origin_;  ///< of each byte of text_; empty while the alignment is the identity
};

}  // namespace attune::text
