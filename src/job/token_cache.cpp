// See token_cache.h.
#include "job/token_cache.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/paths.h"
#include "attune/base/sha256.h"
#include "attune/base/strings.h"
#include "attune/files/mapped_file.h"
#include "attune/files/packed.h"
#include "attune/files/storage.h"

namespace attune::job {

namespace {

namespace fs = std::filesystem;

constexpr const char* kTokensFormat = "attune tokens 2";
constexpr std::size_t kDigitsOfHash = 64, kDigitsInName = 16;

/// What a file begins with.
std::string head_of(const std::string& key) { return concat(kTokensFormat, "\n", key, "\n"); }

[[noreturn]] void refuse_tokens(const std::string& path, const char* what) {
  throw Error(ErrorKind::model, {.file = path, .what = what, .where = "", .hint = ""});
}

void write_rows(const files::LongList<task::Encoded>& rows, const std::string& key, const files::Sink& sink) {
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  Sha256 hash;
  std::string bytes = head_of(key);
  const auto pass_on = [&] {
    hash.update(bytes);
    sink(bytes);
    bytes.clear();
  };
  files::SharedTexts none;
  files::Packer packer(bytes, none);
  packer.integer(static_cast<std::int64_t>(rows.size()));
  rows.for_each([&](const task::Encoded& row) {
    pack(row, packer);
    if (bytes.size() >= kPiece) pass_on();
  });
  pass_on();
  sink(hash.hex());
}

/// The packed rows of a file that begins and ends as it should.
std::string_view rows_in(std::string_view file, const std::string& key, const std::string& path) {
  const std::string head = head_of(key);
  if (file.size() < head.size() + kDigitsOfHash) refuse_tokens(path, "it is damaged");
  if (!file.starts_with(head)) refuse_tokens(path, "it holds the tokens of other rows");
  const std::string_view hashed = file.substr(0, file.size() - kDigitsOfHash);
  if (sha256_hex(hashed) != file.substr(hashed.size())) refuse_tokens(path, "it is damaged");
  return hashed.substr(head.size());
}

/// Hashes values with their lengths, so that nothing can slip from one into the next.
class KeyHash {
 public:
  KeyHash& add(std::string_view text) {
    const auto size = static_cast<std::uint64_t>(text.size());
    hash_.update({reinterpret_cast<const char*>(&size), sizeof(size)}).update(text);
    return *this;
  }
  KeyHash& add(const std::vector<std::int32_t>& ids) {
    return add(std::string_view(reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(std::int32_t)));
  }
  std::string hex() { return hash_.hex(); }

 private:
  Sha256 hash_;
};

/// The code version: a program that was built anew may encode otherwise.
const std::string& program_fingerprint() {
  static const std::string fingerprint = files::sha256_file("/proc/self/exe", ErrorKind::storage);
  return fingerprint;
}

std::string settings_of(const Prepared& prepared) {
  const data::DataOptions& data = prepared.options.data;
  files::Json settings = {{"task", prepared.options.model.task},
                          {"max_length", data.max_length},
                          {"tokenizer", prepared.tokenizer->fingerprint()}};
  const bool is_causal = prepared.kind == models::Task::causal_lm;
  const std::vector<const char*> causal_roles = {"bos_token", "eos_token"},
                                 masked_roles = {"cls_token", "sep_token", "pad_token", "mask_token"};
  for (const char* role : is_causal ? causal_roles : masked_roles) {
    if (const auto id = prepared.tokenizer->special_id(role)) settings["special"][role] = *id;
  }
  if (!is_causal) return settings.dump();
  settings["append_eos"] = data.append_eos;
  settings["generates"] = prepared.generation.has_value();
  settings["length_policy"] = data.length_policy;
  settings["chat_templates"] = prepared.chats->fingerprint();
  return settings.dump();
}

bool has_chats(const Rows& rows) {
  bool has = false;
  rows.examples.for_each([&](const data::Example& example) { has = has || !example.messages.empty(); });
  return has;
}

}  // namespace

TokenCache::TokenCache(const Prepared& prepared) : prepared_(prepared) {}

std::string TokenCache::key_of(const Rows& rows) const {
  KeyHash hash;
  hash.add(kTokensFormat).add(program_fingerprint()).add(settings_of(prepared_));
  rows.examples.for_each([&](const data::Example& example) {
    hash.add(example.text).add(*example.text_pair).add(*example.messages).add(*example.tools);
    hash.add(concat(example.has_pair ? 1 : 0, " ", example.awaits_answer ? 1 : 0, " ", example.prompt_messages))
        .add(*example.input_ids)
        .add(*example.token_type_ids);
  });
  return hash.hex();
}

std::string TokenCache::path_of(const std::string& key) const {
  return concat(prepared_.options.data.token_cache_dir, "/tokens-", key.substr(0, kDigitsInName), ".bin");
}

bool TokenCache::load(Rows& rows) const {
  rows.tokens_key.clear();
  const std::string& folder = prepared_.options.data.token_cache_dir;
  if (folder.empty() || rows.empty()) return false;
  if (path_exists(folder, ErrorKind::usage) && !is_folder(folder, ErrorKind::usage)) {
    throw Error(ErrorKind::usage, {.file = folder,
                                   .what = "this is not a folder",
                                   .where = "data.token_cache_dir",
                                   .hint = "name a folder, or one that is to be made"});
  }
  if (prepared_.chats->asks_for_time() && has_chats(rows)) {
    log::info("the chat template asks for the time: its rows are not kept in data.token_cache_dir");
    return false;
  }
  rows.tokens_key = key_of(rows);
  const std::string path = path_of(rows.tokens_key);
  try {
    if (!path_exists(path, ErrorKind::storage)) return false;
    read(path, rows);
    rows.tokens_key.clear();
    return true;
  } catch (const Error& error) {
    log::warning(concat(path, ": ", error.text().what, "; the rows are tokenised anew"));
    return false;
  }
}

void TokenCache::read(const std::string& path, Rows& rows) {
  const auto file = files::MappedFile::open(path);
  const std::string_view bytes(reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size());
  const files::SharedTexts none;
  files::Unpacker packed(rows_in(bytes, rows.tokens_key, path), none);
  rows.encoded.clear();
  const std::size_t count = packed.count(1);
  rows.encoded.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    task::Encoded row;
    unpack(packed, row);
    if (row.example < 0 || row.example >= static_cast<std::int64_t>(rows.examples.size())) refuse_tokens(path, "it is damaged");
    const auto example = rows.examples.get(static_cast<std::size_t>(row.example));
    row.row = example->row;
    row.weight = example->weight;
    rows.encoded.push_back(std::move(row));
  }
  if (!packed.empty()) refuse_tokens(path, "it is damaged");
}

void TokenCache::keep(const Rows& rows) const {
  if (rows.tokens_key.empty()) return;
  const std::string path = path_of(rows.tokens_key);
  try {
    std::error_code error;
    fs::create_directories(prepared_.options.data.token_cache_dir, error);
    files::write_file_atomically(path, [&](const files::Sink& sink) { write_rows(rows.encoded, rows.tokens_key, sink); });
  } catch (const Error& error) {
    log::warning(concat(error.what(), "; the tokens are not kept (data.token_cache_dir)"));
  }
}

}  // namespace attune::job
