// The page of a meta-training, self-contained: no script and no external resource; light, dark and print.
#pragma once

#include <string>

#include "attune/files/json.h"

namespace attune::report {

/// `results` as job::meta_train gives them; `episodes`: [{"task": index in results["tasks"], "first_loss"}], in order.
std::string meta_train_page(const files::Json& results, const files::Json& episodes);

}  // namespace attune::report
