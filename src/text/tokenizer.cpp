// The public side: batches over threads, decoding, lookups. pipeline.cpp encodes.
#include "attune/text/tokenizer.h"

#include <algorithm>
#include <thread>

#include "attune/base/error.h"
#include "attune/base/parallel.h"
#include "attune/base/strings.h"
#include "tokenizer_impl.h"
#include "truncation.h"

namespace attune::text {

namespace {

std::size_t thread_count(std::span<const TextInput> inputs) {
  constexpr std::size_t kBytesWorthAThread = 32 << 10;
  std::size_t bytes = 0;
  for (const TextInput& input : inputs) bytes += input.text.size() + (input.pair ? input.pair->size() : 0);
  const std::size_t cores = std::max(1u, std::thread::hardware_concurrency());
  return std::clamp<std::size_t>(bytes / kBytesWorthAThread, 1,
                                 std::min(cores, std::max<std::size_t>(inputs.size(), 1)));
}

}  // namespace

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Encoding Tokenizer::encode(const TextInput& input, const EncodeOptions& options) const {
  const WorkspacePool::Lease workspace(impl_->workspaces);
  return impl_->encode(input, options, *workspace);
}

Encoding Tokenizer::encode_words(std::span<const std::string> words, const EncodeOptions& options) const {
  const WorkspacePool::Lease workspace(impl_->workspaces);
  return impl_->encode_words(words, options, *workspace);
}

std::vector<Encoding> Tokenizer::encode_batch(std::span<const TextInput> inputs, const EncodeOptions& options) const {
  std::vector<Encoding> out(inputs.size());
  constexpr std::size_t kInputsATime = 16;
  const ParallelOptions parallel{.threads = thread_count(inputs), .run = kInputsATime};
  parallel_runs(inputs.size(), parallel, [&](std::size_t& i, std::size_t end) {
    const WorkspacePool::Lease workspace(impl_->workspaces);
    for (; i < end; ++i) out[i] = impl_->encode(inputs[i], options, *workspace);
  });
  return out;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, bool skip_special_tokens) const {
  std::vector<std::string> tokens;
  for (const std::int32_t id : ids) {
    auto token = id_to_token(id);
    if (!token || (skip_special_tokens && impl_->added.reads_special(*token))) continue;
    tokens.push_back(std::move(*token));
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
  if (const AddedToken* added = impl_->added.token(id)) return added->text;
  const std::string* token = impl_->model->id_to_token(id);
  if (token == nullptr) return std::nullopt;
  return *token;
}

std::size_t Tokenizer::vocab_size() const {
  return std::max(impl_->model->id_bound(), impl_->added.id_bound());
}

std::size_t Tokenizer::num_special_tokens(bool pair) const {
  return impl_->assembler->post_processor().num_special_tokens(pair);
}

std::optional<std::int32_t> Tokenizer::special_id(std::string_view role) const {
  struct Usual {
    std::string_view role, token;
  };
  constexpr Usual kUsual[] = {{"cls_token", "[CLS]"},        {"sep_token", "[SEP]"}, {"pad_token", "[PAD]"},
                              {"mask_token", "[MASK]"},      {"unk_token", "[UNK]"}, {"cls_token", "<s>"},
                              {"sep_token", "</s>"},         {"pad_token", "<pad>"}, {"mask_token", "<mask>"},
                              {"unk_token", "<unk>"},        {"bos_token", "<s>"},   {"eos_token", "</s>"},
                              {"eos_token", "<|endoftext|>"}};
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
void Tokenizer::pad(std::vector<Encoding>& encodings, const Padding& padding) const {
  text::pad(encodings, padding, impl_->assembler->marks_sequences());
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
