// The methods of dicts and sequences.
#include "template_builtins.h"
#include "template_fault.h"
#include "template_operators.h"

namespace attune::text::jinja {

namespace {

template <DictView::Part part>
Value view(Call& call) {
  return DictView{*call.subject.as<DictPtr>(), part};
}

Value get(Call& call) {
  if (const auto* text = call.at(0).as<Text>()) call.heap.charge_reading((*text)->size());
  const Value* value = (*call.subject.as<DictPtr>())->find(call.at(0));
  if (value != nullptr) return *value;
  return call.find(1) != nullptr ? call.at(1) : Value();
}

Value copy(Call& call) {
  return call.subject;
}

constexpr Builtin kDictMethods[] = {
    {"copy", "", copy},
    {"get", "/key /default?", get},
    {"items", "", view<DictView::Part::items>},
    {"keys", "", view<DictView::Part::keys>},
    {"values", "", view<DictView::Part::values>},
};

constexpr Builtin kListMethods[] = {{"copy", "", copy}};

Value count(Call& call) {
  std::size_t found = 0;
  const IteratorPtr items = iterate(call.heap, call.subject);
  while (const auto item = items->next()) found += equal(call.heap, *item, call.at(0));
  return integer(found);
}

/// The place of the first equal item in [start, stop), which only lists and tuples take.
Value index(Call& call) {
  const auto size = static_cast<Integer>(*size_of(call.subject));
  const auto place = [&](std::size_t parameter, Integer open) {
    const Integer position = call.integer(parameter, open);
    return position < 0 ? std::max<Integer>(position + size, 0) : position;
  };
  const Integer start = place(1, 0), stop = place(2, size);
  const IteratorPtr items = iterate(call.heap, call.subject);
  for (Integer i = 0; i < stop; ++i) {
    const auto item = items->next();
    if (!item) break;
    if (i >= start && equal(call.heap, *item, call.at(0))) return i;
  }
  fail("the ", type_name(call.subject), " does not contain the value");
}

constexpr Builtin kSequenceMethods[] = {
    {"count", "/value", count},
    {"index", "/value /start? /stop?", index},
};

}  // namespace

std::span<const Builtin> dict_methods() {
  return kDictMethods;
}
std::span<const Builtin> list_methods() {
  return kListMethods;
}
std::span<const Builtin> sequence_methods() {
  return kSequenceMethods;
}

}  // namespace attune::text::jinja
