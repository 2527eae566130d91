// See frozen_prefix.h.
#include "attune/train/frozen_prefix.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "attune/base/clock.h"
#include "attune/base/error.h"
#include "attune/base/hash128.h"
#include "attune/base/strings.h"
#include "attune/train/cost.h"
#include "attune/train/trainer.h"

namespace attune::train {

namespace {

/// Sequences of every tile: where the last stage gives one row a text, its products have so many rows. What no text
/// takes is sequences of one token that nobody asks for.
constexpr std::int64_t kSequences = 64;
constexpr std::array<std::int64_t, 2> kTileRows = {512 + kSequences, 1024 + kSequences};
constexpr std::int64_t kTextsInTile = 4;  // at least so many fit, so that little of a tile stays empty

/// Rows of the tile that texts of this length share; longer texts lie in one alone.
std::int64_t tile_rows(std::int64_t length) {
  for (const std::int64_t rows : kTileRows) {
    if (kTextsInTile * length + kSequences <= rows) return rows;
  }
  return nn::ladder_rung(length + kSequences);
}

/// Hidden states behind the first `stages` stages, in evaluation mode.
at::Tensor run_stages(const models::Model& model, int stages, const models::Input& input) {
  const at::NoGradGuard no_grad;
  const nn::PrecisionGuard precision(model.execution().precision);
  const models::Context context = model.prepare(models::to_device(input, model.execution().device), /*training=*/false);
  models::State state = model.embed(context);
  for (int i = 0; i + 1 < stages; ++i) state = model.block(i, state, context);
  if (state.memory.defined()) internal_error("a frozen prefix keeps hidden states alone, no encoder's memory");
  return state.hidden;
}

/// False where the task has changed words (masks), or asks for several texts of a row.
bool holds_rows_as_they_are(const task::Batch& batch) {
  if (batch.input.layout.sequences() != static_cast<std::int64_t>(batch.rows.size())) return false;
  const auto* ids = batch.input.ids.const_data_ptr<std::int64_t>();
  return std::all_of(batch.rows.begin(), batch.rows.end(), [&](const task::Encoded* row) {
    const auto* begin = std::exchange(ids, ids + row->ids.size());
    return std::equal(row->ids.begin(), row->ids.end(), begin);
  });
}

/// Of all that a text's rows depend on: its ids and types.
Hash128 key_of(const task::Encoded& row) {
  const auto bytes = [](std::span<const std::int32_t> values) {
    return std::string_view(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  };
  const bool one_type = std::all_of(row.type_ids.begin(), row.type_ids.end(), [](std::int32_t type) { return type == 0; });
  const Hash128 ids = hash128(bytes(row.ids));
  return one_type ? ids : hash128(bytes(*row.type_ids), ids);
}

/// Of the rows of a text of so many tokens.
std::int64_t bytes_of(const PrefixCache::Form& form, std::int64_t length) {
  return (form.one_a_text ? 1 : length) * form.width * static_cast<std::int64_t>(c10::elementSize(form.dtype));
}

}  // namespace

struct FrozenPrefix::Text {
  const task::Encoded* row;
  Hash128 key;

  std::int64_t length() const { return static_cast<std::int64_t>(row->ids.size()); }
};

struct FrozenPrefix::Tile {
  std::int64_t rows = 0;
  std::int64_t live = 0;
  std::vector<Text> texts;

  bool takes(const Text& text) const {
    const std::int64_t idle = kSequences - static_cast<std::int64_t>(texts.size()) - 1;
    return tile_rows(text.length()) == rows && idle >= 0 && live + text.length() + idle <= rows;
  }
};

/// What the stages gave for a tile.
struct FrozenPrefix::Made {
  at::Tensor rows;          ///< of its texts, one text behind the other: [rows, width] on the CPU
  bool one_a_text = false;  ///< else one a token
};

/// Texts that have to be computed, each once.
struct FrozenPrefix::Missing {
  std::vector<Text> texts;
  std::unordered_set<Hash128, Hash128::Part> keys;

  void add(const task::Encoded* row, const Hash128& key) {
    if (keys.insert(key).second) texts.push_back({row, key});
  }
};

/// Where texts lie that have just been computed.
struct FrozenPrefix::Fresh {
  std::unordered_map<Hash128, PrefixCache::Place, Hash128::Part> places;
  PrefixCache::Form form;
};

int lowest_trained_stage(const models::Model& model, const std::vector<bool>& flags) {
  int lowest = model.depth() + 2;
  for (std::size_t i = 0; i < flags.size(); ++i) {
    if (flags[i]) lowest = std::min(lowest, model.parameters()[i].stages.front());
  }
  return lowest;
}

std::int64_t tokens_ahead() {
  constexpr std::int64_t for_each_thread = 2048, least = 4096;
  return std::max<std::int64_t>(least, for_each_thread * at::get_num_threads());
}

FrozenPrefix::FrozenPrefix(const models::Model& model, int stages, PrefixCache& cache, std::vector<std::string> known)
    : model_(model),
      stages_(stages),
      cache_(cache),
      flops_(model),
      hashes_(tensors_sha256_below(model, stages, std::move(known))) {
  const models::Execution& execution = model.execution();
  identity_ = concat(combined_sha256(hashes_), " ", stages, " ", static_cast<int>(execution.precision), " ",
                     execution.device.str());
}

std::vector<FrozenPrefix::Tile> FrozenPrefix::tiles_of(std::vector<Text> texts) {
  std::stable_sort(texts.begin(), texts.end(), [](const Text& a, const Text& b) { return a.length() > b.length(); });
  std::vector<Tile> tiles;
  for (Text& text : texts) {
    if (tiles.empty() || !tiles.back().takes(text)) tiles.push_back({.rows = tile_rows(text.length()), .texts = {}});
    tiles.back().live += text.length();
    tiles.back().texts.push_back(std::move(text));
  }
  return tiles;
}

FrozenPrefix::Made FrozenPrefix::compute(const Tile& tile) const {
  const auto stream = [&] { return at::zeros({tile.rows}, at::TensorOptions().dtype(at::kLong)); };
  models::Input input;
  input.ids = stream();
  input.positions = stream();
  input.segments = stream();
  auto* ids = input.ids.mutable_data_ptr<std::int64_t>();
  auto* positions = input.positions.mutable_data_ptr<std::int64_t>();
  auto* segments = input.segments.mutable_data_ptr<std::int64_t>();
  std::vector<std::int32_t> lengths;
  for (const Text& text : tile.texts) {
    const task::Encoded& row = *text.row;
    ids = std::copy(row.ids.begin(), row.ids.end(), ids);
    std::copy(row.type_ids.begin(), row.type_ids.end(), segments);
    for (std::int64_t i = 0; i < text.length(); ++i) *positions++ = i;
    segments += text.length();
    lengths.push_back(static_cast<std::int32_t>(text.length()));
  }
  lengths.resize(kSequences, 1);
  input.layout = nn::make_layout(lengths, tile.rows);
  const at::Tensor hidden = run_stages(model_, stages_, input).cpu();
  const bool one_a_text = hidden.size(0) == kSequences;
  const std::int64_t rows = one_a_text ? static_cast<std::int64_t>(tile.texts.size()) : tile.live;
  return {.rows = hidden.narrow(0, 0, rows).clone(), .one_a_text = one_a_text};
}

std::vector<FrozenPrefix::Made> FrozenPrefix::compute(const std::vector<Tile>& tiles) const {
  std::vector<Made> made(tiles.size());
  if (!model_.execution().device.is_cpu()) {
    std::transform(tiles.begin(), tiles.end(), made.begin(), [&](const Tile& tile) { return compute(tile); });
    return made;
  }
  // All threads take part even where there are fewer tiles: only in a region that is parallel is an operation one thread's.
  std::atomic<std::size_t> next{0};
  at::parallel_for(0, at::get_num_threads(), 1, [&](std::int64_t, std::int64_t) {
    for (std::size_t i = next++; i < tiles.size(); i = next++) made[i] = compute(tiles[i]);
  });
  return made;
}

FrozenPrefix::Fresh FrozenPrefix::compute(std::vector<Text> texts) {
  const Stopwatch clock;
  PrefixCache::Counts counts;
  Fresh fresh;
  const std::vector<Tile> tiles = tiles_of(std::move(texts));
  const std::vector<Made> made = compute(tiles);
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    PrefixCache::Tile kept{.rows = made[i].rows, .one_a_text = made[i].one_a_text, .texts = {}};
    fresh.form = kept.form();
    models::PassSize size;
    std::int64_t offset = 0;
    for (const Text& text : tiles[i].texts) {
      kept.texts.emplace_back(text.key, offset);
      fresh.places.emplace(text.key, PrefixCache::Place{.tile = kept.rows, .file = nullptr, .offset = offset});
      offset += bytes_of(fresh.form, text.length());
      size.lengths.push_back(text.length());
      ++counts.texts_computed;
      counts.tokens_computed += text.length();
    }
    computed_flops_ += flops_.forward(size, 0, stages_);
    cache_.keep(identity_, kept);
  }
  counts.seconds = clock.seconds();
  cache_.count(counts);
  return fresh;
}

models::State FrozenPrefix::gather(const task::Batch& batch, const PrefixCache::Found& found) const {
  const PrefixCache::Form& form = found.form;
  const nn::Layout& layout = batch.input.layout;
  const std::int64_t row_bytes = form.width * static_cast<std::int64_t>(c10::elementSize(form.dtype));
  const std::int64_t rows = form.one_a_text ? layout.sequences() : layout.total;
  const at::Tensor hidden = at::empty({rows, form.width}, at::TensorOptions().dtype(form.dtype));
  auto* out = static_cast<std::byte*>(hidden.mutable_data_ptr());
  const std::int64_t live = form.one_a_text ? rows : layout.cu_seqlens.back();
  std::memset(out + live * row_bytes, 0, (rows - live) * row_bytes);
  at::parallel_for(0, static_cast<std::int64_t>(batch.rows.size()), 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto length = static_cast<std::int64_t>(batch.rows[i]->ids.size());
      const std::int64_t first = form.one_a_text ? i : layout.cu_seqlens[i];
      found.places[i].read(bytes_of(form, length), out + first * row_bytes);
    }
  });
  return {.hidden = hidden.to(model_.execution().device), .memory = {}};
}

files::Json FrozenPrefix::describe() const {
  files::Json description = {{"layers", stages_ - 1}};
  description.update(cache_.summary());
  return description;
}

void FrozenPrefix::add_missing(const std::vector<const task::Encoded*>& rows, Missing& missing) {
  std::vector<Hash128> keys;
  for (const task::Encoded* row : rows) keys.push_back(key_of(*row));
  const PrefixCache::Found found = cache_.find(identity_, keys);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!found.places[i].is_known()) missing.add(rows[i], keys[i]);
  }
}

models::State FrozenPrefix::state(const task::Batch& batch, const Ahead& ahead) {
  if (!holds_rows_as_they_are(batch)) {
    computed_flops_ += flops_.forward(size_of(batch), 0, stages_);
    return {.hidden = run_stages(model_, stages_, batch.input), .memory = {}};
  }
  std::vector<Hash128> keys;
  PrefixCache::Counts counts;
  for (const task::Encoded* row : batch.rows) {
    keys.push_back(key_of(*row));
    ++counts.texts_asked;
    counts.tokens_asked += static_cast<std::int64_t>(row->ids.size());
  }
  cache_.count(counts);
  PrefixCache::Found found = cache_.find(identity_, keys);
  Missing missing;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!found.places[i].is_known()) missing.add(batch.rows[i], keys[i]);
  }
  if (missing.texts.empty()) return gather(batch, found);
  if (ahead && cache_.has_room()) add_missing(ahead(), missing);
  const Fresh fresh = compute(std::move(missing.texts));
  found.form = fresh.form;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!found.places[i].is_known()) found.places[i] = fresh.places.at(keys[i]);
  }
  return gather(batch, found);
}

void FrozenPrefix::fill(std::vector<const task::Encoded*> rows, const Stop& stop) {
  std::stable_sort(rows.begin(), rows.end(), [](const task::Encoded* a, const task::Encoded* b) { return a->ids.size() > b->ids.size(); });
  const std::int64_t enough = tokens_ahead();  // more at a time would keep a signal waiting
  for (std::size_t done = 0; done < rows.size() && cache_.has_room();) {
    std::vector<const task::Encoded*> portion;
    for (std::int64_t tokens = 0; done < rows.size() && tokens < enough; ++done) {
      portion.push_back(rows[done]);
      tokens += static_cast<std::int64_t>(rows[done]->ids.size());
    }
    Missing missing;
    add_missing(portion, missing);
    compute(std::move(missing.texts));
    if (stop(static_cast<std::int64_t>(done))) return;
  }
}

}  // namespace attune::train
