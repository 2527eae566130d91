// Why a training that is repeated may go another way although it reads the same.
#pragma once

#include <string>

#include "attune/files/json.h"

namespace attune::study {

/// To be put behind a difference: " (environment.threads: recorded 2, now 1: …)"; of a machine, build and number of
/// threads like those of the manifest, that none of them is the cause. `execution`: as job::describe says it now.
std::string cause_of_difference(const files::Json& manifest, const files::Json& execution);

}  // namespace attune::study
