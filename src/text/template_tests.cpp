// The tests of `is`, |select and |reject.
#include "python_text.h"
#include "template_builtins.h"
#include "template_fault.h"
#include "template_loop.h"
#include "template_operators.h"
#include "template_print.h"

namespace attune::text::jinja {

namespace {

bool is_callable(const Value& value) {
  return value.is<FunctionPtr>() || value.is<MacroPtr>() || value.is<Undefined>() ||
         object_as<Loop>(value) != nullptr || object_as<Joiner>(value) != nullptr;
}

bool is_sequence(const Value& value) {
  return value.is<Text>() || value.is<ListPtr>() || value.is<TuplePtr>() || value.is<DictPtr>() ||
         value.is<RangePtr>() || value.is<Undefined>();
}

bool is_same(const Value& a, const Value& b) {
  if (a.data().index() != b.data().index()) return false;
  if (const auto* text = a.as<Text>()) return text->characters == b.as<Text>()->characters;
  if (const auto* list = a.as<ListPtr>()) return *list == *b.as<ListPtr>();
  if (const auto* tuple = a.as<TuplePtr>()) return *tuple == *b.as<TuplePtr>();
  if (const auto* dict = a.as<DictPtr>()) return *dict == *b.as<DictPtr>();
  if (const auto* iterator = a.as<IteratorPtr>()) return *iterator == *b.as<IteratorPtr>();
  if (const auto* macro = a.as<MacroPtr>()) return *macro == *b.as<MacroPtr>();
  if (const auto* object = a.as<Object*>()) return *object == *b.as<Object*>();
  if (const auto* number = a.as<Integer>()) return *number == *b.as<Integer>();
  if (const auto* flag = a.as<bool>()) return *flag == *b.as<bool>();
  return a.is<None>();
}

template <Comparison comparison>
Value compared(Call& call) {
  return compare(call.heap, comparison, call.subject, call.at(0));
}

template <typename Kind>
Value is_kind(Call& call) {
  return call.subject.is<Kind>();
}

template <bool wanted>
Value is_flag(Call& call) {
  const auto* flag = call.subject.as<bool>();
  return flag != nullptr && *flag == wanted;
}

template <TextClass wanted>
Value has_case(Call& call) {
  return is_class(to_text(call.heap, call.subject), wanted);
}

template <const Builtin* (*find)(std::string_view)>
Value is_known(Call& call) {
  const auto* name = call.subject.as<Text>();
  return name != nullptr && find(**name) != nullptr;
}

/// Whether the subject leaves `rest` when it is divided.
Value leaves(Call& call, const Value& divisor, Integer rest) {
  if (call.subject.is<Text>()) fail(type_name(call.subject), " is no number");
  return equal(call.heap, arithmetic(call.heap, Arithmetic::modulo, call.subject, divisor), rest);
}

constexpr Builtin kTests[] = {
    {"defined", "", [](Call& call) -> Value { return !call.subject.is<Undefined>(); }},
    {"undefined", "", is_kind<Undefined>},
    {"none", "", is_kind<None>},
    {"boolean", "", is_kind<bool>},
    {"true", "", is_flag<true>},
    {"false", "", is_flag<false>},
    {"integer", "", is_kind<Integer>},
    {"float", "", is_kind<double>},
    {"number", "", [](Call& call) -> Value { return as_real(call.subject).has_value(); }},
    {"string", "", is_kind<Text>},
    {"mapping", "", is_kind<DictPtr>},
    {"sequence", "", [](Call& call) -> Value { return is_sequence(call.subject); }},
    {"iterable", "", [](Call& call) -> Value { return is_iterable(call.subject); }},
    {"callable", "", [](Call& call) -> Value { return is_callable(call.subject); }},
    {"escaped", "",
     [](Call& call) -> Value {
       const auto* text = call.subject.as<Text>();
       return text != nullptr && text->markup;
     }},
    {"lower", "", has_case<TextClass::lower>},
    {"upper", "", has_case<TextClass::upper>},
    {"odd", "", [](Call& call) { return leaves(call, Integer{2}, 1); }},
    {"even", "", [](Call& call) { return leaves(call, Integer{2}, 0); }},
    {"divisibleby", "num", [](Call& call) { return leaves(call, call.at(0), 0); }},
    {"sameas", "other", [](Call& call) -> Value { return is_same(call.subject, call.at(0)); }},
    {"in", "seq", [](Call& call) -> Value { return contains(call.heap, call.at(0), call.subject); }},
    {"filter", "", is_known<find_filter>},
    {"test", "", is_known<find_test>},
    {"==", "/other", compared<Comparison::equal>},
    {"eq", "/other", compared<Comparison::equal>},
    {"equalto", "/other", compared<Comparison::equal>},
    {"!=", "/other", compared<Comparison::unequal>},
    {"ne", "/other", compared<Comparison::unequal>},
    {">", "/other", compared<Comparison::greater>},
    {"gt", "/other", compared<Comparison::greater>},
    {"greaterthan", "/other", compared<Comparison::greater>},
    {">=", "/other", compared<Comparison::greater_equal>},
    {"ge", "/other", compared<Comparison::greater_equal>},
    {"<", "/other", compared<Comparison::less>},
    {"lt", "/other", compared<Comparison::less>},
    {"lessthan", "/other", compared<Comparison::less>},
    {"<=", "/other", compared<Comparison::less_equal>},
    {"le", "/other", compared<Comparison::less_equal>},
};

}  // namespace

std::span<const Builtin> test_table() {
  return kTests;
}

}  // namespace attune::text::jinja
