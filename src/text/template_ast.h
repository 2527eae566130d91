// The parsed form of a template. Everything is immutable once ChatTemplate::parse returns.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "template_operators.h"
#include "template_value.h"

namespace attune::text::jinja {

using Symbol = std::uint32_t;  ///< a variable: an index into Program::names

struct Expression;
struct Statement;
using ExpressionPtr = std::unique_ptr<const Expression>;
using Body = std::vector<Statement>;

// Expressions.

struct Constant {
  Value value;
};
struct Variable {
  Symbol symbol;
};
struct ListLiteral {
  std::vector<ExpressionPtr> items;
};
struct TupleLiteral {
  std::vector<ExpressionPtr> items;
};
struct DictLiteral {
  std::vector<std::pair<ExpressionPtr, ExpressionPtr>> entries;
};
struct Unary {
  enum class Operator : std::uint8_t { plus, minus, negation };
  Operator operation;
  ExpressionPtr operand;
};
struct Binary {
  Arithmetic operation;
  ExpressionPtr left, right;
};
struct Logical {
  bool is_and;
  ExpressionPtr left, right;
};
/// first op operand op operand …, as Python chains them.
struct Comparisons {
  ExpressionPtr first;
  std::vector<std::pair<Comparison, ExpressionPtr>> rest;
};
struct Concatenation {  ///< ~
  std::vector<ExpressionPtr> parts;
};
struct Conditional {
  ExpressionPtr test, then, otherwise;  ///< `otherwise` may be null
};
struct AttributeAccess {
  ExpressionPtr object;
  std::string name;
};
struct ItemAccess {
  ExpressionPtr object, key;
};
struct SliceAccess {
  ExpressionPtr object, start, stop, step;  ///< bounds may be null
};
struct CallArguments {
  std::vector<ExpressionPtr> positional;
  std::vector<std::pair<std::string, ExpressionPtr>> named;
  ExpressionPtr unpacked, unpacked_names;  ///< of *list and **dict; may be null
};
struct FunctionCall {
  ExpressionPtr callee;
  CallArguments arguments;
};
/// A filter; its subject is null where it is applied to a block.
struct FilterCall {
  ExpressionPtr subject;
  std::string name;
  const Builtin* builtin;  ///< null for a name that Jinja lacks, which fails only where it is reached
  CallArguments arguments;
};
struct TestCall {
  ExpressionPtr subject;
  std::string name;
  const Builtin* builtin;
  CallArguments arguments;
};

struct Expression {
  using Form = std::variant<Constant, Variable, ListLiteral, TupleLiteral, DictLiteral, Unary, Binary, Logical,
                            Comparisons, Concatenation, Conditional, AttributeAccess, ItemAccess, SliceAccess,
                            FunctionCall, FilterCall, TestCall>;
  Form form;
  int line;
  int depth;  ///< of the tree
};

// What is assigned to.

struct Target;
struct NamespaceTarget {
  Symbol symbol;
  std::string attribute;
};
struct Target {
  std::variant<Symbol, NamespaceTarget, std::vector<Target>> form;
  int line;
};

// Statements.

struct Literal {
  std::string text;
};
struct Output {
  ExpressionPtr value;
};
struct If {
  std::vector<std::pair<ExpressionPtr, Body>> branches;
  Body otherwise;
};
struct For {
  Target target;
  ExpressionPtr iterable, test;  ///< `test` may be null
  bool recursive;
  Body body, otherwise;
};
struct Assignment {
  Target target;
  ExpressionPtr value;
};
struct BlockAssignment {
  Target target;
  ExpressionPtr filter;  ///< chain of filters over the block, or null
  Body body;
};
struct With {
  std::vector<std::pair<Target, ExpressionPtr>> assignments;
  Body body;
};
struct Parameter {
  Symbol symbol;
  std::string name;
  ExpressionPtr fallback;  ///< the default, or null
};
/// A macro, or (without a name) the body of a call block.
struct MacroDefinition {
  std::string name;
  std::vector<Parameter> parameters;
  bool uses_caller = false, uses_kwargs = false,
       uses_varargs = false;  ///< the body reads the name, which it does not set
  Body body;
};
struct MacroStatement {
  Symbol symbol;
  std::shared_ptr<const MacroDefinition> definition;
};
struct CallBlock {
  ExpressionPtr call;  ///< a FunctionCall
  std::shared_ptr<const MacroDefinition> caller;
};
struct FilterBlock {
  ExpressionPtr filter;
  Body body;
};
struct Generation {
  Body body;
};
struct Break {};
struct Continue {};

struct Statement {
  using Form = std::variant<Literal, Output, If, For, Assignment, BlockAssignment, With, MacroStatement, CallBlock,
                            FilterBlock, Generation, Break, Continue>;
  Form form;
  int line;
};

}  // namespace attune::text::jinja
