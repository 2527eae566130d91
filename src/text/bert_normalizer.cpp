// BertNormalizer: clean, blanks around Chinese characters, accents off, lowercase, in this order. ASCII takes a short
// cut.
#include <array>
#include <optional>

#include "map_characters.h"
#include "normalizer.h"

namespace attune::text {

namespace {

using unicode::has;

struct BertOptions {
  bool clean_text = true;
  bool chinese = true;
  bool strip_accents = true;
  bool lowercase = true;
};

class BertNormalizer final : public Normalizer {
 public:
  explicit BertNormalizer(const BertOptions& options) : options_(options) {
    for (int c = 0; c < 0x80; ++c) {
      const bool blank = c == '\t' || c == '\n' || c == '\r';
      char mapped = options.clean_text && blank ? ' ' : static_cast<char>(c);
      if (options.lowercase && c >= 'A' && c <= 'Z') mapped = static_cast<char>(c - 'A' + 'a');
      const bool removed = options.clean_text && (c == 0x7f || (c < 0x20 && !blank));
      ascii_[static_cast<std::size_t>(c)] = removed ? kGeneral : mapped;
    }
  }

  void apply(AlignedText& text) const override {
    if (apply_ascii(text)) return;
    if (options_.clean_text) clean(text);
    if (options_.chinese) separate_chinese(text);
    if (options_.strip_accents) strip_accents(text);
    if (options_.lowercase) lowercase(text);
  }

 private:
  static constexpr char kGeneral = static_cast<char>(0xff);  ///< a character that needs the general path

  /// True when the whole text is done: it holds only ASCII of which nothing is removed.
  bool apply_ascii(AlignedText& text) const {
    const std::string_view view = text.view();
    for (std::size_t i = 0; i < view.size(); ++i) {
      const auto byte = static_cast<unsigned char>(view[i]);
      const char mapped = ascii_[byte & 0x7f];
      if (byte >= 0x80 || mapped == kGeneral) return false;
      if (mapped != view[i]) text.set_ascii(i, mapped);
    }
    return true;
  }

  static void clean(AlignedText& text) {
    const auto changes = [](char32_t c) {
      return c != ' ' && (unicode::properties(c) & (unicode::bert_control | unicode::white_space)) != 0;
    };
    map_characters(text, changes, [](char32_t c, auto emit) {
      if (!has(c, unicode::bert_control)) emit(U' ');
    });
  }

  static void separate_chinese(AlignedText& text) {
    map_characters(text, unicode::is_bert_chinese, [](char32_t c, auto emit) {
      emit(U' ');
      emit(c);
      emit(U' ');
    });
  }

  static void strip_accents(AlignedText& text) {
    decompose(text);
    map_characters(
        text, [](char32_t c) { return has(c, unicode::bert_mark); }, [](char32_t, auto) {});
  }

  static void decompose(AlignedText& text) {
    const std::string_view view = text.view();
    for (std::size_t i = 0; i < view.size();) {
      if (has(next_code_point(view, i), unicode::normalizes)) {
        text.apply(unicode::normalize(view, unicode::Form::nfd));
        return;
      }
    }
  }

  BertOptions options_;
  std::array<char, 0x80> ascii_{};
};

}  // namespace

std::unique_ptr<Normalizer> make_bert_normalizer(const JsonNode& node) {
  BertOptions options;
  options.clean_text = node.boolean_or("clean_text", true);
  options.chinese = node.boolean_or("handle_chinese_chars", true);
  options.lowercase = node.boolean_or("lowercase", true);
  options.strip_accents = node.boolean_or("strip_accents", options.lowercase);
  return std::make_unique<BertNormalizer>(options);
}

}  // namespace attune::text
