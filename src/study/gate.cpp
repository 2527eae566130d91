// See gate.h.
#include "gate.h"

#include <nlohmann/json.hpp>

namespace attune::study {

files::Json gate_result(const std::string& key, const std::optional<double>& bound, const std::string& failure) {
  return {{key.substr(key.rfind('.') + 1), bound ? files::Json(*bound) : files::Json()},
          {"passed", failure.empty()},
          {"where", key},
          {"failure", failure}};
}

}  // namespace attune::study
