// See print_examples.h.
#include "app/print_examples.h"

#include <nlohmann/json.hpp>

#include "attune/base/console.h"

namespace attune::app {

void print_examples(const std::vector<files::Json>& examples, std::string (*text)(const std::vector<files::Json>&),
                    const OutputOptions& output) {
  if (!output.json) {
    console::print(text(examples));
    return;
  }
  for (const files::Json& example : examples) console::print(files::json_text(example, -1) + "\n");
}

}  // namespace attune::app
