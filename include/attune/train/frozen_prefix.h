// The frozen front of a model: the stages below the lowest that trains. They run in evaluation mode, so that what they
// give for a text is a function of the text alone, and it is computed once for as long as the cache can keep it.
//
// With the cache and without it the rows come from the same function, which runs texts in tiles: streams whose numbers of
// rows and of sequences depend on the length of their texts and on nothing else. Products of one shape compute a row in one order
// wherever it lies and whatever lies beside it, so a text's rows are the same bits in any company (tests/train/
// frozen_prefix_test.cpp holds this against the kernels at hand). On the CPU one thread computes a tile and the cores compute
// several at a time, so that the bits do not depend on the number of threads either.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "attune/models/flops.h"
#include "attune/models/model.h"
#include "attune/task/task.h"
#include "attune/train/prefix_cache.h"

namespace attune::train {

/// The lowest stage that reads a parameter whose flag is set; flags as TrainJob::trainable. depth + 2 where none is.
int lowest_trained_stage(const models::Model& model, const std::vector<bool>& flags);

/// So many tokens of the next rows go through the frozen stages together with a row that has not been there yet: enough
/// to fill a few tiles for each thread, and little to have done in vain when the run ends early.
std::int64_t tokens_ahead();

/// One model's, used by one thread at a time; several may share a cache.
class FrozenPrefix {
 public:
  /// Rows of texts that will be wanted soon.
  using Ahead = std::function<std::vector<const task::Encoded*>()>;
  using Stop = std::function<bool(std::int64_t done)>;

  /// `stages`: how many there are, the embeddings included. Their weights must not change any more. Both references
  /// must outlive the object. `known`: hashes() of these very weights as far as somebody has them, one a parameter or "", or none at all.
  FrozenPrefix(const models::Model& model, int stages, PrefixCache& cache, std::vector<std::string> known = {});

  int stages() const { return stages_; }
  /// FLOP of all that this object has computed (models/flops.h), rows that are not kept among it.
  double flops() const { return computed_flops_; }
  /// What stage `stages()` reads of a batch on the CPU: rows [T, H] like the stream's (dead ones 0), or [B, H] where the
  /// head reads one a sequence. On the model's device, without a graph. When a text of the batch has to be computed and
  /// can be kept, so are those of `ahead`, since full tiles cost less. A batch in which the task has changed words (masks)
  /// goes through as it is and is not kept: the same texts do not come again.
  models::State state(const task::Batch& batch, const Ahead& ahead = {});
  /// Computes and keeps these rows as far as there is room, long texts first. `stop` is told now and then how many are done;
  /// when it says yes, this is the end.
  void fill(std::vector<const task::Encoded*> rows, const Stop& stop);
  /// Of each parameter that the stages read, its SHA-256 as tensors_sha256 gives it; "" for the others.
  const std::vector<std::string>& hashes() const { return hashes_; }
  /// {"layers": those that are frozen, and what PrefixCache::summary says}
  files::Json describe() const;

 private:
  struct Text;
  struct Tile;
  struct Made;
  struct Missing;
  struct Fresh;
  static std::vector<Tile> tiles_of(std::vector<Text> texts);
  Made compute(const Tile& tile) const;
  std::vector<Made> compute(const std::vector<Tile>& tiles) const;
  /// Computes the texts and keeps what may be kept.
  Fresh compute(std::vector<Text> texts);
  /// Adds those of the rows that are not kept.
  void add_missing(const std::vector<const task::Encoded*>& rows, Missing& missing);
  models::State gather(const task::Batch& batch, const PrefixCache::Found& found) const;

  const models::Model& model_;
  int stages_;
  PrefixCache& cache_;
  models::FlopCount flops_;
  std::vector<std::string> hashes_;
  std::string identity_;
  double computed_flops_ = 0;
};

}  // namespace attune::train
