// The pipeline: cut at raw added tokens, normalise each piece, cut at normalised added tokens, pre-tokenise, model,
// truncate, add special tokens.
#include "attune/text/tokenizer.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/base/utf8.h"
#include "tokenizer_impl.h"
#include "truncation.h"

namespace attune::text {

namespace {

void require_valid(std::string_view text) {
  if (text.size() > INT32_MAX) {
    throw Error(ErrorKind::data, {.file = "",
                                  .what = concat("a text of ", text.size(), " bytes, expected less than 2 GB"),
                                  .where = "",
                                  .hint = "split it"});
  }
  if (const auto bad = find_invalid_utf8(text)) {
    throw Error(ErrorKind::data, {.file = "",
                                  .what = "the text is not valid UTF-8",
                                  .where = concat("byte ", *bad),
                                  .hint = "convert the data to UTF-8"});
  }
}

/// Turns byte positions of a text into code point positions. ASCII costs nothing.
class CodePoints {
 public:
  explicit CodePoints(std::string_view text) {
    const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; };
    if (std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; })) return;
    before_.reserve(text.size() + 1);
    std::uint32_t count = 0;
    for (const char c : text) {
      before_.push_back(count);
      count += continues(c) ? 0 : 1;
    }
    before_.push_back(count);
  }
  /// Code points in front of a byte position that is a character boundary.
  std::uint32_t operator()(std::uint32_t byte) const { return before_.empty() ? byte : before_[byte]; }

 private:
  std::vector<std::uint32_t> before_;
};

/// Appends tokens to an encoding as its pieces arrive.
class Writer {
 public:
  Writer(Encoding& out, std::string_view input, bool with_tokens)
      : out_(out), code_points_(input), with_tokens_(with_tokens) {}

  void add(std::int32_t id, Span origin, std::int32_t word) {
    out_.ids.push_back(id);
    out_.offsets.emplace_back(code_points_(origin.begin), code_points_(origin.end));
    out_.word_ids.push_back(word);
  }
  void add_text(std::string_view token) {
    if (with_tokens_) out_.tokens.emplace_back(token);
  }

 private:
  Encoding& out_;
  CodePoints code_points_;
  bool with_tokens_;
};

std::size_t thread_count(std::span<const TextInput> inputs) {
  constexpr std::size_t kBytesWorthAThread = 32 << 10;
  std::size_t bytes = 0;
  for (const TextInput& input : inputs) bytes += input.text.size() + (input.pair ? input.pair->size() : 0);
  const std::size_t cores = std::max(1u, std::thread::hardware_concurrency());
  return std::clamp<std::size_t>(bytes / kBytesWorthAThread, 1,
                                 std::min(cores, std::max<std::size_t>(inputs.size(), 1)));
}

/// Runs work(i) for i < count on several threads; throws the error of the smallest i.
template <typename Work>
void parallel_for(std::size_t count, std::size_t threads, Work work) {
  constexpr std::size_t kChunk = 16;
  std::atomic<std::size_t> next{0};
  std::vector<std::pair<std::size_t, std::exception_ptr>> errors(threads, {count, nullptr});
  const auto run = [&](std::size_t thread) {
    for (std::size_t begin = next.fetch_add(kChunk); begin < count; begin = next.fetch_add(kChunk)) {
      for (std::size_t i = begin; i < std::min(begin + kChunk, count); ++i) {
        try {
          work(i);
        } catch (...) {
          errors[thread] = {i, std::current_exception()};
          return;  // chunks are handed out in order: every smaller i is in work or done
        }
      }
    }
  };
  std::vector<std::thread> helpers;
  for (std::size_t thread = 1; thread < threads; ++thread) helpers.emplace_back(run, thread);
  run(0);
  for (std::thread& helper : helpers) helper.join();
  const auto first =
      std::min_element(errors.begin(), errors.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  if (first->second) std::rethrow_exception(first->second);
}

}  // namespace

void Tokenizer::Impl::tokenize(std::string_view text, std::optional<std::int32_t> word, bool with_tokens,
                               Encoding& out) const {
  require_valid(text);
  Writer writer(out, text, with_tokens);
  std::vector<ModelToken> tokens;
  std::int32_t next_word = 0;
  for (const Piece& segment : added.cut(text, false)) {
    if (segment.token >= 0) {
      writer.add(segment.token, segment.span, word.value_or(next_word++));
      writer.add_text(slice(text, segment.span));
      continue;
    }
    PreTokenized under_way{AlignedText(slice(text, segment.span), segment.span.begin), {}};
    if (normalizer) normalizer->apply(under_way.text);
    under_way.pieces = added.cut(under_way.text.view(), true);
    if (pre_tokenizer) pre_tokenizer->apply(under_way);
    const std::string_view view = under_way.text.view();
    for (const Piece& piece : under_way.pieces) {
      const std::int32_t piece_word = word.value_or(next_word++);
      if (piece.token >= 0) {
        writer.add(piece.token, under_way.text.origin(piece.span), piece_word);
        writer.add_text(slice(view, piece.span));
        continue;
      }
      tokens.clear();
      model->tokenize(slice(view, piece.span), tokens);
      for (const ModelToken& token : tokens) {
        const Span span{piece.span.begin + token.span.begin, piece.span.begin + token.span.end};
        writer.add(token.id, under_way.text.origin(span), piece_word);
        if (with_tokens) writer.add_text(*model->id_to_token(token.id));
      }
    }
  }
}

Encoding Tokenizer::Impl::finish(Encoding first, std::optional<Encoding> second, const EncodeOptions& options) const {
  Encoding* other = second ? &*second : nullptr;
  if (options.truncation) {
    truncate(first, other, *options.truncation,
             options.add_special_tokens ? post_processor.num_special_tokens(other != nullptr) : 0);
  }
  return post_processor.assemble(first, other, options);
}

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Encoding Tokenizer::encode(const TextInput& input, const EncodeOptions& options) const {
  Encoding first;
  impl_->tokenize(input.text, std::nullopt, options.with_tokens, first);
  std::optional<Encoding> second;
  if (input.pair) impl_->tokenize(*input.pair, std::nullopt, options.with_tokens, second.emplace());
  return impl_->finish(std::move(first), std::move(second), options);
}

Encoding Tokenizer::encode_words(std::span<const std::string> words, const EncodeOptions& options) const {
  Encoding all;
  for (std::size_t i = 0; i < words.size(); ++i) {
    impl_->tokenize(words[i], static_cast<std::int32_t>(i), options.with_tokens, all);
  }
  return impl_->finish(std::move(all), std::nullopt, options);
}

std::vector<Encoding> Tokenizer::encode_batch(std::span<const TextInput> inputs, const EncodeOptions& options) const {
  std::vector<Encoding> out(inputs.size());
  parallel_for(inputs.size(), thread_count(inputs), [&](std::size_t i) { out[i] = encode(inputs[i], options); });
  return out;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, bool skip_special_tokens) const {
  std::vector<std::string> tokens;
  for (const std::int32_t id : ids) {
    const AddedToken* added = impl_->added.token(id);
    if (added != nullptr && added->special && skip_special_tokens) continue;
    if (auto token = id_to_token(id)) tokens.push_back(std::move(*token));
  }
  if (!impl_->decoder) return join(tokens, " ");
  impl_->decoder->apply(tokens);
  return join(tokens, "");
}

std::optional<std::int32_t> Tokenizer::token_to_id(std::string_view token) const {
  if (const auto id = impl_->added.id(token)) return id;
  return impl_->model->token_to_id(token);
}

std::optional<std::string> Tokenizer::id_to_token(std::int32_t id) const {
  if (const AddedToken* added = impl_->added.token(id)) return added->content;
  const std::string* token = impl_->model->id_to_token(id);
  if (token == nullptr) return std::nullopt;
  return *token;
}

std::size_t Tokenizer::vocab_size() const {
  return std::max(impl_->model->id_bound(), impl_->added.id_bound());
}

std::size_t Tokenizer::num_special_tokens(bool pair) const {
  return impl_->post_processor.num_special_tokens(pair);
}

std::optional<std::int32_t> Tokenizer::special_id(std::string_view role) const {
  struct Usual {
    std::string_view role, token;
  };
  constexpr Usual kUsual[] = {{"cls_token", "[CLS]"},   {"sep_token", "[SEP]"}, {"pad_token", "[PAD]"},
                              {"mask_token", "[MASK]"}, {"unk_token", "[UNK]"}, {"cls_token", "<s>"},
                              {"sep_token", "</s>"},    {"pad_token", "<pad>"}, {"mask_token", "<mask>"},
                              {"unk_token", "<unk>"},   {"bos_token", "<s>"},   {"eos_token", "</s>"}};
  if (const auto stated = impl_->roles.find(role); stated != impl_->roles.end()) {
    if (const auto id = token_to_id(stated->second)) return id;
    throw Error(ErrorKind::model,
                {.file = impl_->config_file,
                 .what = concat("the token '", stated->second, "' is not in the vocabulary of ", impl_->file),
                 .where = std::string(role),
                 .hint = "use the tokenizer files of one checkpoint"});
  }
  for (const Usual& usual : kUsual) {
    if (usual.role != role) continue;
    if (const auto id = token_to_id(usual.token)) return id;
  }
  return std::nullopt;
}

std::optional<std::size_t> Tokenizer::model_max_length() const {
  return impl_->max_length;
}
const std::optional<Truncation>& Tokenizer::file_truncation() const {
  return impl_->truncation;
}
const std::optional<Padding>& Tokenizer::file_padding() const {
  return impl_->padding;
}
const std::string& Tokenizer::fingerprint() const {
  return impl_->fingerprint;
}

}  // namespace attune::text
