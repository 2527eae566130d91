// The table of normalisers and the small ones.
#include "normalizer.h"

#include <algorithm>
#include <string>
#include <vector>

#include "attune/base/strings.h"
#include "byte_alphabet.h"
#include "map_characters.h"
#include "parts.h"
#include "pattern.h"

namespace attune::text {

namespace {

class Lowercase final : public Normalizer {
 public:
  void apply(AlignedText& text) const override { lowercase(text); }
};

class UnicodeForm final : public Normalizer {
 public:
  explicit UnicodeForm(unicode::Form form) : form_(form) {}
  void apply(AlignedText& text) const override {
    if (changes(text.view())) text.apply(unicode::normalize(text.view(), form_));
  }

 private:
  bool changes(std::string_view view) const {
    const bool composes = form_ == unicode::Form::nfc || form_ == unicode::Form::nfkc;
    const unsigned unstable = (form_ == unicode::Form::nfc ? 0u : unsigned{unicode::normalizes}) |
                              (composes ? unsigned{unicode::nfc_unstable} : 0u);
    for (std::size_t i = ascii_prefix(view); i < view.size();) {
      if ((unicode::properties(next_code_point(view, i)) & unstable) != 0) return true;
    }
    return false;
  }

  unicode::Form form_;
};

class StripAccents final : public Normalizer {
 public:
  void apply(AlignedText& text) const override {
    map_characters(text, unicode::is_combining_mark, [](char32_t, auto) {});
  }
};

/// sentencepiece's nmt rules: some controls vanish, exotic blanks become blanks.
class Nmt final : public Normalizer {
 public:
  void apply(AlignedText& text) const override {
    map_characters(
        text, [](char32_t c) { return removed(c) || blank(c); },
        [](char32_t c, auto emit) {
          if (!removed(c)) emit(U' ');
        });
  }

 private:
  static bool removed(char32_t c) {
    return (c >= 1 && c <= 8) || c == 0x0b || (c >= 0x0e && c <= 0x1f) || c == 0x7f || c == 0x8f || c == 0x9f;
  }
  static bool blank(char32_t c) {
    return c == 9 || c == 0xa || c == 0xc || c == 0xd || c == 0x1680 || (c >= 0x200b && c <= 0x200f) || c == 0x2028 ||
           c == 0x2029 || c == 0x2581 || c == 0xfeff || c == 0xfffd;
  }
};

class Strip final : public Normalizer {
 public:
  Strip(const JsonNode& node) : left_(node.at("strip_left").boolean()), right_(node.at("strip_right").boolean()) {}
  void apply(AlignedText& text) const override {
    const std::string_view view = text.view();
    std::size_t first = view.size(), last = 0;  // bounds of what is not white space
    for (std::size_t i = 0; i < view.size();) {
      const std::size_t at = i;
      if (unicode::has(next_code_point(view, i), unicode::white_space)) continue;
      first = std::min(first, at);
      last = i;
    }
    const std::size_t begin = left_ ? first : 0, end = right_ ? last : view.size();
    if (begin == 0 && end == view.size()) return;
    AlignedText::Builder out(text, 0);
    if (begin < end) out.copy(begin, end);
    out.finish(text);
  }

 private:
  bool left_, right_;
};

class Prepend final : public Normalizer {
 public:
  explicit Prepend(const JsonNode& node) : prefix_(node.at("prepend").string()) {}
  void apply(AlignedText& text) const override {
    if (text.view().empty()) return;
    AlignedText::Builder out(text, 0);
    for (std::size_t i = 0; i < prefix_.size();) out.append(next_code_point(prefix_, i), 0);
    out.copy(0, text.view().size());
    out.finish(text);
  }

 private:
  std::string prefix_;
};

class Replace final : public Normalizer {
 public:
  explicit Replace(const JsonNode& node) : pattern_(node.at("pattern")), content_(node.at("content").string()) {}
  void apply(AlignedText& text) const override {
    const std::vector<Span> matches = pattern_.find_all(text.view());
    if (matches.empty()) return;
    AlignedText::Builder out(text, 0);
    std::size_t done = 0;
    for (const Span match : matches) {
      out.copy(done, match.begin);
      for (std::size_t i = 0; i < content_.size();) {
        const char32_t c = next_code_point(content_, i);
        if (match.end == 0) {
          out.append_at_start(c);
        } else {
          out.append(c, match.end - 1);
        }
      }
      done = match.end;
    }
    out.copy(done, text.view().size());
    out.finish(text);
  }

 private:
  Pattern pattern_;
  std::string content_;
};

/// Bytes written in the byte alphabet.
class ByteLevelNormalizer final : public Normalizer {
 public:
  void apply(AlignedText& text) const override {
    AlignedText::Builder out(text, 0);
    byte_alphabet::append_bytes(text.view(), {0, static_cast<std::uint32_t>(text.view().size())}, out);
    out.finish(text);
  }
};

class NormalizerSequence final : public Normalizer {
 public:
  explicit NormalizerSequence(const JsonNode& node) {
    node.at("normalizers").each_element([&](const JsonNode& part) { parts_.push_back(make_normalizer(part)); });
  }
  void apply(AlignedText& text) const override {
    for (const auto& part : parts_) part->apply(text);
  }

 private:
  std::vector<std::unique_ptr<Normalizer>> parts_;
};

template <unicode::Form form>
std::unique_ptr<Normalizer> make_form(const JsonNode&) {
  return std::make_unique<UnicodeForm>(form);
}

constexpr PartRow<Normalizer> kNormalizers[] = {
    {"BertNormalizer", make_bert_normalizer},
    {"ByteLevel", make_part<Normalizer, ByteLevelNormalizer>},
    {"Lowercase", make_part<Normalizer, Lowercase>},
    {"NFC", make_form<unicode::Form::nfc>},
    {"NFD", make_form<unicode::Form::nfd>},
    {"NFKC", make_form<unicode::Form::nfkc>},
    {"NFKD", make_form<unicode::Form::nfkd>},
    {"Nmt", make_part<Normalizer, Nmt>},
    {"Prepend", make_part<Normalizer, Prepend>},
    {"Replace", make_part<Normalizer, Replace>},
    {"Sequence", make_part<Normalizer, NormalizerSequence>},
    {"Strip", make_part<Normalizer, Strip>},
    {"StripAccents", make_part<Normalizer, StripAccents>},
};

}  // namespace

std::unique_ptr<Normalizer> make_normalizer(const JsonNode& node) {
  return make_from_table<Normalizer>(node, kNormalizers, "normaliser");
}

}  // namespace attune::text
