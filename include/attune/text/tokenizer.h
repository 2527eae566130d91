// Text to token ids, identical to the `tokenizers` library on the same tokenizer.json. Truth is tokenizer.json as that
// library runs it (not what a Transformers class rebuilds from it). Thread-safe after loading.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace attune::text {

struct Encoding {
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> type_ids;
  std::vector<std::string> tokens;
  /// [start, end) in code points of the input text; (0, 0) for special tokens.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> offsets;
  std::vector<std::uint8_t> special_tokens_mask;
  std::vector<std::uint8_t> attention_mask;
  std::vector<std::int32_t> word_ids;      ///< index of the pre-token, -1 for special tokens
  std::vector<std::int32_t> sequence_ids;  ///< 0, 1, or -1 for special tokens
  std::vector<Encoding> overflowing;       ///< what truncation cut off

  std::size_t size() const { return ids.size(); }
};

enum class TruncationStrategy { longest_first, only_first, only_second };
enum class Side { left, right };

struct Truncation {
  std::size_t max_length = 512;  ///< including special tokens
  TruncationStrategy strategy = TruncationStrategy::longest_first;
  Side side = Side::right;
  std::size_t stride = 0;
};
struct Padding {
  std::optional<std::size_t> fixed = std::nullopt;  ///< nothing = longest of the batch
  Side side = Side::right;
  std::size_t multiple_of = 0;
  std::int32_t pad_id = 0;
  std::int32_t pad_type_id = 0;
  std::string pad_token = "[PAD]";
};

struct EncodeOptions {
  bool add_special_tokens = true;
  /// What the file says about truncation and padding is not applied.
  std::optional<Truncation> truncation = std::nullopt;
  bool with_tokens = true;  ///< fill `tokens` (training needs only ids and type ids)
};

struct TextInput {
  std::string_view text;
  std::optional<std::string_view> pair = std::nullopt;
};

class Tokenizer {
 public:
  struct Impl;  ///< known to the sources of this module only

  /// Reads tokenizer.json, else vocab.txt, else vocab.json and merges.txt (docs/formats.md). Throws Error{model}.
  static Tokenizer from_folder(const std::string& folder);
  static Tokenizer from_file(const std::string& tokenizer_json);

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  /// Input must be valid UTF-8 (Error{data} otherwise).
  Encoding encode(const TextInput& input, const EncodeOptions& options = {}) const;
  /// For token labels: words are already split; word_ids index them and offsets count inside each word
  /// (is_split_into_words in Transformers).
  Encoding encode_words(std::span<const std::string> words, const EncodeOptions& options = {}) const;
  /// All cores; result i belongs to input i. Of several errors the one of the first input is thrown.
  std::vector<Encoding> encode_batch(std::span<const TextInput> inputs, const EncodeOptions& options = {}) const;

  /// Unknown ids are left out, as in the reference.
  std::string decode(std::span<const std::int32_t> ids, bool skip_special_tokens = true) const;

  /// Pads all encodings as the `tokenizers` library does (only for callers that show or compare padded output).
  void pad(std::vector<Encoding>& encodings, const Padding& padding) const;

  std::optional<std::int32_t> token_to_id(std::string_view token) const;
  std::optional<std::string> id_to_token(std::int32_t id) const;
  /// Number of ids including added tokens (largest id + 1).
  std::size_t vocab_size() const;
  /// How many special tokens the post-processor adds to one text (or to a pair).
  std::size_t num_special_tokens(bool pair) const;
  /// Special tokens by role from tokenizer_config.json or their usual names ("cls_token", "sep_token", "pad_token",
  /// "mask_token", "unk_token", "bos_token", "eos_token"). Error{model} when the file names one that the vocabulary
  /// lacks.
  std::optional<std::int32_t> special_id(std::string_view role) const;
  /// max_length that tokenizer_config.json states, if it is a real limit (Transformers writes 1e30 for "none").
  std::optional<std::size_t> model_max_length() const;
  /// What tokenizer.json itself asks for; only callers that imitate the reference library apply it.
  const std::optional<Truncation>& file_truncation() const;
  const std::optional<Padding>& file_padding() const;
  /// SHA-256 over the files that decide the ids (tokenizer.json, else vocab.txt and its settings).
  const std::string& fingerprint() const;

 private:
  explicit Tokenizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace attune::text
