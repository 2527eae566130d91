// The real bert-base-uncased tokenizer against ids that were published with it.
#include <fstream>

#include <nlohmann/json.hpp>

#include "attune/text/tokenizer.h"
#include "catch.h"
#include "shared.h"

using attune::text::Tokenizer;

TEST_CASE("The tokenizer of bert-base-uncased gives the published ids, from tokenizer.json and from vocab.txt", "[text]") {
  ATTUNE_NEEDS_SHARED(shared);
  const std::string folder = shared + "/tokenizers/bert";
  const auto scratch = std::filesystem::temp_directory_path() / "attune_text_vocab_only";
  std::filesystem::create_directories(scratch);
  std::filesystem::copy_file(folder + "/vocab.txt", scratch / "vocab.txt", std::filesystem::copy_options::overwrite_existing);
  const Tokenizer tokenizers[] = {Tokenizer::from_folder(folder), Tokenizer::from_folder(scratch.string())};
  std::ifstream vectors(folder + "/vectors.jsonl");
  int rows = 0;
  for (std::string line; std::getline(vectors, line); ++rows) {
    const auto row = nlohmann::json::parse(line);
    for (const Tokenizer& tokenizer : tokenizers) {
      const auto encoding = tokenizer.encode({row["text"].get_ref<const std::string&>()}, {.add_special_tokens = false});
      CHECK(encoding.ids == row["ids"].get<std::vector<std::int32_t>>());
    }
  }
  CHECK(rows == 46);
  std::filesystem::remove_all(scratch);
}
