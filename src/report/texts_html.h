// The page of `attune prompt run` where texts are asked for, and what other pages show of texts.
#pragma once

#include <string>

#include "attune/files/json.h"

namespace attune::report {

/// `results` as study::run_prompts gives them with "answer": "text".
std::string texts_page(const files::Json& results);

/// Of results of a study of variants: scores, assertions and texts of "test", {name: as a wording has them}.
std::string tested_texts(const files::Json& results);

}  // namespace attune::report
