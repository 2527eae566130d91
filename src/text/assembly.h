// Puts the public Encoding together from drafts and the post-processor's template.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attune/text/tokenizer.h"
#include "draft.h"
#include "model.h"
#include "post_processor.h"

namespace attune::text {

/// A text, or the words of one, after truncation.
struct DraftPart {
  const Draft* draft = nullptr;
  Windows windows;
};

class Assembler {
 public:
  /// The model must outlive the assembler.
  Assembler(const Model& model, std::optional<PostProcessor> post_processor);

  /// Special tokens and type ids around one text or a pair. The windows that truncation cut off are combined as the
  /// reference does: every window of the first text with the second text and its windows, then the first text with
  /// every window of the second.
  Encoding assemble(const DraftPart& first, const DraftPart* second, const EncodeOptions& options) const;

  /// Whether the texts of tokens decide offsets.
  bool trims() const { return post_processor_.trimming().has_value(); }
  const PostProcessor& post_processor() const { return post_processor_; }
  bool marks_sequences() const { return marks_sequences_; }

 private:
  /// How many blanks (as characters) a token begins and ends with.
  struct Edges {
    std::uint16_t leading = 0;
    std::uint16_t trailing = 0;
  };
  struct Source {
    const Draft* draft;
    Window window;
  };

  static Edges edges_of(std::string_view token);
  Encoding fill(const Source& first, const Source* second, const EncodeOptions& options) const;
  void append_special(const TemplatePiece& piece, Encoding& out, bool with_tokens) const;
  void append_text(const Source& source, const TemplatePiece& piece, Encoding& out, bool with_tokens) const;
  std::pair<std::uint32_t, std::uint32_t> trimmed(const Draft& draft, const DraftToken& token, bool first) const;

  const Model* model_;
  bool marks_sequences_;  ///< there is a post-processor
  PostProcessor post_processor_;
  std::vector<Edges> edges_;  ///< by id; empty unless offsets are trimmed
};

}  // namespace attune::text
