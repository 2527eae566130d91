// The page of `attune prompt run` where texts are asked for.
#pragma once

#include <string>

#include "attune/files/json.h"

namespace attune::report {

/// `results` as study::run_prompts gives them with "answer": "text".
std::string texts_page(const files::Json& results);

}  // namespace attune::report
