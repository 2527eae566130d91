// Template text to statements, by Jinja's grammar.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "template_ast.h"

namespace attune::text::jinja {

struct ParsedTemplate {
  Body body;
  std::vector<std::string> names;  ///< of the variables, by Symbol
  Symbol loop, caller, kwargs, varargs;
  bool marks_generation = false;
};

/// Fault with the line for what Jinja (or the Python that it compiles to) refuses, and for what we left out.
ParsedTemplate parse_template(std::string_view source);

}  // namespace attune::text::jinja
