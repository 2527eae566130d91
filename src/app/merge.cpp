// attune merge: one model folder out of an adapter and its base.
#include "attune/job/merge.h"

#include <nlohmann/json.hpp>

#include "attune/app/verbs.h"
#include "attune/base/console.h"
#include "attune/base/strings.h"

namespace attune::app {

int run_merge(const MergeVerb& options) {
  const files::Json result = job::merge(options.adapter, options.destination);
  if (options.output.json) {
    console::print(files::json_text(result) + "\n");
    return 0;
  }
  console::print(concat(result["output"].get<std::string>(), ": ", result["base"].get<std::string>(),
                        " with the adapter merged, float32\n", "largest difference of a logit ",
                        result["max_abs_difference"].dump(), " (largest logit ", result["largest_logit"].dump(), ", ",
                        result["sequences"].dump(), " random sequences)\n"));
  return 0;
}

}  // namespace attune::app
