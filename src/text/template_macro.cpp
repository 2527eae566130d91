// Calling macros; see template_interpreter.h.
#include <nlohmann/json.hpp>

#include "template_fault.h"
#include "template_interpreter.h"

namespace attune::text::jinja {

Value Interpreter::call_macro(const Macro& macro, const Arguments& arguments) {
  const Heap::Descent level(runtime_.heap);
  const Inner inner(*this, macro.scope->shared_from_this());
  bind_extras(*macro.definition, arguments);
  bind_parameters(*macro.definition, arguments);
  Capture capture(*this);
  execute(macro.definition->body);
  return runtime_.heap.text(std::move(capture.text));
}

/// What goes beyond the parameters: caller, kwargs and varargs, each only where the body reads it.
void Interpreter::bind_extras(const MacroDefinition& macro, const Arguments& arguments) {
  const std::size_t count = macro.parameters.size();
  if (macro.uses_caller) {
    const Value* caller = arguments.find("caller");
    scope_->set(parsed_.caller,
                caller != nullptr ? *caller : undefined("there is no caller: no call block uses the macro"));
  }
  Dict more;
  for (const auto& [name, value] : arguments.named) {
    bool is_bound = macro.uses_caller && name == "caller";
    for (std::size_t i = arguments.positional.size(); i < count; ++i) is_bound |= macro.parameters[i].name == name;
    if (is_bound) continue;
    if (!macro.uses_kwargs) fail("the macro '", macro.name, "' takes no argument '", name, "'");
    more.set(literal(name), value);
  }
  if (macro.uses_kwargs) scope_->set(parsed_.kwargs, runtime_.heap.dict(std::move(more)));
  const std::size_t beyond = arguments.positional.size() - std::min(count, arguments.positional.size());
  if (beyond > 0 && !macro.uses_varargs) fail("the macro '", macro.name, "' takes at most ", count, " arguments");
  if (!macro.uses_varargs) return;
  const auto end = arguments.positional.end();
  scope_->set(parsed_.varargs, runtime_.heap.tuple({end - static_cast<std::ptrdiff_t>(beyond), end}));
}

void Interpreter::bind_parameters(const MacroDefinition& macro, const Arguments& arguments) {
  std::vector<const Parameter*> absent;
  for (std::size_t i = 0; i < macro.parameters.size(); ++i) {
    const Parameter& parameter = macro.parameters[i];
    const Value* given = i < arguments.positional.size() ? &arguments.positional[i] : arguments.find(parameter.name);
    if (given == nullptr) absent.push_back(&parameter);
    scope_->set(parameter.symbol,
                given != nullptr ? *given : undefined(concat("the parameter '", parameter.name, "' was not given")));
  }
  // Defaults see the parameters before them, and never a variable outside that has the name of one behind them.
  for (const Parameter* parameter : absent) {
    if (parameter->fallback != nullptr) scope_->set(parameter->symbol, evaluate(*parameter->fallback));
  }
}

}  // namespace attune::text::jinja
