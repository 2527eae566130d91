// What pre-tokenisers are made of: cutting pieces at delimiters, and rewriting them.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "attune/base/utf8.h"
#include "pre_tokenizer.h"
#include "scanner.h"

namespace attune::text {

/// What becomes of a delimiter.
enum class Behavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };

Behavior read_behavior(const JsonNode& node);

/// A stretch that is a delimiter or lies between delimiters.
struct Stretch {
  Span span;
  bool delimiter = false;
};

/// Applies the behaviour to stretches that cover a piece.
void join_stretches(const std::vector<Stretch>& stretches, Behavior behavior, std::vector<Piece>& out);

/// Cuts every piece that is not an added token: cut(view of the whole text, span of the piece, pieces to append to).
template <typename Cut>
void cut_pieces(PreTokenized& text, Cut cut) {
  const std::string_view view = text.text.view();
  text.spare.clear();
  for (const Piece& piece : text.pieces) {
    if (piece.token >= 0) {
      text.spare.push_back(piece);
    } else {
      cut(view, piece.span, text.spare);
    }
  }
  std::swap(text.pieces, text.spare);
}

/// Every match of the scanner becomes a piece.
inline void cut_by_scanner(Scanner scanner, std::string_view view, Span piece, std::vector<Piece>& out) {
  const std::string_view text = view.substr(0, piece.end);
  for (std::uint32_t begin = piece.begin; begin < piece.end;) {
    const std::uint32_t end = scanner(text, begin);
    out.push_back({{begin, end}});
    begin = end;
  }
}

/// Every character that `delimiter` accepts is a stretch of its own.
template <typename Delimiter>
void cut_at_characters(PreTokenized& text, Behavior behavior, Delimiter delimiter) {
  std::vector<Stretch> stretches;
  cut_pieces(text, [&](std::string_view view, Span piece, std::vector<Piece>& out) {
    stretches.clear();
    for (std::size_t i = piece.begin; i < piece.end;) {
      const auto begin = static_cast<std::uint32_t>(i);
      const bool cuts = delimiter(next_code_point(view, i));
      const auto end = static_cast<std::uint32_t>(i);
      if (!cuts && !stretches.empty() && !stretches.back().delimiter) {
        stretches.back().span.end = end;
      } else {
        stretches.push_back({{begin, end}, cuts});
      }
    }
    join_stretches(stretches, behavior, out);
  });
}

/// Writes every piece that is not an added token anew: rewrite(view of the old text, span of the piece, builder). What
/// lies between pieces is gone afterwards.
template <typename Rewrite>
void rewrite_pieces(PreTokenized& text, Rewrite rewrite) {
  const std::string_view view = text.text.view();
  AlignedText::Builder out(text.text, 0);
  for (Piece& piece : text.pieces) {
    const auto begin = static_cast<std::uint32_t>(out.size());
    if (piece.token >= 0) {
      out.copy(piece.span.begin, piece.span.end);
    } else {
      rewrite(view, piece.span, out);
    }
    piece.span = {begin, static_cast<std::uint32_t>(out.size())};
  }
  out.finish(text.text);
}

}  // namespace attune::text
