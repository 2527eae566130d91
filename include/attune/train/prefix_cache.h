// What the frozen front of a model computed for texts, kept for the next time that they are read: by later epochs,
// evaluations, folds and seeds. In memory up to a limit, beyond it in a nameless file of the output folder; what fits
// nowhere is computed again. It decides what is computed, never what comes out (frozen_prefix.h).
//
// A text is known by its hash: beside its rows it takes about 60 bytes of memory, however long it is, in the file and in memory.
//
// Trainings that run side by side share one: any thread may call any method. One lock is over all of its state; what it has
// handed out stays readable without it, since rows never change and a place holds on to its tensor or file.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "attune/base/hash128.h"
#include "attune/files/json.h"
#include "attune/files/scratch_file.h"

namespace attune::train {

class PrefixCache {
 public:
  /// How rows lie in tiles.
  struct Form {
    at::ScalarType dtype = at::kFloat;
    std::int64_t width = 0;
    bool one_a_text = false;  ///< else one a token
  };

  /// Rows of one text: bytes of a tensor, or of the file. Neither: it is not there.
  struct Place {
    at::Tensor tile;
    std::shared_ptr<const files::ScratchFile> file;
    std::int64_t offset = 0;  ///< in bytes

    bool is_known() const { return tile.defined() || file != nullptr; }
    /// Copies the first `bytes` bytes of it. Error{storage}.
    void read(std::int64_t bytes, std::byte* out) const;
  };

  /// Where texts are: one a text.
  struct Found {
    std::vector<Place> places;
    Form form;  ///< of those that are there
  };

  /// Rows that have been computed: [rows, width] on the CPU, and with each text the byte at which its rows begin.
  struct Tile {
    at::Tensor rows;
    bool one_a_text = false;
    std::vector<std::pair<Hash128, std::int64_t>> texts;

    Form form() const { return {rows.scalar_type(), rows.size(1), one_a_text}; }
  };

  /// What trainings asked of it and computed.
  struct Counts {
    std::int64_t texts_asked = 0, tokens_asked = 0;        ///< by batches
    std::int64_t texts_computed = 0, tokens_computed = 0;  ///< by the frozen stages
    double seconds = 0;                                    ///< of computing them
  };

  /// `memory_bytes` 0: nothing is kept.
  explicit PrefixCache(std::int64_t memory_bytes) : memory_limit_(memory_bytes) {}

  /// From now on a file in `folder` takes what memory does not.
  void spill_to(const std::string& folder);
  /// `identity` tells a prefix from others: what another one computed is forgotten.
  Found find(const std::string& identity, std::span<const Hash128> texts);
  /// Keeps a tile if there is room, and if no other prefix has come meanwhile. A file that cannot be written is a warning:
  /// nothing more is kept then.
  void keep(const std::string& identity, const Tile& tile);
  /// Gives the room of the file back to whoever needs the disk more: what it held will be computed again, and nothing more
  /// is kept. False where there is no file.
  bool give_up_file();
  /// Whether more could be kept.
  bool has_room() const;
  void count(const Counts& more);
  /// Since the process began.
  Counts counts() const;
  /// {"texts", "bytes", "file_bytes": kept now, "computed", "reused": texts, "seconds": of computing, "seconds_saved": what
  /// computing again would have taken at the same rate}
  files::Json summary() const;

 private:
  struct KeptTile {
    at::Tensor rows;         ///< undefined: they lie in the file …
    std::int64_t begin = 0;  ///< … from this byte on
  };
  struct KeptText {
    std::size_t tile = 0;     ///< number
    std::int64_t offset = 0;  ///< in bytes, in the tile
  };

  void open(const std::string& identity);
  Place place_of(const KeptText& text) const;
  /// Where the file has the tile; nothing where it has no room.
  std::optional<std::int64_t> write(const at::Tensor& tile);

  mutable std::mutex mutex_;  ///< over all that follows
  std::int64_t memory_limit_;
  std::string folder_, identity_;
  Form form_;
  std::vector<KeptTile> tiles_;
  std::unordered_map<Hash128, KeptText, Hash128::Part> texts_;
  std::int64_t memory_bytes_ = 0;
  std::shared_ptr<files::ScratchFile> file_;
  bool full_ = false;
  Counts counts_;
};

/// The limit that training.prefix_cache_mib gives: -1 ("auto") for a quarter of the memory that is available.
std::int64_t prefix_cache_bytes(std::int64_t mebibytes);

}  // namespace attune::train
