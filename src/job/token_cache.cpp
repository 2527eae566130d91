// See token_cache.h.
#include "job/token_cache.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <vector>

#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/paths.h"
#include "attune/base/sha256.h"
#include "attune/base/strings.h"
#include "attune/files/safetensors.h"
#include "attune/files/storage.h"

namespace attune::job {

namespace {

namespace fs = std::filesystem;

constexpr const char* kTokensFormat = "attune tokens 1";
constexpr std::size_t kDigitsInName = 16;

/// The columns of a file. Tokens of all rows lie one after another; row i has those from starts[i] to starts[i + 1].
struct Columns {
  std::vector<std::int64_t> starts = {0}, example, window, cut;
  std::vector<std::uint8_t> joined, marks;  ///< marks: learned (causal LM) or maskable (masked LM)
  std::vector<std::int32_t> ids, type_ids;  ///< type_ids: none, or one a token
};

struct Column {
  const char* name;
  files::Dtype dtype;
};

/// Calls visit(column, values) for every column, in the order in which the checksum takes them.
template <typename AnyColumns, typename Visitor>
void visit_columns(AnyColumns& columns, Visitor visit) {
  visit(Column{"starts", files::Dtype::I64}, columns.starts);
  visit(Column{"example", files::Dtype::I64}, columns.example);
  visit(Column{"window", files::Dtype::I64}, columns.window);
  visit(Column{"cut", files::Dtype::I64}, columns.cut);
  visit(Column{"joined", files::Dtype::U8}, columns.joined);
  visit(Column{"marks", files::Dtype::U8}, columns.marks);
  visit(Column{"ids", files::Dtype::I32}, columns.ids);
  visit(Column{"type_ids", files::Dtype::I32}, columns.type_ids);
}

template <typename T>
void append(std::vector<T>& all, const std::vector<T>& some) {
  all.insert(all.end(), some.begin(), some.end());
}

Columns columns_of(std::span<const task::Encoded> rows) {
  Columns columns;
  const bool has_types = std::ranges::any_of(rows, [](const task::Encoded& row) { return !row.type_ids.empty(); });
  for (const task::Encoded& row : rows) {
    append(columns.ids, row.ids);
    append(columns.type_ids, *row.type_ids);
    if (has_types) columns.type_ids.resize(columns.ids.size(), 0);  // a row without types has type 0
    append(columns.marks, row.learned);
    append(columns.marks, *row.maskable);
    columns.example.push_back(row.example);
    columns.window.push_back(row.window);
    columns.cut.push_back(row.cut);
    columns.joined.push_back(row.joined ? 1 : 0);
    columns.starts.push_back(static_cast<std::int64_t>(columns.ids.size()));
  }
  return columns;
}

template <typename T>
std::vector<T> piece(const std::vector<T>& all, std::int64_t begin, std::int64_t end) {
  return {all.begin() + begin, all.begin() + end};
}

/// The rows of `examples`, whose number and weight are not a matter of tokens.
std::vector<task::Encoded> rows_from(const Columns& columns, std::span<const data::Example> examples,
                                     bool is_causal) {
  std::vector<task::Encoded> rows;
  rows.reserve(columns.example.size());
  for (std::size_t i = 0; i < columns.example.size(); ++i) {
    const std::int64_t begin = columns.starts[i], end = columns.starts[i + 1];
    const data::Example& example = examples[static_cast<std::size_t>(columns.example[i])];
    task::Encoded row;
    row.example = columns.example[i];
    row.row = example.row;
    row.weight = example.weight;
    row.window = columns.window[i];
    row.cut = columns.cut[i];
    row.joined = columns.joined[i] != 0;
    row.ids = piece(columns.ids, begin, end);
    if (!columns.type_ids.empty()) row.type_ids = piece(columns.type_ids, begin, end);
    std::vector<std::uint8_t>& marks = is_causal ? row.learned : row.maskable.edit();
    marks.assign(columns.marks.begin() + begin, columns.marks.begin() + end);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string checksum_of(const Columns& columns) {
  Sha256 hash;
  visit_columns(columns, [&](const Column&, const auto& values) {
    hash.update({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(values.front())});
  });
  return hash.hex();
}

/// Whether every row lies inside the columns and belongs to an example.
bool is_sound(const Columns& columns, std::size_t examples) {
  const std::size_t rows = columns.example.size(), tokens = columns.ids.size();
  const bool fits = columns.starts.size() == rows + 1 && columns.window.size() == rows && columns.cut.size() == rows &&
                    columns.joined.size() == rows && columns.marks.size() == tokens &&
                    (columns.type_ids.empty() || columns.type_ids.size() == tokens);
  if (!fits || columns.starts.front() != 0 || columns.starts.back() != static_cast<std::int64_t>(tokens)) return false;
  const auto outside = [&](std::int64_t example) {
    return example < 0 || example >= static_cast<std::int64_t>(examples);
  };
  return std::ranges::is_sorted(columns.starts) && std::ranges::none_of(columns.example, outside);
}

/// Error{model} for a file that is no safetensors file, lacks a column or has one of another dtype.
Columns read_columns(const files::SafetensorsFile& file, const std::string& path) {
  Columns columns;
  visit_columns(columns, [&](const Column& column, auto& values) {
    const auto found = std::ranges::find(file.header.tensors, column.name, &files::TensorInfo::name);
    if (found == file.header.tensors.end() || found->dtype != column.dtype) {
      throw Error(ErrorKind::model,
                  {.file = path, .what = "the column is missing or of another type", .where = column.name, .hint = ""});
    }
    const auto bytes = file.bytes(*found);
    values.resize(bytes.size() / sizeof(values.front()));
    if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  });
  return columns;
}

void write_columns(const std::string& path, const Columns& columns, const std::string& key) {
  std::vector<files::TensorToWrite> tensors;
  visit_columns(columns, [&](const Column& column, const auto& values) {
    tensors.push_back({.name = column.name,
                       .dtype = column.dtype,
                       .shape = {static_cast<std::int64_t>(values.size())},
                       .data = std::as_bytes(std::span(values))});
  });
  files::write_safetensors(path, std::move(tensors),
                           {{"format", kTokensFormat}, {"key", key}, {"sha256", checksum_of(columns)}});
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
  settings["length_policy"] = data.length_policy;
  settings["chat_templates"] = prepared.chats->fingerprint();
  return settings.dump();
}

bool has_chats(const Rows& rows) {
  return std::ranges::any_of(rows.examples, [](const data::Example& example) { return !example.messages.empty(); });
}

}  // namespace

TokenCache::TokenCache(const Prepared& prepared) : prepared_(prepared) {}

std::string TokenCache::key_of(const Rows& rows) const {
  KeyHash hash;
  hash.add(kTokensFormat).add(program_fingerprint()).add(settings_of(prepared_));
  for (const data::Example& example : rows.examples) {
    hash.add(example.text).add(*example.text_pair).add(*example.messages).add(*example.tools);
    hash.add(concat(example.has_pair ? 1 : 0, " ", example.prompt_messages))
        .add(*example.input_ids)
        .add(*example.token_type_ids);
  }
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
  if (!path_exists(path, ErrorKind::storage)) return false;
  try {
    rows.encoded = read_rows_of(path, rows);
    rows.tokens_key.clear();
    return true;
  } catch (const Error& error) {
    log::warning(concat(path, ": ", error.text().what, "; the rows are tokenised anew"));
    return false;
  }
}

std::vector<task::Encoded> TokenCache::read_rows_of(const std::string& path, const Rows& rows) const {
  const files::SafetensorsFile file = files::open_safetensors(path);
  const auto says = [&](const char* name, const std::string& value) {
    const auto found = file.header.metadata.find(name);
    return found != file.header.metadata.end() && found->second == value;
  };
  const auto refuse = [&](const char* what) {
    throw Error(ErrorKind::model, {.file = path, .what = what, .where = "", .hint = ""});
  };
  if (!says("format", kTokensFormat) || !says("key", rows.tokens_key)) refuse("it holds the tokens of other rows");
  const Columns columns = read_columns(file, path);
  if (!says("sha256", checksum_of(columns)) || !is_sound(columns, rows.examples.size())) refuse("it is damaged");
  return rows_from(columns, rows.examples, prepared_.kind == models::Task::causal_lm);
}

void TokenCache::keep(const Rows& rows) const {
  if (rows.tokens_key.empty()) return;
  const std::string path = path_of(rows.tokens_key);
  try {
    std::error_code error;
    fs::create_directories(prepared_.options.data.token_cache_dir, error);
    write_columns(path, columns_of(rows.encoded), rows.tokens_key);
  } catch (const Error& error) {
    log::warning(concat(error.what(), "; the tokens are not kept (data.token_cache_dir)"));
  }
}

}  // namespace attune::job
