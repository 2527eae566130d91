// libFuzzer target: a tokenizer.json, or (first byte '#') merges.txt, vocab.json and tokenizer_config.json with NUL
// bytes between; behind a further NUL byte a text of its own. What loads must encode every text, with ids it knows and
// offsets inside the text.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "attune/base/error.h"
#include "attune/base/utf8.h"
#include "attune/text/tokenizer.h"
#include "input_folder.h"

namespace {

using namespace attune;

constexpr std::array<std::string_view, 4> kTexts{"", "Hello, world! unaffable 12.50",
                                                 "[CLS] caf\xc3\xa9 \xe4\xb8\xad\xe6\x96\x87 \t\n",
                                                 "a\xcc\x81\xc2\xa0\xf0\x9f\x98\x80 \xe2\x80\x8d[MASK]ab"};

void check(const text::Tokenizer& tokenizer, const text::Encoding& encoding, std::size_t longest) {
  const std::size_t size = encoding.size();
  for (const std::size_t other :
       {encoding.type_ids.size(), encoding.tokens.size(), encoding.offsets.size(), encoding.special_tokens_mask.size(),
        encoding.attention_mask.size(), encoding.word_ids.size(), encoding.sequence_ids.size()}) {
    if (other != size) std::abort();
  }
  for (std::size_t i = 0; i < size; ++i) {
    const auto [begin, end] = encoding.offsets[i];
    if (encoding.special_tokens_mask[i] == 0 && !tokenizer.id_to_token(encoding.ids[i])) std::abort();
    if (begin > end || end > longest) std::abort();
  }
  for (const text::Encoding& rest : encoding.overflowing) check(tokenizer, rest, longest);
}

void encode(const text::Tokenizer& tokenizer, const text::TextInput& input, const text::EncodeOptions& options) {
  try {
    const text::Encoding encoding = tokenizer.encode(input, options);
    std::size_t longest = to_utf32(input.text).size();
    if (input.pair) longest = std::max(longest, to_utf32(*input.pair).size());
    check(tokenizer, encoding, longest);
    if (find_invalid_utf8(tokenizer.decode(encoding.ids))) std::abort();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::internal) std::abort();
  }
}

void encode_all(const text::Tokenizer& tokenizer, std::string_view own) {
  text::EncodeOptions cut;
  cut.truncation = text::Truncation{
      .max_length = 6, .strategy = text::TruncationStrategy::longest_first, .side = text::Side::right, .stride = 1};
  for (const std::string_view text : {kTexts[0], kTexts[1], kTexts[2], kTexts[3], own}) {
    encode(tokenizer, {text}, {});
    encode(tokenizer, {text, kTexts[1]}, cut);
  }
}

}  // namespace

namespace {

/// The next part of the input, up to a NUL byte or the end.
std::string_view next_part(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\0'), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

text::Tokenizer load(const fuzz::InputFolder& folder, std::string_view& input) {
  if (!input.starts_with("#")) return text::Tokenizer::from_file(folder.write("tokenizer.json", next_part(input)));
  folder.write("from_merges/merges.txt", next_part(input));
  folder.write("from_merges/vocab.json", next_part(input));
  folder.write("from_merges/tokenizer_config.json", next_part(input));
  return text::Tokenizer::from_folder(folder.path() + "/from_merges");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::InputFolder folder;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  try {
    const text::Tokenizer tokenizer = load(folder, input);
    if (!find_invalid_utf8(input)) encode_all(tokenizer, input);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::model) std::abort();
  }
  return 0;
}
