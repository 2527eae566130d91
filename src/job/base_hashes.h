// SHA-256 of the base's files, computed beside the reading of the data: of a large model it takes seconds.
#pragma once

#include <future>
#include <string>
#include <thread>
#include <vector>

#include "attune/files/json.h"

namespace attune::job {

class BaseHashes {
 public:
  /// Begins at once. `with_weights`: also of the safetensors files, not of config.json alone.
  BaseHashes(const std::string& folder, bool with_weights);

  /// {file: digest}; once. Error{model} for a file that cannot be read.
  files::Json get();

 private:
  std::vector<std::string> names_;
  std::promise<std::vector<std::string>> digests_;
  std::jthread worker_;  ///< last: it stops, and is waited for, before the others go
};

}  // namespace attune::job
