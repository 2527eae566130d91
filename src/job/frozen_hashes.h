// SHA-256 of weights that a run leaves as they are. Every fold and seed opens the base anew, but its files are read for their
// hashes once.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "attune/models/model.h"

namespace attune::job {

/// Knows parameters that came out of weight files by their name and by those files as they were (inode, size, time of the last
/// change), so that a base whose files have been exchanged is another one. Any thread may ask and tell.
class FrozenHashes {
 public:
  /// One a parameter of the model; "" where nobody has told it.
  std::vector<std::string> known(const models::LoadedModel& loaded) const;
  /// `hashes`: of the parameters as they were loaded, one a parameter; those that are "" are not known.
  void remember(const models::LoadedModel& loaded, const std::vector<std::string>& hashes);

 private:
  mutable std::mutex mutex_;  ///< over hashes_
  std::map<std::string, std::string> hashes_;
};

}  // namespace attune::job
