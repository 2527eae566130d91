// ByteLevel: cuts as GPT-2 does and writes bytes as characters of the byte alphabet.
#include <algorithm>

#include "byte_alphabet.h"
#include "cutting.h"

namespace attune::text {

namespace {

class ByteLevel final : public PreTokenizer {
 public:
  explicit ByteLevel(const JsonNode& node)
      : prefix_space_(node.at("add_prefix_space").boolean()), cuts_(node.boolean_or("use_regex", true)) {
    node.at("trim_offsets").boolean();  // belongs to the post-processor of the same name
  }

  void apply(PreTokenized& text) const override {
    if (prefix_space_) add_prefix_space(text);
    if (cuts_) {
      cut_pieces(text, [](std::string_view view, Span piece, std::vector<Piece>& out) {
        cut_by_scanner(scan_gpt2, view, piece, out);
      });
    }
    if (!raw_bytes_) rewrite_pieces(text, byte_alphabet::append_bytes);
  }
  bool leave_raw_bytes() override { return raw_bytes_ = true; }

 private:
  static void add_prefix_space(PreTokenized& text) {
    const auto needs_space = [&](const Piece& piece) {
      return piece.token < 0 && text.text.view()[piece.span.begin] != ' ';
    };
    if (std::none_of(text.pieces.begin(), text.pieces.end(), needs_space)) return;
    rewrite_pieces(text, [](std::string_view view, Span piece, AlignedText::Builder& out) {
      if (view[piece.begin] != ' ') out.append(U' ', piece.begin);
      out.copy(piece.begin, piece.end);
    });
  }

  bool prefix_space_, cuts_;
  bool raw_bytes_ = false;
};

}  // namespace

std::unique_ptr<PreTokenizer> make_byte_level(const JsonNode& node) {
  return std::make_unique<ByteLevel>(node);
}

}  // namespace attune::text
