// The parser, shared by its sources: template_parser.cpp (statements) and template_expressions.cpp.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "template_lexer.h"
#include "template_parser.h"

namespace attune::text::jinja {

class Parser {
 public:
  Parser(std::string_view source, const Reading& reading);
  ParsedTemplate run();

 private:
  /// What is known about the function (a macro or a call block) whose body is being parsed.
  struct Function {
    struct Special {
      bool read = false, set = false;
    };
    Special caller, kwargs, varargs;
    int loops = 0;  ///< open loops inside it: where break and continue may stand
  };
  struct UnknownName {
    int line;
    std::string what;
  };
  class Level;
  enum class TuplePlace { output, parentheses, condition, iteration };
  enum class TargetOf { set, loop, with, parentheses };

  // Tokens.
  const Token& here() const { return tokens_[position_]; }
  const Token& ahead() const { return tokens_[std::min(position_ + 1, tokens_.size() - 1)]; }
  const Token& take();
  static bool is_symbol(const Token& token, std::string_view symbol);
  static bool is_name(const Token& token, std::string_view name);
  bool take_symbol(std::string_view symbol);
  bool take_name(std::string_view name);
  void expect_symbol(std::string_view symbol);
  void expect_name(std::string_view name);
  std::string expect_any_name(std::string_view what);
  void expect(TokenKind kind, std::string_view what);
  [[noreturn]] void unexpected(std::string_view expected);

  // Variables.
  Symbol symbol_of(const std::string& name);
  Symbol read_symbol(const std::string& name);
  Symbol stored_symbol(const std::string& name, int line);

  // Statements (template_parser.cpp).
  Body body_until(std::initializer_list<std::string_view> ends);
  Body block(std::initializer_list<std::string_view> ends);
  Statement statement();
  Statement for_statement(int line);
  Statement if_statement(int line);
  Statement set_statement(int line);
  Statement with_statement(int line);
  Statement macro_statement(int line);
  Statement call_statement(int line);
  Statement filter_statement(int line);
  Statement generation_statement(int line);
  Statement loop_control(int line, bool is_break);
  void print_statement(Body& body);
  void signature(MacroDefinition& macro);
  void function_body(MacroDefinition& macro, std::string_view end, int line);
  Target target(TargetOf tag);
  Target one_target(TargetOf tag);

  // Expressions (template_expressions.cpp).
  ExpressionPtr make(int line, Expression::Form form) const;
  ExpressionPtr expression() { return conditional(); }
  ExpressionPtr tuple_expression(TuplePlace place);
  ExpressionPtr conditional();
  ExpressionPtr disjunction();
  ExpressionPtr conjunction();
  ExpressionPtr negation();
  ExpressionPtr comparison();
  ExpressionPtr sum();
  ExpressionPtr concatenation();
  ExpressionPtr product();
  ExpressionPtr power();
  ExpressionPtr filtered() { return filters_and_tests(unary()); }
  ExpressionPtr unary();
  ExpressionPtr primary();
  ExpressionPtr strings();
  ExpressionPtr list_literal();
  ExpressionPtr dict_literal();
  ExpressionPtr postfix(ExpressionPtr subject);
  ExpressionPtr attribute_access(ExpressionPtr object);
  ExpressionPtr subscript(ExpressionPtr object);
  ExpressionPtr filters_and_tests(ExpressionPtr subject);
  ExpressionPtr filter_call(ExpressionPtr subject);
  ExpressionPtr filter_chain(ExpressionPtr subject);
  ExpressionPtr test_call(ExpressionPtr subject);
  ExpressionPtr function_call(ExpressionPtr callee);
  CallArguments arguments();
  std::string dotted_name(std::string_view what);

  std::vector<Token> tokens_;
  std::size_t position_ = 0;
  int level_ = 0;
  std::unordered_map<std::string, Symbol> symbols_;
  ParsedTemplate out_;
  std::vector<Function> functions_{Function{}};
  int for_statements_ = 0;           ///< open ones, functions between them or not
  bool checks_at_run_time_ = false;  ///< in a branch of an if, unknown filters fail only when they are reached
  std::vector<UnknownName> unknown_;
};

/// One level of nesting of the template, counted while it lives.
class Parser::Level {
 public:
  explicit Level(Parser& parser);
  ~Level() { --parser_.level_; }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;

 private:
  Parser& parser_;
};

}  // namespace attune::text::jinja
