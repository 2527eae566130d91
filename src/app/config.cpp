// attune config: a starting file, a check, the effective settings, the schema, the reference page.
#include <nlohmann/json.hpp>

#include "attune/app/verbs.h"
#include "attune/base/console.h"
#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/job/execution.h"

namespace attune::app {

namespace {

job::RunOptions load(const ConfigVerb& options) {
  if (options.config.empty()) {
    throw Error(ErrorKind::usage, {.file = "", .what = concat("attune config ", options.action, " needs a configuration file"), .where = "",
                                   .hint = concat("attune config ", options.action, " run.json")});
  }
  return config::load(options.config, options.overrides, job::machine());
}

std::string output_of(const ConfigVerb& options) {
  if (options.action == "init") return config::starter(options.task);
  if (options.action == "schema") return files::json_text(config::schema()) + "\n";
  if (options.action == "docs") return config::documentation();
  if (options.action == "show") return files::json_text(config::effective(load(options))) + "\n";
  load(options);
  return concat(options.config, ": no problem found\n");
}

}  // namespace

int run_config(const ConfigVerb& options) {
  console::print(output_of(options));
  return 0;
}

}  // namespace attune::app
