// See template.h.
#include "attune/text/template.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "template_builtins.h"
#include "template_fault.h"
#include "template_interpreter.h"
#include "template_parser.h"

namespace attune::text {

namespace {

[[noreturn]] void raise_usage(const jinja::Fault& fault, const std::string& origin, int line) {
  ErrorText text = {
      .file = origin, .what = fault.what, .where = line > 0 ? concat("line ", line) : "", .hint = fault.hint};
  if (!fault.undefined.empty()) throw UndefinedVariable(std::move(text), fault.undefined);
  throw Error(fault.kind == ErrorKind::model ? ErrorKind::usage : fault.kind, std::move(text));
}

std::vector<std::string> outer_names(const jinja::ParsedTemplate& parsed) {
  std::vector<std::string> names;
  for (jinja::Symbol symbol = 0; symbol < parsed.names.size(); ++symbol) {
    const bool is_special =
        symbol == parsed.loop || symbol == parsed.caller || symbol == parsed.kwargs || symbol == parsed.varargs;
    const bool is_own = std::find(parsed.own.begin(), parsed.own.end(), symbol) != parsed.own.end();
    if (is_special || is_own || jinja::find_global(parsed.names[symbol]) != nullptr) continue;
    names.push_back(parsed.names[symbol]);
  }
  return names;
}

}  // namespace

struct Template::Program {
  std::string origin;
  jinja::ParsedTemplate parsed;
  std::vector<std::string> names;
};

Template Template::parse(std::string_view source, const std::string& origin, const LiteralMap& literal) {
  try {
    auto parsed = jinja::parse_template(source, {.dialect = jinja::Dialect::exact, .literal = literal});
    std::vector<std::string> names = outer_names(parsed);
    return Template(std::make_shared<const Program>(Program{origin, std::move(parsed), std::move(names)}));
  } catch (const jinja::Fault& fault) {
    raise_usage(fault, origin, fault.line);
  }
}

std::string Template::render(const nlohmann::ordered_json& variables) const {
  std::optional<jinja::Interpreter> interpreter;
  try {
    interpreter.emplace(program_->parsed, variables, RenderOptions{});
    return interpreter->run().text;
  } catch (const jinja::Fault& fault) {
    raise_usage(fault, program_->origin, interpreter ? interpreter->line() : 0);
  }
}

const std::vector<std::string>& Template::names() const {
  return program_->names;
}

}  // namespace attune::text
