// One line of a JSONL file as a Field. Our own handler on the JSON library's events, because numbers must keep their
// spelling.
#pragma once

#include <string_view>

#include "attune/data/record.h"

namespace attune::data {

/// The object that the line holds. BadRow, with the column where it went wrong, for what is not valid UTF-8 or JSON,
/// for a value that is no object, a column that occurs twice, a NUL character, and nesting deeper than 64.
Field parse_json_row(std::string_view line, const Origin& origin);

}  // namespace attune::data
