// Which part of the model is trained.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace attune::adapt {

struct FreezeOptions {
  std::string layers;                 ///< "0-3", "0,2,4-5", "all" or "" for none: encoder layers that stay as they are
  std::optional<bool> embeddings;     ///< default: true when layers are frozen
  std::vector<std::string> patterns;  ///< glob or regular expression over parameter names; one that matches nothing is an error
};

struct TuningOptions {
  std::string method = "full";  ///< full, head, freeze
  FreezeOptions freeze;
};

}  // namespace attune::adapt
