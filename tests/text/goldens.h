// Reads tests/goldens/text (scripts/goldens/text.py) and compares encodings with it.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "attune/text/tokenizer.h"
#include "catch.h"

namespace attune::testing {

inline nlohmann::json read_golden(const std::string& name) {
  std::ifstream in(std::string(ATTUNE_SOURCE_DIR) + "/tests/goldens/text/" + name);
  return nlohmann::json::parse(in);
}

inline std::vector<std::uint32_t> flat_offsets(const text::Encoding& encoding) {
  std::vector<std::uint32_t> flat;
  for (const auto& [begin, end] : encoding.offsets) flat.insert(flat.end(), {begin, end});
  return flat;
}

inline void check_fields(const text::Encoding& encoding, const nlohmann::json& expected) {
  CHECK(encoding.ids == expected["ids"].get<std::vector<std::int32_t>>());
  CHECK(flat_offsets(encoding) == expected["offsets"].get<std::vector<std::uint32_t>>());
  CHECK(encoding.word_ids == expected["words"].get<std::vector<std::int32_t>>());
}

/// A text with its tokens, and back.
inline void check_row(const text::Tokenizer& tokenizer, const nlohmann::json& row) {
  INFO("text: " << row["text"]);
  const text::Encoding encoding = tokenizer.encode({row["text"].get_ref<const std::string&>()});
  check_fields(encoding, row);
  CHECK(tokenizer.decode(encoding.ids, false) == row["decoded"].get<std::string>());
  if (!row.contains("tokens")) return;
  CHECK(encoding.tokens == row["tokens"].get<std::vector<std::string>>());
  CHECK(tokenizer.decode(encoding.ids) == row["decoded_plain"].get<std::string>());
}

inline void check_pair(const text::Tokenizer& tokenizer, const nlohmann::json& pair) {
  INFO("a pair");
  const auto& texts = pair["texts"];
  const text::Encoding encoding =
      tokenizer.encode({texts[0].get_ref<const std::string&>(), texts[1].get_ref<const std::string&>()});
  check_fields(encoding, pair);
  CHECK(encoding.type_ids == pair["types"].get<std::vector<std::int32_t>>());
  CHECK(encoding.sequence_ids == pair["sequences"].get<std::vector<std::int32_t>>());
}

}  // namespace attune::testing
