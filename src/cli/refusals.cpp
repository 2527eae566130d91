// See refusals.h.
#include "cli/refusals.h"

#include <algorithm>

#include "attune/base/error.h"
#include "attune/base/strings.h"

namespace attune::cli {

namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& hint) {
  throw Error(ErrorKind::usage, {.file = "", .what = what, .where = "command line", .hint = hint});
}

/// A list ends at the next option; what stands behind it is taken for one of its values.
bool has_long_list(const CLI::App& verb) {
  const auto options = verb.get_options([](const CLI::Option* option) {
    return !option->get_positional() && option->get_allow_extra_args() && option->count() > 1;
  });
  return !options.empty();
}

/// What was parsed last: the verb, or the program where there is none.
const CLI::App& chosen_of(const CLI::App& program) {
  const auto verbs = program.get_subcommands();
  return verbs.empty() ? program : *verbs.front();
}

/// The options that `chosen` does not know; CLI11 would tell of arguments that they leave missing first.
void refuse_unknown_options(const CLI::App& chosen, const std::string& help) {
  std::vector<std::string> known;
  for (const CLI::Option* option : chosen.get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  }
  for (const std::string& given : chosen.remaining()) {
    if (!given.starts_with("-") || given == "-" || given == "--") continue;
    const std::string name = given.substr(0, given.find('='));
    const std::string nearest = name.starts_with("--") ? nearest_name(name, known) : "";
    refuse(concat("unknown option '", name, "'"),
           nearest.empty() ? help : concat("did you mean '", nearest, "'? ", help));
  }
}

}  // namespace

void refuse_unknown_verb(int argc, char** argv, const std::vector<std::string>& verbs) {
  const std::string given = argc > 1 ? argv[1] : "";
  if (given.empty() || given.front() == '-') return;
  if (std::find(verbs.begin(), verbs.end(), given) != verbs.end()) return;
  const std::string nearest = nearest_name(given, verbs);
  refuse(concat("unknown verb '", given, "'"),
         nearest.empty() ? concat("verbs are ", join(verbs, ", ")) : concat("did you mean '", nearest, "'?"));
}

void refuse_empty_arguments(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (argv[i][0] == '\0') refuse(concat("argument ", i, " is empty"), "check the variables of the command line");
  }
}

void refuse_parse_error(const CLI::App& program, const CLI::ParseError& error) {
  const CLI::App& chosen = chosen_of(program);
  const std::string help =
      concat(&chosen == &program ? "attune" : "attune " + chosen.get_name(), " --help lists what there is");
  refuse_unknown_options(chosen, help);
  const bool is_missing = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
  if (is_missing && has_long_list(chosen))
    refuse(error.what(), "name it before an option that takes a list, or put -- between them");
  refuse(error.what(), help);
}

}  // namespace attune::cli
