// What the frozen front of a model computed for texts, kept for the next time that they are read: by later epochs,
// evaluations, folds and seeds. In memory up to a limit, beyond it in a nameless file of the output folder; what fits
// nowhere is computed again. It decides what is computed, never what comes out (frozen_prefix.h).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "attune/files/json.h"
#include "attune/files/scratch_file.h"

namespace attune::train {

class PrefixCache {
 public:
  /// Rows of one text: bytes of a tensor that is kept, or, where that is undefined, of the file.
  struct Place {
    at::Tensor tile;
    std::int64_t offset = 0;  ///< in bytes
  };
  using Places = std::unordered_map<std::string, Place>;

  /// How rows lie in tiles.
  struct Form {
    at::ScalarType dtype = at::kFloat;
    std::int64_t width = 0;
    bool one_a_text = false;  ///< else one a token
  };

  /// `memory_bytes` 0: nothing is kept.
  explicit PrefixCache(std::int64_t memory_bytes) : memory_limit_(memory_bytes) {}

  /// From now on a file in `folder` takes what memory does not.
  void spill_to(const std::string& folder) { folder_ = folder; }
  /// Forgets everything unless the rows were computed by the same prefix, as `identity` tells it.
  void open(const std::string& identity);
  /// Of the tiles of this prefix; known from the first one on.
  Form& form() { return form_; }
  /// Whether more could be kept.
  bool has_room() const { return memory_limit_ > 0 && !full_; }
  /// Null for a text that is not there.
  const Place* find(const std::string& text) const;
  /// Keeps a tile [rows, width], whose rows `places` says texts are in, if there is room. A file that cannot be written
  /// is a warning: nothing more is kept then.
  void keep(const at::Tensor& tile, const Places& places);
  /// Copies `bytes` bytes of a place.
  void read(const Place& place, std::int64_t bytes, std::byte* out) const;

  /// What it did since the process began.
  struct Counts {
    std::int64_t texts_asked = 0, tokens_asked = 0;        ///< by batches
    std::int64_t texts_computed = 0, tokens_computed = 0;  ///< by the frozen stages
    double seconds = 0;                                    ///< of computing them
    double flops = 0;                                      ///< the same (models/flops.h), with rows that are not kept
  };
  Counts& counts() { return counts_; }
  /// {"texts", "bytes", "file_bytes": kept now, "computed", "reused": texts, "seconds": of computing, "seconds_saved": what
  /// computing again would have taken at the same rate}
  files::Json summary() const;

 private:
  /// Where the file has the tile; nothing where it has no room.
  std::optional<std::int64_t> write(const at::Tensor& tile);

  std::int64_t memory_limit_;
  std::string folder_, identity_;
  Form form_;
  Places places_;
  std::int64_t memory_bytes_ = 0;
  std::unique_ptr<files::ScratchFile> file_;
  bool full_ = false;
  Counts counts_;
};

/// The limit that training.prefix_cache_mib gives: -1 ("auto") for a quarter of the memory that is available.
std::int64_t prefix_cache_bytes(std::int64_t mebibytes);

}  // namespace attune::train
