// A macro together with the scope that it was defined in.
#pragma once

#include "template_ast.h"

namespace attune::text::jinja {

class Scope;

struct Macro {
  std::shared_ptr<const MacroDefinition> definition;
  Scope* scope;  ///< kept by the interpreter until rendering ends: it may hold the macro itself

  const std::string& name() const { return definition->name; }
};

}  // namespace attune::text::jinja
