// Pages about prompts, each self-contained: no script and no external resource; light, dark and print.
#pragma once

#include <string>

#include "attune/files/json.h"

namespace attune::report {

/// `results` as study::run_prompts gives them.
std::string prompt_page(const files::Json& results);

/// `results` as study::prompt_stability gives them.
std::string stability_page(const files::Json& results);

/// `results` as study::prompt_optimise gives them.
std::string optimise_page(const files::Json& results);

}  // namespace attune::report
