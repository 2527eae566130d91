// The answers column of span question answering.
#pragma once

#include <string>
#include <string_view>

#include "attune/data/example.h"
#include "attune/data/record.h"

namespace attune::data {

/// Reads {"text": […], "answer_start": […]}, or a list of {"text", "answer_start"}; null and empty lists mean that the
/// context does not answer the question. Starts count code points. BadRow where an answer does not stand at its place
/// in the context.
Answers read_answers(const Record& record, const std::string& column, std::string_view context);

}  // namespace attune::data
