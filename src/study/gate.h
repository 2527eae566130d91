// Gates of studies: a bound that a number keeps, or exit 20.
#pragma once

#include <optional>
#include <string>

#include "attune/files/json.h"

namespace attune::study {

/// {the last part of `key`: the bound or null, "passed", "where": `key`, "failure"}. `failure`: what was found and
/// expected; "" where the bound was kept or there is none.
files::Json gate_result(const std::string& key, const std::optional<double>& bound, const std::string& failure);

}  // namespace attune::study
