// Values of a row as JSON.
#pragma once

#include "attune/data/record.h"
#include "attune/files/json.h"

namespace attune::data {

/// Numbers become numbers: 1.50 and 1.5 are then the same.
files::Json to_json(const Field& field);

}  // namespace attune::data
