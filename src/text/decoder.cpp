// The table of decoders.
#include "decoder.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

#include "attune/base/strings.h"
#include "attune/base/utf8.h"
#include "byte_alphabet.h"
#include "metaspace.h"
#include "parts.h"
#include "pattern.h"

namespace attune::text {

namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

/// Takes the blank before punctuation and contractions away, one token at a time.
void clean_up(std::string& text) {
  constexpr std::pair<std::string_view, std::string_view> kRules[] = {
      {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
      {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [from, to] : kRules) replace_all(text, from, to);
}

class WordPieceDecoder final : public Decoder {
 public:
  explicit WordPieceDecoder(const JsonNode& node)
      : prefix_(node.at("prefix").string()), cleanup_(node.at("cleanup").boolean()) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (i > 0 && tokens[i].starts_with(prefix_)) {
        tokens[i].erase(0, prefix_.size());
      } else if (i > 0) {
        tokens[i].insert(0, " ");
      }
      if (cleanup_) clean_up(tokens[i]);
    }
  }

 private:
  std::string prefix_;
  bool cleanup_;
};

class Fuse final : public Decoder {
 public:
  void apply(std::vector<std::string>& tokens) const override { tokens = {join(tokens, "")}; }
};

/// Takes up to `start` and `stop` times the character away from the ends of every token.
class StripDecoder final : public Decoder {
 public:
  explicit StripDecoder(const JsonNode& node)
      : content_(node.at("content").string()), start_(node.integer_or("start", 0)), stop_(node.integer_or("stop", 0)) {
    if (to_utf32(content_).size() != 1) node.at("content").fail("found '" + content_ + "', expected one character");
  }
  void apply(std::vector<std::string>& tokens) const override {
    for (std::string& token : tokens) {
      std::string_view rest = token;
      for (std::int64_t i = 0; i < start_ && rest.starts_with(content_); ++i) rest.remove_prefix(content_.size());
      for (std::int64_t i = 0; i < stop_ && rest.ends_with(content_); ++i) rest.remove_suffix(content_.size());
      token = std::string(rest);
    }
  }

 private:
  std::string content_;
  std::int64_t start_, stop_;
};

class ReplaceDecoder final : public Decoder {
 public:
  explicit ReplaceDecoder(const JsonNode& node) : pattern_(node.at("pattern")), content_(node.at("content").string()) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (std::string& token : tokens) {
      std::string out;
      std::size_t done = 0;
      for (const Span match : pattern_.find_all(token)) {
        out.append(token, done, match.begin - done).append(content_);
        done = match.end;
      }
      token = out.append(token, done);
    }
  }

 private:
  Pattern pattern_;
  std::string content_;
};

/// sentencepiece-like word ends: the suffix becomes a blank, or nothing in the last token.
class BpeDecoder final : public Decoder {
 public:
  explicit BpeDecoder(const JsonNode& node) : suffix_(node.at("suffix").string()) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (std::size_t i = 0; i < tokens.size() && !suffix_.empty(); ++i) {
      replace_all(tokens[i], suffix_, i + 1 == tokens.size() ? "" : " ");
    }
  }

 private:
  std::string suffix_;
};

/// Characters of the byte alphabet back to bytes; a token with any other character is taken as it is.
class ByteLevelDecoder final : public Decoder {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    std::string bytes;
    for (const std::string& token : tokens) {
      const std::size_t before = bytes.size();
      for (std::size_t i = 0; i < token.size();) {
        const auto byte = byte_alphabet::byte_of(next_code_point(token, i));
        if (!byte) {
          bytes.replace(before, std::string::npos, token);
          break;
        }
        bytes += static_cast<char>(*byte);
      }
    }
    tokens = {replace_invalid_utf8(bytes)};
  }
};

/// Runs of tokens like <0xE4> become the text that their bytes are, or a U+FFFD each where that is not valid UTF-8.
class ByteFallback final : public Decoder {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    std::vector<std::string> out;
    std::string bytes;
    const auto flush = [&] {
      if (!find_invalid_utf8(bytes)) {
        if (!bytes.empty()) out.push_back(bytes);
      } else {
        out.insert(out.end(), bytes.size(), "\xef\xbf\xbd");
      }
      bytes.clear();
    };
    for (std::string& token : tokens) {
      if (const auto byte = byte_of(token)) {
        bytes += *byte;
      } else {
        flush();
        out.push_back(std::move(token));
      }
    }
    flush();
    tokens = std::move(out);
  }

 private:
  static std::optional<char> byte_of(std::string_view token) {
    if (token.size() != 6 || !token.starts_with("<0x") || !token.ends_with(">")) return std::nullopt;
    unsigned value = 0;
    const auto [end, error] = std::from_chars(token.data() + 3, token.data() + 5, value, 16);
    if (error != std::errc() || end != token.data() + 5) return std::nullopt;
    return static_cast<char>(value);
  }
};

/// The visible blank becomes a blank, or nothing in the first token of a text that it was put in front of.
class MetaspaceDecoder final : public Decoder {
 public:
  explicit MetaspaceDecoder(const JsonNode& node) : drops_first_(read_metaspace(node).scheme != PrependScheme::never) {
    append_utf8(blank_, read_metaspace(node).replacement);
  }
  void apply(std::vector<std::string>& tokens) const override {
    for (std::size_t i = 0; i < tokens.size(); ++i) replace_all(tokens[i], blank_, i == 0 && drops_first_ ? "" : " ");
  }

 private:
  std::string blank_;
  bool drops_first_;
};

/// What connectionist temporal classification emits: repeated tokens count once, pads separate.
class Ctc final : public Decoder {
 public:
  explicit Ctc(const JsonNode& node)
      : pad_(non_empty(node.at("pad_token"))),
        delimiter_(non_empty(node.at("word_delimiter_token"))),
        cleanup_(node.at("cleanup").boolean()) {}
  void apply(std::vector<std::string>& tokens) const override {
    tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
    for (std::string& token : tokens) {
      replace_all(token, pad_, "");
      if (!cleanup_) continue;
      clean_up(token);
      replace_all(token, delimiter_, " ");
    }
    std::erase(tokens, "");
  }

 private:
  static const std::string& non_empty(const JsonNode& node) {
    if (node.string().empty()) node.fail("found '', expected a token");
    return node.string();
  }

  std::string pad_, delimiter_;
  bool cleanup_;
};

class DecoderSequence final : public Decoder {
 public:
  explicit DecoderSequence(const JsonNode& node) {
    node.at("decoders").each_element([&](const JsonNode& part) { parts_.push_back(make_decoder(part)); });
  }
  void apply(std::vector<std::string>& tokens) const override {
    for (const auto& part : parts_) part->apply(tokens);
  }

 private:
  std::vector<std::unique_ptr<Decoder>> parts_;
};

constexpr PartRow<Decoder> kDecoders[] = {
    {"BPEDecoder", make_part<Decoder, BpeDecoder>},
    {"ByteFallback", make_part<Decoder, ByteFallback>},
    {"ByteLevel", make_part<Decoder, ByteLevelDecoder>},
    {"CTC", make_part<Decoder, Ctc>},
    {"Fuse", make_part<Decoder, Fuse>},
    {"Metaspace", make_part<Decoder, MetaspaceDecoder>},
    {"Replace", make_part<Decoder, ReplaceDecoder>},
    {"Sequence", make_part<Decoder, DecoderSequence>},
    {"Strip", make_part<Decoder, StripDecoder>},
    {"WordPiece", make_part<Decoder, WordPieceDecoder>},
};

}  // namespace

std::unique_ptr<Decoder> make_decoder(const JsonNode& node) {
  return make_from_table<Decoder>(node, kDecoders, "decoder");
}

}  // namespace attune::text
