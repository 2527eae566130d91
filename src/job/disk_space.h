// What a run will write, and whether its output folder has room for it: asked before hours are spent on it.
#pragma once

#include <cstdint>
#include <string>

#include "attune/job/prepare.h"

namespace attune::job {

/// In bytes, as far as it can be told beforehand: tensors and caches, not the texts beside them.
struct DiskNeeds {
  std::int64_t models = 0;       ///< what stays at the end: the model or its adapter, once more a seed where there are several
  std::int64_t checkpoint = 0;   ///< one: trained weights, the optimiser's moments, the best weights
  std::int64_t checkpoints = 0;  ///< how many lie there at a time, at most
  std::int64_t tokens = 0;       ///< data.token_cache_dir, where it is on the same file system
  std::int64_t states = 0;       ///< of frozen layers, what memory does not hold; their file takes half of the free space at most
  std::int64_t rows = 0;         ///< data.rows_in_memory_mib: what lies in temporary files already, no part of the free space any more
};

/// Of all trainings of the run.
DiskNeeds disk_needs(const Prepared& prepared);

/// Error{storage} where the models alone are larger than what is free; a warning where all together are; else "".
std::string judge_space(const DiskNeeds& needs, std::int64_t free, const std::string& folder);

/// Before a trained model of so many bytes is written: gives up the file of the prefix cache where the model would else find
/// no room.
void make_room(const Prepared& prepared, std::int64_t bytes);

/// Judges the file system of output_dir and warns. What an earlier run left in output_dir counts as free: it will be
/// written over. Says nothing where the system does not tell what is free.
void check_space(const Prepared& prepared);

}  // namespace attune::job
