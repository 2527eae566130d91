// tokenizers/*: encodes the texts of a case's expected.json again and writes the same shape (see the head of judge.py).
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "attune/base/error.h"
#include "attune/text/tokenizer.h"
#include "probe/probe.h"

namespace attune::probe {

namespace {

using nlohmann::json;
using text::Encoding;
using text::Side;
using text::Tokenizer;

/// Ids that are null in the reference are -1 with us.
json or_null(const std::vector<std::int32_t>& values) {
  json out = json::array();
  for (const std::int32_t value : values) out.push_back(value < 0 ? json() : json(value));
  return out;
}

json to_json(const Encoding& encoding) {
  json windows = json::array();
  for (const Encoding& window : encoding.overflowing)
    windows.push_back({{"ids", window.ids}, {"offsets", window.offsets}});
  return {{"ids", encoding.ids},
          {"tokens", encoding.tokens},
          {"type_ids", encoding.type_ids},
          {"offsets", encoding.offsets},
          {"attention_mask", encoding.attention_mask},
          {"special_tokens_mask", encoding.special_tokens_mask},
          {"word_ids", or_null(encoding.word_ids)},
          {"sequence_ids", or_null(encoding.sequence_ids)},
          {"overflowing", std::move(windows)}};
}

text::TextInput input_of(const json& row) {
  text::TextInput input{row.at("a").get_ref<const std::string&>()};
  if (!row.at("b").is_null()) input.pair = row.at("b").get_ref<const std::string&>();
  return input;
}

/// Encodes as the reference does with what the file itself says about truncation and padding.
class AsInFile {
 public:
  explicit AsInFile(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {
    options_.truncation = tokenizer.file_truncation();
  }

  std::vector<Encoding> encode(std::span<const text::TextInput> inputs) const {
    std::vector<Encoding> out = tokenizer_.encode_batch(inputs, options_);
    if (padding_) tokenizer_.pad(out, *padding_);
    return out;
  }
  Encoding encode(const text::TextInput& input) const { return std::move(encode(std::span(&input, 1)).front()); }

  text::EncodeOptions options_;

 private:
  const Tokenizer& tokenizer_;
  std::optional<text::Padding> padding_ = tokenizer_.file_padding();
};

json single(const Tokenizer& tokenizer, const json& row) {
  const std::string& text = row.at("text").get_ref<const std::string&>();
  AsInFile with_special(tokenizer), plain(tokenizer);
  plain.options_.add_special_tokens = false;
  const Encoding encoding = with_special.encode({text});
  const std::vector<std::int32_t> ids = plain.encode({text}).ids;
  return {{"text", text},
          {"with_special", to_json(encoding)},
          {"ids_no_special", ids},
          {"decode", tokenizer.decode(ids, false)},
          {"decode_skip", tokenizer.decode(encoding.ids, true)}};
}

json truncated(const Tokenizer& tokenizer, json row) {
  using text::TruncationStrategy;
  const std::string& name = row.at("strategy").get_ref<const std::string&>();
  text::Truncation rule{.max_length = row.at("max_length")};
  rule.stride = row.at("stride");
  rule.side = row.at("direction") == "left" ? Side::left : Side::right;
  rule.strategy = name == "only_first"    ? TruncationStrategy::only_first
                  : name == "only_second" ? TruncationStrategy::only_second
                                          : TruncationStrategy::longest_first;
  AsInFile encoder(tokenizer);
  encoder.options_.truncation = rule;
  try {
    row["enc"] = to_json(encoder.encode(input_of(row)));
  } catch (const Error& error) {
    row["enc"] = {{"error", error.what()}};
  }
  return row;
}

json padded(const Tokenizer& tokenizer, json row) {
  const text::TextInput inputs[] = {{"a b"}, {"a b c d e f g"}};  // the batch that the oracle padded
  std::vector<Encoding> encodings = tokenizer.encode_batch(inputs);
  text::Padding padding;
  padding.side = row.at("direction") == "left" ? Side::left : Side::right;
  padding.multiple_of = row.at("multiple").is_null() ? 0 : row.at("multiple").get<std::size_t>();
  tokenizer.pad(encodings, padding);
  row["batch"] = json::array();
  for (const Encoding& encoding : encodings) row["batch"].push_back(to_json(encoding));
  return row;
}

Tokenizer load(const std::string& file) {
  try {
    return Tokenizer::from_file(file);
  } catch (const Error& error) {
    if (error.text().what.find("not supported yet") != std::string::npos) throw Unsupported{error.what()};
    throw;
  }
}

}  // namespace

void run_tokenizer_case(const std::string& folder, const std::string& out) {
  const Tokenizer tokenizer = load(folder + "/tokenizer.json");
  std::ifstream in(folder + "/expected.json");
  const json expected = json::parse(in);
  json result = {
      {"single", json::array()}, {"pairs", json::array()}, {"trunc", json::array()}, {"padding", json::array()}};
  for (const json& row : expected.at("single")) result["single"].push_back(single(tokenizer, row));
  for (json row : expected.at("pairs")) {
    row["enc"] = to_json(AsInFile(tokenizer).encode(input_of(row)));
    result["pairs"].push_back(std::move(row));
  }
  for (const json& row : expected.at("trunc")) result["trunc"].push_back(truncated(tokenizer, row));
  for (const json& row : expected.at("padding")) result["padding"].push_back(padded(tokenizer, row));
  std::filesystem::create_directories(out);
  std::ofstream(out + "/out.json") << result.dump(1);
}

}  // namespace attune::probe
