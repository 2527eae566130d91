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

void PrefixCache::open(const std::string& identity) {
  if (identity == identity_) return;
  identity_ = identity;
  form_ = {};
  places_.clear();
  memory_bytes_ = 0;
  file_.reset();
  full_ = false;
}

const PrefixCache::Place* PrefixCache::find(const std::string& text) const {
  const auto found = places_.find(text);
  return found == places_.end() ? nullptr : &found->second;
}

std::optional<std::int64_t> PrefixCache::write(const at::Tensor& tile) {
  if (folder_.empty()) return std::nullopt;
  try {
    if (!file_) file_ = std::make_unique<files::ScratchFile>(folder_);
    if (!file_->has_room(static_cast<std::int64_t>(tile.nbytes()))) return std::nullopt;
    return file_->append({static_cast<const std::byte*>(tile.const_data_ptr()), tile.nbytes()});
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::storage) throw;
    log::warning(concat("training goes on without keeping more of what the frozen layers compute: ", error.what()));
    return std::nullopt;
  }
}

void PrefixCache::keep(const at::Tensor& tile, const Places& places) {
  if (!has_room()) return;
  const auto bytes = static_cast<std::int64_t>(tile.nbytes());
  const bool in_memory = bytes <= memory_limit_ - memory_bytes_;
  const std::optional<std::int64_t> begin = in_memory ? 0 : write(tile);
  full_ = !begin;
  if (full_) return;
  if (in_memory) memory_bytes_ += bytes;
  for (const auto& [text, place] : places) {
    places_.emplace(text, Place{in_memory ? tile : at::Tensor(), *begin + place.offset});
  }
}

void PrefixCache::read(const Place& place, std::int64_t bytes, std::byte* out) const {
  if (place.tile.defined()) {
    std::memcpy(out, static_cast<const std::byte*>(place.tile.const_data_ptr()) + place.offset, bytes);
  } else {
    file_->read(place.offset, {out, static_cast<std::size_t>(bytes)});
  }
}

files::Json PrefixCache::summary() const {
  const std::int64_t spared = std::max<std::int64_t>(0, counts_.tokens_asked - counts_.tokens_computed);
  const double rate = counts_.seconds / static_cast<double>(std::max<std::int64_t>(1, counts_.tokens_computed));
  return {{"texts", places_.size()},
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
