// See prefix_cache.h.
#include "attune/train/prefix_cache.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/memory.h"
#include "attune/base/strings.h"

namespace attune::train {

void PrefixCache::Place::read(std::int64_t bytes, std::byte* out) const {
  if (tile.defined()) {
    std::memcpy(out, static_cast<const std::byte*>(tile.const_data_ptr()) + offset, bytes);
  } else {
    file->read(offset, {out, static_cast<std::size_t>(bytes)});
  }
}

void PrefixCache::spill_to(const std::string& folder) {
  const std::lock_guard lock(mutex_);
  folder_ = folder;
}

void PrefixCache::open(const std::string& identity) {
  if (identity == identity_) return;
  identity_ = identity;
  form_ = {};
  tiles_.clear();
  texts_.clear();
  memory_bytes_ = 0;
  file_.reset();
  full_ = false;
}

PrefixCache::Place PrefixCache::place_of(const KeptText& text) const {
  const KeptTile& tile = tiles_[text.tile];
  if (tile.rows.defined()) return {.tile = tile.rows, .file = nullptr, .offset = text.offset};
  return {.tile = {}, .file = file_, .offset = tile.begin + text.offset};
}

PrefixCache::Found PrefixCache::find(const std::string& identity, std::span<const Hash128> texts) {
  const std::lock_guard lock(mutex_);
  open(identity);
  Found found{.places = {}, .form = form_};
  found.places.reserve(texts.size());
  for (const Hash128& text : texts) {
    const auto kept = texts_.find(text);
    found.places.push_back(kept == texts_.end() ? Place() : place_of(kept->second));
  }
  return found;
}

std::optional<std::int64_t> PrefixCache::write(const at::Tensor& tile) {
  if (folder_.empty()) return std::nullopt;
  try {
    if (!file_) file_ = std::make_shared<files::ScratchFile>(folder_);
    if (!file_->has_room(static_cast<std::int64_t>(tile.nbytes()))) return std::nullopt;
    return file_->append({static_cast<const std::byte*>(tile.const_data_ptr()), tile.nbytes()});
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::storage) throw;
    log::warning(concat("training goes on without keeping more of what the frozen layers compute: ", error.what()));
    return std::nullopt;
  }
}

void PrefixCache::keep(const std::string& identity, const Tile& tile) {
  const std::lock_guard lock(mutex_);
  const auto is_new = [&](const auto& text) { return !texts_.contains(text.first); };
  const bool wanted = identity == identity_ && std::any_of(tile.texts.begin(), tile.texts.end(), is_new);
  if (!wanted || memory_limit_ <= 0 || full_) return;
  const auto bytes = static_cast<std::int64_t>(tile.rows.nbytes());
  const bool in_memory = bytes <= memory_limit_ - memory_bytes_;
  const std::optional<std::int64_t> begin = in_memory ? 0 : write(tile.rows);
  full_ = !begin;
  if (full_) return;
  form_ = tile.form();
  if (in_memory) memory_bytes_ += bytes;
  for (const auto& [text, offset] : tile.texts) texts_.emplace(text, KeptText{.tile = tiles_.size(), .offset = offset});
  tiles_.push_back({.rows = in_memory ? tile.rows : at::Tensor(), .begin = *begin});
}

bool PrefixCache::give_up_file() {
  const std::lock_guard lock(mutex_);
  if (!file_) return false;
  full_ = true;
  std::erase_if(texts_, [&](const auto& text) { return !tiles_[text.second.tile].rows.defined(); });
  file_.reset();
  return true;
}

bool PrefixCache::has_room() const {
  const std::lock_guard lock(mutex_);
  return memory_limit_ > 0 && !full_;
}

void PrefixCache::count(const Counts& more) {
  const std::lock_guard lock(mutex_);
  counts_.texts_asked += more.texts_asked;
  counts_.tokens_asked += more.tokens_asked;
  counts_.texts_computed += more.texts_computed;
  counts_.tokens_computed += more.tokens_computed;
  counts_.seconds += more.seconds;
}

PrefixCache::Counts PrefixCache::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

files::Json PrefixCache::summary() const {
  const std::lock_guard lock(mutex_);
  const std::int64_t spared = std::max<std::int64_t>(0, counts_.tokens_asked - counts_.tokens_computed);
  const double rate = counts_.seconds / static_cast<double>(std::max<std::int64_t>(1, counts_.tokens_computed));
  return {{"texts", texts_.size()},
          {"bytes", memory_bytes_},
          {"file_bytes", file_ ? file_->size() : 0},
          {"computed", counts_.texts_computed},
          {"reused", std::max<std::int64_t>(0, counts_.texts_asked - counts_.texts_computed)},
          {"seconds", counts_.seconds},
          {"seconds_saved", rate * static_cast<double>(spared)}};
}

std::int64_t prefix_cache_bytes(std::int64_t mebibytes) {
  return mebibytes < 0 ? available_memory() / 4 : mebibytes << 20;
}

}  // namespace attune::train
