// Template text to statements, by Jinja's grammar.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "template_ast.h"
#include "template_lexer.h"

namespace attune::text::jinja {

struct ParsedTemplate {
  Body body;
  Dialect dialect = Dialect::chat;
  std::vector<std::string> names;  ///< of the variables, by Symbol
  std::vector<Symbol> own;         ///< variables that the template sets somewhere itself
  Symbol loop, caller, kwargs, varargs;
  bool marks_generation = false;
};

/// How a template is read.
struct Reading {
  Dialect dialect = Dialect::chat;
  std::function<std::string(const std::string&)> literal = {};  ///< what the text between two tags becomes; empty = it stays
};

/// Fault with the line for what Jinja (or the Python that it compiles to) refuses, and for what we left out; without a line
/// for more than 1 MiB and for invalid UTF-8.
ParsedTemplate parse_template(std::string_view source, const Reading& reading);

}  // namespace attune::text::jinja
