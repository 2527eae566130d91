// See chat_template.h.
#include "attune/text/chat_template.h"

#include <nlohmann/json.hpp>

#include "template_fault.h"
#include "template_interpreter.h"
#include "template_parser.h"

namespace attune::text {

namespace {

[[noreturn]] void raise(const jinja::Fault& fault, const std::string& origin, int line) {
  throw Error(fault.kind,
              {.file = origin, .what = fault.what, .where = line > 0 ? concat("line ", line) : "", .hint = fault.hint});
}

}  // namespace

struct ChatTemplate::Program {
  std::string source;
  std::string origin;
  jinja::ParsedTemplate parsed;
};

ChatTemplate ChatTemplate::parse(std::string_view source, const std::string& origin) {
  try {
    return ChatTemplate(std::make_shared<const Program>(
        Program{std::string(source), origin, jinja::parse_template(source, {.dialect = jinja::Dialect::chat})}));
  } catch (const jinja::Fault& fault) {
    raise(fault, origin, fault.line);
  }
}

RenderedChat ChatTemplate::render(const nlohmann::ordered_json& variables, const RenderOptions& options) const {
  std::optional<jinja::Interpreter> interpreter;
  try {
    interpreter.emplace(program_->parsed, variables, options);
    return interpreter->run();
  } catch (const jinja::Fault& fault) {
    raise(fault, program_->origin, interpreter ? interpreter->line() : 0);
  }
}

bool ChatTemplate::marks_generation() const {
  return program_->parsed.marks_generation;
}

const std::string& ChatTemplate::source() const {
  return program_->source;
}

}  // namespace attune::text
