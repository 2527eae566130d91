// What follows an expression: attributes, subscripts, calls, filters and tests; see template_parser.h.
#include "template_builtins.h"
#include "template_fault.h"
#include "template_parser_state.h"

namespace attune::text::jinja {

ExpressionPtr Parser::postfix(ExpressionPtr subject) {
  while (true) {
    if (is_symbol(here(), ".")) {
      subject = attribute_access(std::move(subject));
    } else if (is_symbol(here(), "[")) {
      subject = subscript(std::move(subject));
    } else if (is_symbol(here(), "(")) {
      subject = function_call(std::move(subject));
    } else {
      return subject;
    }
  }
}

ExpressionPtr Parser::attribute_access(ExpressionPtr object) {
  const int line = take().line;
  if (here().kind == TokenKind::integer) {
    ExpressionPtr key = make(here().line, Constant{here().whole});
    take();
    return make(line, ItemAccess{std::move(object), std::move(key)});
  }
  return make(line, AttributeAccess{std::move(object), expect_any_name("a name or number")});
}

ExpressionPtr Parser::subscript(ExpressionPtr object) {
  const int line = take().line;
  const auto bound = [&]() -> ExpressionPtr {
    const bool is_open = is_symbol(here(), ":") || is_symbol(here(), "]");
    return is_open ? nullptr : expression();
  };
  ExpressionPtr first = bound();
  if (take_symbol(":")) {
    SliceAccess slice{std::move(object), std::move(first), bound(), nullptr};
    if (take_symbol(":")) slice.step = bound();
    expect_symbol("]");
    return make(line, std::move(slice));
  }
  if (first == nullptr) unexpected("a subscript");
  if (is_symbol(here(), ",")) {
    TupleLiteral key;
    key.items.push_back(std::move(first));
    while (take_symbol(",")) key.items.push_back(expression());
    first = make(line, std::move(key));
  }
  expect_symbol("]");
  return make(line, ItemAccess{std::move(object), std::move(first)});
}

ExpressionPtr Parser::filters_and_tests(ExpressionPtr subject) {
  while (true) {
    if (is_symbol(here(), "|")) {
      subject = filter_chain(std::move(subject));
    } else if (is_name(here(), "is")) {
      subject = test_call(std::move(subject));
    } else if (is_symbol(here(), "(")) {
      subject = function_call(std::move(subject));
    } else {
      return subject;
    }
  }
}

std::string Parser::dotted_name(std::string_view what) {
  std::string name = expect_any_name(what);
  while (take_symbol(".")) name += "." + expect_any_name(what);
  return name;
}

/// `filter` itself, without a pipe before it.
ExpressionPtr Parser::filter_call(ExpressionPtr subject) {
  const int line = here().line;
  FilterCall call{std::move(subject), dotted_name("the name of a filter"), nullptr, {}};
  call.builtin = find_filter(call.name);
  if (call.builtin == nullptr && !checks_at_run_time_) {
    unknown_.push_back({line, no_filter(call.name)});
  }
  if (is_symbol(here(), "(")) call.arguments = arguments();
  return make(line, std::move(call));
}

ExpressionPtr Parser::filter_chain(ExpressionPtr subject) {
  while (take_symbol("|")) subject = filter_call(std::move(subject));
  return subject;
}

ExpressionPtr Parser::test_call(ExpressionPtr subject) {
  const int line = take().line;
  const bool negated = take_name("not");
  TestCall call{std::move(subject), dotted_name("the name of a test"), nullptr, {}};
  call.builtin = find_test(call.name);
  if (call.builtin == nullptr && !checks_at_run_time_) {
    unknown_.push_back({line, no_test(call.name)});
  }
  const TokenKind kind = here().kind;
  const bool is_operand = kind == TokenKind::name || kind == TokenKind::text || kind == TokenKind::integer ||
                          kind == TokenKind::real || is_symbol(here(), "[") || is_symbol(here(), "{");
  if (is_symbol(here(), "(")) {
    call.arguments = arguments();
  } else if (is_operand && !is_name(here(), "else") && !is_name(here(), "or") && !is_name(here(), "and")) {
    if (is_name(here(), "is")) fail_at(here().line, "tests cannot be chained with 'is'");
    call.arguments.positional.push_back(postfix(primary()));
  }
  ExpressionPtr test = make(line, std::move(call));
  return negated ? make(line, Unary{Unary::Operator::negation, std::move(test)}) : std::move(test);
}

ExpressionPtr Parser::function_call(ExpressionPtr callee) {
  const int line = here().line;
  FunctionCall call{std::move(callee), arguments()};
  return make(line, std::move(call));
}

CallArguments Parser::arguments() {
  const int line = here().line;
  CallArguments found;
  const auto require = [&](bool holds) {
    if (!holds) fail_at(line, "the arguments of a call stand in a wrong order");
  };
  expect_symbol("(");
  for (bool first = true; !is_symbol(here(), ")"); first = false) {
    if (!first) expect_symbol(",");
    if (is_symbol(here(), ")")) break;
    if (take_symbol("*")) {
      require(found.unpacked == nullptr && found.unpacked_names == nullptr);
      found.unpacked = expression();
    } else if (take_symbol("**")) {
      require(found.unpacked_names == nullptr);
      found.unpacked_names = expression();
    } else if (here().kind == TokenKind::name && is_symbol(ahead(), "=")) {
      require(found.unpacked_names == nullptr);
      std::string name = take().text;
      take();
      for (const auto& [other, value] : found.named) {
        if (other == name) fail_at(line, "the argument '", name, "' is given twice");
      }
      found.named.emplace_back(std::move(name), expression());
    } else {
      require(found.unpacked == nullptr && found.unpacked_names == nullptr && found.named.empty());
      found.positional.push_back(expression());
    }
  }
  expect_symbol(")");
  return found;
}

}  // namespace attune::text::jinja
