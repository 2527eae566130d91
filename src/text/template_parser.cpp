// Statements; see template_parser.h.
#include "template_parser.h"

#include <algorithm>

#include "attune/base/utf8.h"
#include "template_builtins.h"
#include "template_fault.h"
#include "template_parser_state.h"

namespace attune::text::jinja {

namespace {

constexpr std::size_t kMaxSource = 1u << 20;
constexpr int kMaxLevel = 400;  // of the parser; four for each pair of parentheses
constexpr std::string_view kOmittedTags[] = {"autoescape", "block", "extends", "from", "import", "include"};
constexpr std::string_view kConstants[] = {"true", "false", "none", "True", "False", "None"};

template <std::size_t size>
bool listed(const std::string_view (&names)[size], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

}  // namespace

ParsedTemplate parse_template(std::string_view source, const Reading& reading) {
  if (source.size() > kMaxSource) fail("the template has more than ", kMaxSource, " bytes");
  if (const auto bad = find_invalid_utf8(source)) fail("the template is not valid UTF-8 at byte ", *bad);
  return Parser(source, reading).run();
}

Parser::Level::Level(Parser& parser) : parser_(parser) {
  if (++parser.level_ > kMaxLevel)
    fail_at(parser.here().line, "the template nests more than ", kMaxLevel, " levels deep");
}

Parser::Parser(std::string_view source, const Reading& reading) : tokens_(tokenize(source, reading.dialect)) {
  out_.dialect = reading.dialect;
  for (Token& token : tokens_) {
    if (reading.literal && token.kind == TokenKind::data) token.text = reading.literal(token.text);
  }
  out_.loop = symbol_of("loop");
  out_.caller = symbol_of("caller");
  out_.kwargs = symbol_of("kwargs");
  out_.varargs = symbol_of("varargs");
}

ParsedTemplate Parser::run() {
  out_.body = body_until({});
  if (!unknown_.empty()) fail_at(unknown_.front().line, unknown_.front().what);
  return std::move(out_);
}

// Tokens.

const Token& Parser::take() {
  const Token& token = here();
  if (position_ + 1 < tokens_.size()) ++position_;
  return token;
}

bool Parser::is_symbol(const Token& token, std::string_view symbol) {
  return token.kind == TokenKind::symbol && token.text == symbol;
}

bool Parser::is_name(const Token& token, std::string_view name) {
  return token.kind == TokenKind::name && token.text == name;
}

bool Parser::take_symbol(std::string_view symbol) {
  if (!is_symbol(here(), symbol)) return false;
  take();
  return true;
}

bool Parser::take_name(std::string_view name) {
  if (!is_name(here(), name)) return false;
  take();
  return true;
}

void Parser::unexpected(std::string_view expected) {
  fail_at(here().line, "found ", describe(here()), ", expected ", expected);
}

void Parser::expect_symbol(std::string_view symbol) {
  if (!take_symbol(symbol)) unexpected(concat("'", symbol, "'"));
}

void Parser::expect_name(std::string_view name) {
  if (!take_name(name)) unexpected(concat("'", name, "'"));
}

std::string Parser::expect_any_name(std::string_view what) {
  if (here().kind != TokenKind::name) unexpected(what);
  return take().text;
}

void Parser::expect(TokenKind kind, std::string_view what) {
  if (here().kind != kind) unexpected(what);
  take();
}

// Variables.

Symbol Parser::symbol_of(const std::string& name) {
  const auto [entry, is_new] = symbols_.emplace(name, static_cast<Symbol>(out_.names.size()));
  if (is_new) out_.names.push_back(name);
  return entry->second;
}

Symbol Parser::read_symbol(const std::string& name) {
  const Symbol symbol = symbol_of(name);
  for (Function& function : functions_) {
    for (const auto& [special, state] :
         {std::pair{out_.caller, &function.caller}, std::pair{out_.kwargs, &function.kwargs},
          std::pair{out_.varargs, &function.varargs}}) {
      if (symbol == special && !state->set) state->read = true;
    }
  }
  return symbol;
}

Symbol Parser::stored_symbol(const std::string& name, int line) {
  if (listed(kConstants, name)) fail_at(line, "cannot assign to '", name, "'");
  const Symbol symbol = symbol_of(name);
  out_.own.push_back(symbol);
  if (symbol == out_.loop && for_statements_ > 0) fail_at(line, "cannot assign to 'loop' inside a for");
  for (Function& function : functions_) {
    if (symbol == out_.caller) function.caller.set = true;
    if (symbol == out_.kwargs) function.kwargs.set = true;
    if (symbol == out_.varargs) function.varargs.set = true;
  }
  return symbol;
}

// Bodies.

Body Parser::body_until(std::initializer_list<std::string_view> ends) {
  const Level level(*this);
  Body body;
  while (here().kind != TokenKind::end) {
    const int line = here().line;
    if (here().kind == TokenKind::data) {
      body.push_back({Literal{take().text}, line});
    } else if (here().kind == TokenKind::output_begin) {
      take();
      body.push_back({Output{tuple_expression(TuplePlace::output)}, line});
      expect(TokenKind::output_end, "'}}'");
    } else {
      expect(TokenKind::block_begin, "'{%'");
      const bool is_end =
          std::any_of(ends.begin(), ends.end(), [&](std::string_view end) { return is_name(here(), end); });
      if (is_end) return body;
      if (take_name("print")) {
        print_statement(body);
      } else {
        body.push_back(statement());
      }
      expect(TokenKind::block_end, "'%}'");
    }
  }
  if (ends.size() > 0) unexpected(concat("'", std::data(ends)[ends.size() - 1], "'"));
  return body;
}

Body Parser::block(std::initializer_list<std::string_view> ends) {
  take_symbol(":");
  expect(TokenKind::block_end, "'%}'");
  return body_until(ends);
}

Statement Parser::statement() {
  const int line = here().line;
  const std::string tag = expect_any_name("the name of a tag");
  if (tag == "for") return for_statement(line);
  if (tag == "if") return if_statement(line);
  if (tag == "set") return set_statement(line);
  if (tag == "with") return with_statement(line);
  if (tag == "macro") return macro_statement(line);
  if (tag == "call") return call_statement(line);
  if (tag == "filter") return filter_statement(line);
  if (tag == "generation") return generation_statement(line);
  if (tag == "break" || tag == "continue") return loop_control(line, tag == "break");
  if (listed(kOmittedTags, tag)) fail_at(line, "the tag '", tag, "' is not supported");
  fail_at(line, "there is no tag '", tag, "' here");
}

void Parser::print_statement(Body& body) {
  for (bool first = true; here().kind != TokenKind::block_end; first = false) {
    if (!first) expect_symbol(",");
    const int line = here().line;
    body.push_back({Output{expression()}, line});
  }
}

// Tags.

Statement Parser::for_statement(int line) {
  ++for_statements_;
  For loop;
  loop.target = target(TargetOf::loop);
  expect_name("in");
  loop.iterable = tuple_expression(TuplePlace::iteration);
  if (take_name("if")) loop.test = expression();
  loop.recursive = take_name("recursive");
  const bool outer = std::exchange(checks_at_run_time_, false);
  ++functions_.back().loops;
  loop.body = block({"else", "endfor"});
  --functions_.back().loops;
  if (take().text == "else") {
    loop.otherwise = block({"endfor"});
    take();
  }
  checks_at_run_time_ = outer;
  --for_statements_;
  return {std::move(loop), line};
}

Statement Parser::if_statement(int line) {
  const bool outer = std::exchange(checks_at_run_time_, true);
  If chosen;
  std::string tag;
  do {
    ExpressionPtr test = tuple_expression(TuplePlace::condition);
    chosen.branches.emplace_back(std::move(test), block({"elif", "else", "endif"}));
    tag = take().text;
  } while (tag == "elif");
  if (tag == "else") {
    chosen.otherwise = block({"endif"});
    take();
  }
  checks_at_run_time_ = outer;
  return {std::move(chosen), line};
}

Statement Parser::set_statement(int line) {
  Target assigned = target(TargetOf::set);
  if (take_symbol("=")) {
    ExpressionPtr value = tuple_expression(TuplePlace::output);
    return {Assignment{std::move(assigned), std::move(value)}, line};
  }
  ExpressionPtr filter = filter_chain(nullptr);
  const bool outer = std::exchange(checks_at_run_time_, false);
  Body body = block({"endset"});
  take();
  checks_at_run_time_ = outer;
  return {BlockAssignment{std::move(assigned), std::move(filter), std::move(body)}, line};
}

Statement Parser::with_statement(int line) {
  With scope;
  while (here().kind != TokenKind::block_end) {
    if (!scope.assignments.empty()) expect_symbol(",");
    Target assigned = target(TargetOf::with);
    expect_symbol("=");
    scope.assignments.emplace_back(std::move(assigned), expression());
  }
  const bool outer = std::exchange(checks_at_run_time_, false);
  scope.body = block({"endwith"});
  take();
  checks_at_run_time_ = outer;
  return {std::move(scope), line};
}

void Parser::signature(MacroDefinition& macro) {
  expect_symbol("(");
  while (!is_symbol(here(), ")")) {
    if (!macro.parameters.empty()) expect_symbol(",");
    const int line = here().line;
    const std::string name = expect_any_name("the name of a parameter");
    if (listed(kConstants, name)) fail_at(line, "'", name, "' cannot be a parameter");
    const bool twice = std::any_of(macro.parameters.begin(), macro.parameters.end(),
                                   [&](const Parameter& other) { return other.name == name; });
    if (twice) fail_at(line, "there are two parameters '", name, "'");
    ExpressionPtr fallback = take_symbol("=") ? expression() : nullptr;
    if (fallback == nullptr && !macro.parameters.empty() && macro.parameters.back().fallback != nullptr) {
      fail_at(line, "the parameter '", name, "' needs a default, as the one before it has one");
    }
    macro.parameters.push_back({symbol_of(name), name, std::move(fallback)});
    out_.own.push_back(macro.parameters.back().symbol);
  }
  expect_symbol(")");
}

void Parser::function_body(MacroDefinition& macro, std::string_view end, int line) {
  const auto has_parameter = [&](std::string_view name) {
    return std::any_of(macro.parameters.begin(), macro.parameters.end(),
                       [&](const Parameter& parameter) { return parameter.name == name; });
  };
  const bool outer = std::exchange(checks_at_run_time_, false);
  functions_.emplace_back();
  macro.body = block({end});
  take();
  const Function used = functions_.back();
  functions_.pop_back();
  checks_at_run_time_ = outer;
  for (const Parameter& parameter : macro.parameters) {
    if (used.caller.read && parameter.name == "caller" && parameter.fallback == nullptr) {
      fail_at(line, "the parameter 'caller' needs a default");
    }
  }
  macro.uses_caller = used.caller.read && !has_parameter("caller");
  macro.uses_kwargs = used.kwargs.read && !has_parameter("kwargs");
  macro.uses_varargs = used.varargs.read && !has_parameter("varargs");
}

Statement Parser::macro_statement(int line) {
  auto macro = std::make_shared<MacroDefinition>();
  macro->name = expect_any_name("the name of a macro");
  const Symbol symbol = stored_symbol(macro->name, line);
  signature(*macro);
  function_body(*macro, "endmacro", line);
  return {MacroStatement{symbol, std::move(macro)}, line};
}

Statement Parser::call_statement(int line) {
  auto caller = std::make_shared<MacroDefinition>();
  if (is_symbol(here(), "(")) signature(*caller);
  ExpressionPtr call = expression();
  if (!std::holds_alternative<FunctionCall>(call->form)) fail_at(line, "the tag 'call' needs a call");
  function_body(*caller, "endcall", line);
  return {CallBlock{std::move(call), std::move(caller)}, line};
}

Statement Parser::filter_statement(int line) {
  ExpressionPtr filter = filter_chain(filter_call(nullptr));
  const bool outer = std::exchange(checks_at_run_time_, false);
  Body body = block({"endfilter"});
  take();
  checks_at_run_time_ = outer;
  return {FilterBlock{std::move(filter), std::move(body)}, line};
}

Statement Parser::generation_statement(int line) {
  MacroDefinition block;
  function_body(block, "endgeneration", line);
  out_.marks_generation = true;
  return {Generation{std::move(block.body)}, line};
}

Statement Parser::loop_control(int line, bool is_break) {
  if (functions_.back().loops == 0) fail_at(line, "'", is_break ? "break" : "continue", "' stands outside of a loop");
  if (is_break) return {Break{}, line};
  return {Continue{}, line};
}

// What is assigned to.

Target Parser::target(TargetOf tag) {
  const Level level(*this);
  const int line = here().line;
  std::vector<Target> parts;
  bool is_tuple = false;
  while (true) {
    const bool ends = here().kind == TokenKind::output_end || here().kind == TokenKind::block_end ||
                      is_symbol(here(), ")") || (tag == TargetOf::loop && is_name(here(), "in"));
    if (ends && !parts.empty()) break;
    parts.push_back(one_target(tag));
    if (!take_symbol(",")) break;
    is_tuple = true;
  }
  if (!is_tuple) return std::move(parts.front());
  return {std::move(parts), line};
}

Target Parser::one_target(TargetOf tag) {
  const int line = here().line;
  if (take_symbol("(")) {
    Target inner = target(TargetOf::parentheses);
    expect_symbol(")");
    return inner;
  }
  const std::string name = expect_any_name("a variable to assign to");
  if (tag == TargetOf::set && take_symbol(".")) {
    return {NamespaceTarget{read_symbol(name), expect_any_name("the name of an attribute")}, line};
  }
  return {stored_symbol(name, line), line};
}

}  // namespace attune::text::jinja
