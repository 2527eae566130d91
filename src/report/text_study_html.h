// Pages about studies of variants, where texts are asked for.
#pragma once

#include <string>

#include "attune/files/json.h"

namespace attune::report {

/// Of study::prompt_stability's results: how far the texts differ.
std::string text_stability_lead(const files::Json& results);

/// Its rows whose texts score most differently, with the best and the worst of them.
std::string fragile_texts(const files::Json& results);

}  // namespace attune::report
