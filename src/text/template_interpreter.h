// Renders a parsed template once.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "template_builtins.h"
#include "template_macro.h"
#include "template_parser.h"
#include "template_scope.h"

namespace attune::text::jinja {

class Loop;

class Interpreter {
 public:
  /// `variables` is the object that the template is rendered with; only what the template names is read.
  Interpreter(const ParsedTemplate& parsed, const nlohmann::ordered_json& variables, const RenderOptions& options);

  RenderedChat run();
  /// Where rendering stands, for errors.
  int line() const { return line_; }

 private:
  enum class Flow { next, leave, again };  ///< what break and continue do to the blocks around them

  /// A scope inside another one, while it lives.
  class Inner {
   public:
    Inner(Interpreter& interpreter, std::shared_ptr<Scope> outer);
    explicit Inner(Interpreter& interpreter) : Inner(interpreter, interpreter.scope_) {}
    ~Inner() { interpreter_.scope_ = std::move(saved_); }
    Inner(const Inner&) = delete;
    Inner& operator=(const Inner&) = delete;

   private:
    Interpreter& interpreter_;
    std::shared_ptr<Scope> saved_;
  };
  /// Collects the output while it lives.
  class Capture {
   public:
    explicit Capture(Interpreter& interpreter)
        : interpreter_(interpreter), saved_(std::exchange(interpreter.out_, &text)) {}
    ~Capture() { interpreter_.out_ = saved_; }
    Capture(const Capture&) = delete;
    Capture& operator=(const Capture&) = delete;

    std::string text;

   private:
    Interpreter& interpreter_;
    std::string* saved_;
  };

  // Statements.
  Flow execute(const Body& body);
  Flow execute(const Statement& statement);
  Flow run_form(const Literal& literal);
  Flow run_form(const Output& output);
  Flow run_form(const If& chosen);
  Flow run_form(const For& loop);
  Flow run_form(const Assignment& assignment);
  Flow run_form(const BlockAssignment& assignment);
  Flow run_form(const With& with);
  Flow run_form(const MacroStatement& macro);
  Flow run_form(const CallBlock& block);
  Flow run_form(const FilterBlock& block);
  Flow run_form(const Generation& generation);
  Flow run_form(const Break&) { return Flow::leave; }
  Flow run_form(const Continue&) { return Flow::again; }

  Flow run_loop(const For& node, const Value& iterable, const std::shared_ptr<Scope>& scope, std::size_t depth0);
  Value render_recursive(const For& node, const Value& iterable, const std::shared_ptr<Scope>& scope,
                         std::size_t depth0);
  IteratorPtr tested(const For& node, IteratorPtr items, const std::shared_ptr<Scope>& scope);
  void assign(const Target& target, const Value& value);
  void check_namespaces(const Target& target);
  MacroPtr close_over(const std::shared_ptr<const MacroDefinition>& definition);
  void write_result(const Value& value);
  void write(std::string_view text) { runtime_.heap.append(*out_, text); }

  // Expressions.
  Value evaluate(const Expression& expression);
  void require_known(const Expression& expression, const Value& value) const;
  Value evaluate_form(const Constant& constant) { return constant.value; }
  Value evaluate_form(const Variable& variable);
  Value evaluate_form(const ListLiteral& list);
  Value evaluate_form(const TupleLiteral& tuple);
  Value evaluate_form(const DictLiteral& dict);
  Value evaluate_form(const Unary& unary);
  Value evaluate_form(const Binary& binary);
  Value evaluate_form(const Logical& logical);
  Value evaluate_form(const Comparisons& chain);
  Value evaluate_form(const Concatenation& concatenation);
  Value evaluate_form(const Conditional& choice);
  Value evaluate_form(const AttributeAccess& access);
  Value evaluate_form(const ItemAccess& access);
  Value evaluate_form(const SliceAccess& slice);
  Value evaluate_form(const FunctionCall& call);
  Value evaluate_form(const FilterCall& call);
  Value evaluate_form(const TestCall& call);

  std::vector<Value> evaluate_all(const std::vector<ExpressionPtr>& expressions);
  Arguments evaluate(const CallArguments& arguments);
  /// A chain of filters over the text of a block.
  Value filtered(const Expression& chain, std::string text);
  Value apply(const FilterCall& filter, const Value& subject);
  Value call(const Value& callee, const Arguments& arguments);

  // Macros (template_macro.cpp).
  Value call_macro(const Macro& macro, const Arguments& arguments);
  void bind_extras(const MacroDefinition& macro, const Arguments& arguments);
  void bind_parameters(const MacroDefinition& macro, const Arguments& arguments);

  const ParsedTemplate& parsed_;
  Runtime runtime_;
  std::vector<std::optional<Value>> given_;       ///< by Symbol: what the caller passed, else Jinja's globals
  std::vector<std::shared_ptr<Scope>> captured_;  ///< scopes that macros refer to
  std::shared_ptr<Scope> scope_;
  std::string* out_ = nullptr;  ///< where output goes: the result, or a capture
  RenderedChat rendered_;
  std::size_t counted_bytes_ = 0;  ///< of rendered_.text, whose code points are counted
  std::uint32_t counted_points_ = 0;
  std::optional<Value> block_text_;  ///< the subject of filtered()'s innermost filter
  bool may_be_undefined_ = false;    ///< the expression that is evaluated next; only asked in Dialect::exact
  int line_ = 1;
};

}  // namespace attune::text::jinja
