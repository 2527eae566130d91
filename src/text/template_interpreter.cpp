// Statements; see template_interpreter.h.
#include "template_interpreter.h"

#include <nlohmann/json.hpp>

#include "python_text.h"
#include "template_fault.h"
#include "template_loop.h"
#include "template_operators.h"
#include "template_print.h"
#include "template_variables.h"

namespace attune::text::jinja {

Interpreter::Inner::Inner(Interpreter& interpreter, std::shared_ptr<Scope> outer)
    : interpreter_(interpreter), saved_(std::move(interpreter.scope_)) {
  interpreter.scope_ = std::make_shared<Scope>(std::move(outer));
}

Interpreter::Interpreter(const ParsedTemplate& parsed, const nlohmann::ordered_json& variables,
                         const RenderOptions& options)
    : parsed_(parsed), runtime_{Heap(options.limits), options.now}, scope_(std::make_shared<Scope>(nullptr)) {
  given_.reserve(parsed.names.size());
  for (const std::string& name : parsed.names) {
    std::optional<Value> value;
    if (const auto found = variables.find(name); found != variables.end()) {
      value = to_value(runtime_.heap, *found);
    } else if (const Builtin* global = find_global(name)) {
      value = runtime_.heap.method(*global, Value());
    }
    given_.push_back(std::move(value));
  }
}

RenderedChat Interpreter::run() {
  out_ = &rendered_.text;
  execute(parsed_.body);
  return std::move(rendered_);
}

Interpreter::Flow Interpreter::execute(const Body& body) {
  for (const Statement& statement : body) {
    if (const Flow flow = execute(statement); flow != Flow::next) return flow;
  }
  return Flow::next;
}

Interpreter::Flow Interpreter::execute(const Statement& statement) {
  const Heap::Descent level(runtime_.heap);
  runtime_.heap.charge();
  line_ = statement.line;
  return std::visit([&](const auto& form) { return run_form(form); }, statement.form);
}

Interpreter::Flow Interpreter::run_form(const Literal& literal) {
  write(literal.text);
  return Flow::next;
}

Interpreter::Flow Interpreter::run_form(const Output& output) {
  append_text(runtime_.heap, *out_, evaluate(*output.value));
  return Flow::next;
}

Interpreter::Flow Interpreter::run_form(const If& chosen) {
  for (const auto& [test, body] : chosen.branches) {
    if (truth(evaluate(*test))) return execute(body);
  }
  return execute(chosen.otherwise);
}

// Loops.

Interpreter::Flow Interpreter::run_form(const For& loop) {
  const Value iterable = evaluate(*loop.iterable);
  if (!loop.recursive) return run_loop(loop, iterable, scope_, 0);
  append_text(runtime_.heap, *out_, render_recursive(loop, iterable, scope_, 0));
  return Flow::next;
}

Value Interpreter::render_recursive(const For& node, const Value& iterable, const std::shared_ptr<Scope>& scope,
                                    std::size_t depth0) {
  const Heap::Descent level(runtime_.heap);
  Capture capture(*this);
  run_loop(node, iterable, scope, depth0);
  return runtime_.heap.text(std::move(capture.text));
}

IteratorPtr Interpreter::tested(const For& node, IteratorPtr items, const std::shared_ptr<Scope>& scope) {
  return generate(runtime_.heap, {items}, [this, &node, items, scope]() -> std::optional<Value> {
    while (auto item = items->next()) {
      const Inner inner(*this, scope);
      assign(node.target, *item);
      if (truth(evaluate(*node.test))) return item;
    }
    return std::nullopt;
  });
}

Interpreter::Flow Interpreter::run_loop(const For& node, const Value& iterable, const std::shared_ptr<Scope>& scope,
                                        std::size_t depth0) {
  IteratorPtr items = iterate(runtime_.heap, iterable);
  if (const auto* text = iterable.as<Text>()) runtime_.heap.charge_reading((*text)->size());
  const auto length = node.test == nullptr ? size_of(iterable) : std::nullopt;
  if (node.test != nullptr) items = tested(node, std::move(items), scope);
  Loop::Recurse recurse;
  if (node.recursive) {
    recurse = [this, &node, scope](const Value& inner, std::size_t depth) {
      return render_recursive(node, inner, scope, depth);
    };
  }
  auto* loop = runtime_.heap.object<Loop>(std::move(items), length, depth0, std::move(recurse));
  bool is_empty = true;  // as in the reference also when break or continue ended every round
  while (const auto item = loop->advance()) {
    const Inner inner(*this, scope);
    scope_->set(parsed_.loop, static_cast<Object*>(loop));
    assign(node.target, *item);
    const Flow flow = execute(node.body);
    if (flow == Flow::leave) break;
    if (flow == Flow::next) is_empty = false;
  }
  if (!is_empty) return Flow::next;
  const Inner inner(*this, scope);
  return execute(node.otherwise);
}

// Assignments.

void Interpreter::check_namespaces(const Target& target) {
  if (const auto* parts = std::get_if<std::vector<Target>>(&target.form)) {
    for (const Target& part : *parts) check_namespaces(part);
  } else if (const auto* member = std::get_if<NamespaceTarget>(&target.form)) {
    const Value* names = scope_->find(member->symbol);
    if (names == nullptr || object_as<Namespace>(*names) == nullptr) {
      fail("'", parsed_.names[member->symbol], "' is no namespace, only its attributes can be set");
    }
  }
}

void Interpreter::assign(const Target& target, const Value& value) {
  if (const auto* symbol = std::get_if<Symbol>(&target.form)) return scope_->set(*symbol, value);
  if (const auto* member = std::get_if<NamespaceTarget>(&target.form)) {
    auto* names = object_as<Namespace>(*scope_->find(member->symbol));
    if (member->attribute.starts_with('_')) fail("an attribute of a namespace may not begin with '_'");
    return names->attributes.set(literal(member->attribute), value);
  }
  const auto& parts = std::get<std::vector<Target>>(target.form);
  const std::vector<Value> items = items_of(runtime_.heap, value);
  if (items.size() != parts.size()) fail("cannot assign ", items.size(), " values to ", parts.size(), " variables");
  for (std::size_t i = 0; i < parts.size(); ++i) assign(parts[i], items[i]);
}

Interpreter::Flow Interpreter::run_form(const Assignment& assignment) {
  check_namespaces(assignment.target);
  assign(assignment.target, evaluate(*assignment.value));
  return Flow::next;
}

Interpreter::Flow Interpreter::run_form(const BlockAssignment& assignment) {
  Value value;
  {
    const Inner inner(*this);
    Capture capture(*this);
    if (const Flow flow = execute(assignment.body); flow != Flow::next) return flow;
    value = assignment.filter == nullptr ? runtime_.heap.text(std::move(capture.text))
                                         : filtered(*assignment.filter, std::move(capture.text));
  }
  check_namespaces(assignment.target);
  assign(assignment.target, value);
  return Flow::next;
}

Interpreter::Flow Interpreter::run_form(const With& with) {
  std::vector<Value> values;
  for (const auto& [target, value] : with.assignments) values.push_back(evaluate(*value));
  const Inner inner(*this);
  for (std::size_t i = 0; i < values.size(); ++i) assign(with.assignments[i].first, values[i]);
  return execute(with.body);
}

// Macros and blocks.

/// What stands for a whole block must be text.
void Interpreter::write_result(const Value& value) {
  const auto* text = value.as<Text>();
  if (text == nullptr) fail("a block became a value of type ", type_name(value), ", expected str");
  write(**text);
}

MacroPtr Interpreter::close_over(const std::shared_ptr<const MacroDefinition>& definition) {
  runtime_.heap.charge(16);
  if (captured_.empty() || captured_.back() != scope_) captured_.push_back(scope_);
  return std::make_shared<const Macro>(Macro{definition, scope_.get()});
}

Interpreter::Flow Interpreter::run_form(const MacroStatement& macro) {
  scope_->set(macro.symbol, close_over(macro.definition));
  return Flow::next;
}

Interpreter::Flow Interpreter::run_form(const CallBlock& block) {
  const auto& called = std::get<FunctionCall>(block.call->form);
  const Value callee = evaluate(*called.callee);
  Arguments arguments = evaluate(called.arguments);
  arguments.named.emplace_back("caller", close_over(block.caller));
  write_result(call(callee, arguments));
  return Flow::next;
}

Interpreter::Flow Interpreter::run_form(const FilterBlock& block) {
  const Inner inner(*this);
  std::string text;
  {
    Capture capture(*this);
    if (const Flow flow = execute(block.body); flow != Flow::next) return flow;
    text = std::move(capture.text);
  }
  write_result(filtered(*block.filter, std::move(text)));
  return Flow::next;
}

Interpreter::Flow Interpreter::run_form(const Generation& generation) {
  std::string text;
  {
    const Inner inner(*this);
    Capture capture(*this);
    execute(generation.body);
    text = std::move(capture.text);
  }
  counted_points_ += static_cast<std::uint32_t>(code_points(std::string_view(rendered_.text).substr(counted_bytes_)));
  counted_bytes_ = rendered_.text.size();
  const auto length = static_cast<std::uint32_t>(code_points(text));
  rendered_.generation_spans.emplace_back(counted_points_, counted_points_ + length);
  write(text);
  return Flow::next;
}

}  // namespace attune::text::jinja
