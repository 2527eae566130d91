// The table of decoders.
#include "decoder.h"

#include <algorithm>
#include <utility>

#include "attune/base/strings.h"
#include "attune/base/utf8.h"
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

constexpr PartRow<Decoder> kRows[] = {
    {"BPEDecoder", make_part<Decoder, BpeDecoder>},  {"Fuse", make_part<Decoder, Fuse>},
    {"Replace", make_part<Decoder, ReplaceDecoder>}, {"Sequence", make_part<Decoder, DecoderSequence>},
    {"Strip", make_part<Decoder, StripDecoder>},     {"WordPiece", make_part<Decoder, WordPieceDecoder>},
};

}  // namespace

std::unique_ptr<Decoder> make_decoder(const JsonNode& node) {
  return make_from_table<Decoder>(node, kRows, "decoder");
}

}  // namespace attune::text
