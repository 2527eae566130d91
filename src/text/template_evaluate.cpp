// Expressions and calls; see template_interpreter.h.
#include <nlohmann/json.hpp>

#include "template_attributes.h"
#include "template_fault.h"
#include "template_interpreter.h"
#include "template_loop.h"
#include "template_operators.h"
#include "template_print.h"

namespace attune::text::jinja {

Value Interpreter::evaluate(const Expression& expression) {
  const Heap::Descent level(runtime_.heap);
  runtime_.heap.charge();
  const int outer = std::exchange(line_, expression.line);  // where something fails it stays
  const bool is_strict = parsed_.dialect == Dialect::exact && !std::exchange(may_be_undefined_, false);
  Value value = std::visit([&](const auto& form) { return evaluate_form(form); }, expression.form);
  if (is_strict) require_known(expression, value);
  line_ = outer;
  return value;
}

void Interpreter::require_known(const Expression& expression, const Value& value) const {
  const auto* absent = value.as<Undefined>();
  if (absent == nullptr) return;
  const auto* variable = std::get_if<Variable>(&expression.form);
  const bool was_not_given = variable != nullptr && scope_->find(variable->symbol) == nullptr;
  throw Fault{ErrorKind::model, *absent->reason, "", 0, was_not_given ? parsed_.names[variable->symbol] : ""};
}

std::vector<Value> Interpreter::evaluate_all(const std::vector<ExpressionPtr>& expressions) {
  std::vector<Value> values;
  values.reserve(expressions.size());
  for (const ExpressionPtr& expression : expressions) values.push_back(evaluate(*expression));
  return values;
}

Value Interpreter::evaluate_form(const Variable& variable) {
  if (const Value* value = scope_->find(variable.symbol)) return *value;
  if (const auto& given = given_[variable.symbol]) return *given;
  return undefined(concat("'", parsed_.names[variable.symbol], "' is undefined"));
}

Value Interpreter::evaluate_form(const ListLiteral& list) {
  return runtime_.heap.list(evaluate_all(list.items));
}

Value Interpreter::evaluate_form(const TupleLiteral& tuple) {
  return runtime_.heap.tuple(evaluate_all(tuple.items));
}

Value Interpreter::evaluate_form(const DictLiteral& dict) {
  Dict entries;
  for (const auto& [key, value] : dict.entries) {
    Value name = evaluate(*key);
    if (const auto* text = name.as<Text>()) runtime_.heap.charge_reading((*text)->size());
    entries.set(std::move(name), evaluate(*value));
  }
  return runtime_.heap.dict(std::move(entries));
}

Value Interpreter::evaluate_form(const Unary& unary) {
  const Value operand = evaluate(*unary.operand);
  if (unary.operation == Unary::Operator::negation) return !truth(operand);
  return unary.operation == Unary::Operator::minus ? negated(operand) : posited(operand);
}

Value Interpreter::evaluate_form(const Binary& binary) {
  const Value left = evaluate(*binary.left);
  const Value right = evaluate(*binary.right);
  return arithmetic(runtime_.heap, binary.operation, left, right);
}

Value Interpreter::evaluate_form(const Logical& logical) {
  Value left = evaluate(*logical.left);
  return truth(left) == logical.is_and ? evaluate(*logical.right) : left;
}

Value Interpreter::evaluate_form(const Comparisons& chain) {
  Value left = evaluate(*chain.first);
  for (const auto& [comparison, operand] : chain.rest) {
    Value right = evaluate(*operand);
    if (!compare(runtime_.heap, comparison, left, right)) return false;
    left = std::move(right);
  }
  return true;
}

Value Interpreter::evaluate_form(const Concatenation& concatenation) {
  std::string joined;
  for (const Value& part : evaluate_all(concatenation.parts)) append_text(runtime_.heap, joined, part);
  return runtime_.heap.text(std::move(joined));
}

Value Interpreter::evaluate_form(const Conditional& choice) {
  if (truth(evaluate(*choice.test))) return evaluate(*choice.then);
  if (choice.otherwise != nullptr) return evaluate(*choice.otherwise);
  return undefined("an inline 'if' without 'else' was not true, and its value is used");
}

Value Interpreter::evaluate_form(const AttributeAccess& access) {
  return attribute(runtime_.heap, evaluate(*access.object), access.name);
}

Value Interpreter::evaluate_form(const ItemAccess& access) {
  const Value object = evaluate(*access.object);
  const Value key = evaluate(*access.key);
  return item(runtime_.heap, object, key);
}

Value Interpreter::evaluate_form(const SliceAccess& slice) {
  const auto bound = [&](const ExpressionPtr& expression) {
    return expression == nullptr ? Value() : evaluate(*expression);
  };
  const Value object = evaluate(*slice.object);
  SliceBounds bounds;
  bounds.start = bound(slice.start);
  bounds.stop = bound(slice.stop);
  bounds.step = bound(slice.step);
  return sliced(runtime_.heap, object, bounds);
}

// Calls.

Arguments Interpreter::evaluate(const CallArguments& arguments) {
  Arguments values;
  values.positional = evaluate_all(arguments.positional);
  for (const auto& [name, expression] : arguments.named) values.named.emplace_back(name, evaluate(*expression));
  if (arguments.unpacked != nullptr) {
    for (Value& value : items_of(runtime_.heap, evaluate(*arguments.unpacked)))
      values.positional.push_back(std::move(value));
  }
  if (arguments.unpacked_names == nullptr) return values;
  const Value unpacked = evaluate(*arguments.unpacked_names);
  require_defined(unpacked);
  const auto* dict = unpacked.as<DictPtr>();
  if (dict == nullptr) fail("only a dict can be unpacked with '**', found ", type_name(unpacked));
  for (const auto& [key, value] : (*dict)->entries()) {
    runtime_.heap.charge(1 + values.named.size() / 16);
    const auto* name = key.as<Text>();
    if (name == nullptr) fail("the names of arguments must be str, found ", type_name(key));
    if (values.find(**name) != nullptr) fail("the argument '", **name, "' is given twice");
    values.named.emplace_back(**name, value);
  }
  return values;
}

Value Interpreter::apply(const FilterCall& filter, const Value& subject) {
  if (filter.builtin == nullptr) fail(no_filter(filter.name));
  return run_builtin(runtime_, *filter.builtin, subject, evaluate(filter.arguments));
}

Value Interpreter::evaluate_form(const FilterCall& call) {
  may_be_undefined_ = call.subject != nullptr && (call.name == "default" || call.name == "d");
  if (call.subject != nullptr) return apply(call, evaluate(*call.subject));
  const Value text = *std::exchange(block_text_, std::nullopt);
  return apply(call, text);
}

Value Interpreter::filtered(const Expression& chain, std::string text) {
  block_text_ = runtime_.heap.text(std::move(text));
  return evaluate(chain);
}

Value Interpreter::evaluate_form(const TestCall& call) {
  may_be_undefined_ = call.name == "defined" || call.name == "undefined";
  const Value subject = evaluate(*call.subject);
  if (call.builtin == nullptr) fail(no_test(call.name));
  return run_builtin(runtime_, *call.builtin, subject, evaluate(call.arguments));
}

Value Interpreter::evaluate_form(const FunctionCall& function) {
  const Value callee = evaluate(*function.callee);
  return call(callee, evaluate(function.arguments));
}

Value Interpreter::call(const Value& callee, const Arguments& arguments) {
  require_defined(callee);
  if (const auto* macro = callee.as<MacroPtr>()) return call_macro(**macro, arguments);
  if (const auto* function = callee.as<FunctionPtr>()) {
    return run_builtin(runtime_, *(*function)->builtin, (*function)->receiver, arguments);
  }
  const bool one_argument = arguments.positional.size() == 1 && arguments.named.empty();
  if (const auto* loop = object_as<Loop>(callee)) {
    if (!one_argument) fail("loop(…) takes one argument");
    return loop->recurse(arguments.positional[0]);
  }
  if (auto* joiner = object_as<Joiner>(callee)) {
    if (!arguments.positional.empty() || !arguments.named.empty()) fail("a joiner takes no arguments");
    return std::exchange(joiner->used, true) ? joiner->separator : literal("");
  }
  fail("a value of type ", type_name(callee), " cannot be called");
}

}  // namespace attune::text::jinja
