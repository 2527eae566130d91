// Iterating and slicing; see template_operators.h.
#include <algorithm>

#include "attune/base/utf8.h"
#include "python_text.h"
#include "template_fault.h"
#include "template_operators.h"

namespace attune::text::jinja {

namespace {

class Generator final : public Iterator {
 public:
  Generator(std::uint32_t depth, Heap& heap, std::function<std::optional<Value>()> step)
      : Iterator(depth), heap_(heap), step_(std::move(step)) {}

  std::optional<Value> next() override {
    const Heap::Descent level(heap_);
    heap_.charge();
    return step_();
  }

 private:
  Heap& heap_;
  std::function<std::optional<Value>()> step_;
};

/// Over anything with a size and an element for each position.
template <typename At>
IteratorPtr over(Heap& heap, const Value& held, std::size_t size, At at) {
  return generate(heap, {held}, [held, size, at, i = std::size_t{0}]() mutable -> std::optional<Value> {
    if (i == size) return std::nullopt;
    return at(i++);
  });
}

IteratorPtr over_characters(Heap& heap, const Text& text) {
  return generate(heap, {}, [text, &heap, position = std::size_t{0}]() mutable -> std::optional<Value> {
    if (position == text->size()) return std::nullopt;
    const std::size_t begin = position;
    next_code_point(*text, position);
    return heap.text(text->substr(begin, position - begin));
  });
}

IteratorPtr over_view(Heap& heap, const DictView& view) {
  const auto& entries = view.dict->entries();
  return over(heap, view, entries.size(), [&heap, &entries, part = view.part](std::size_t i) -> Value {
    if (part == DictView::Part::keys) return entries[i].first;
    if (part == DictView::Part::values) return entries[i].second;
    return heap.tuple({entries[i].first, entries[i].second});
  });
}

/// The positions that a slice picks from a sequence: first, first + step, …
struct Picked {
  long long first, stop, step;
  std::size_t count;
};

/// A bound as a position that arithmetic can work with; None gives `open`.
long long bound(const Value& value, long long open) {
  if (value.is<None>()) return open;
  const auto number = as_integer(value);
  if (!number) fail("the bounds of a slice must be integers or none, found ", type_name(value));
  constexpr Integer kFar = static_cast<Integer>(1) << 60;
  return static_cast<long long>(std::clamp(*number, -kFar, kFar));
}

Picked pick(const SliceBounds& bounds, std::size_t size) {
  const auto length = static_cast<long long>(size);
  const long long step = bound(bounds.step, 1);
  if (step == 0) fail("the step of a slice is 0");
  const long long low = step > 0 ? 0 : -1, high = step > 0 ? length : length - 1;
  const auto place = [&](const Value& value, long long open) {
    if (value.is<None>()) return open;
    const long long position = bound(value, 0);
    return std::clamp(position < 0 ? position + length : position, low, high);
  };
  const long long start = place(bounds.start, step > 0 ? low : high);
  const long long stop = place(bounds.stop, step > 0 ? high : low);
  const long long distance = step > 0 ? stop - start : start - stop;
  const long long stride = step > 0 ? step : -step;
  return {start, stop, step, distance <= 0 ? 0 : static_cast<std::size_t>((distance - 1) / stride + 1)};
}

std::vector<Value> picked_items(Heap& heap, const std::vector<Value>& items, const Picked& picked) {
  heap.claim_items(picked.count);
  std::vector<Value> out;
  out.reserve(picked.count);
  long long at = picked.first;
  for (std::size_t i = 0; i < picked.count; ++i, at += picked.step) out.push_back(items[static_cast<std::size_t>(at)]);
  return out;
}

Value sliced_text(Heap& heap, const Text& text, const SliceBounds& bounds) {
  heap.charge_reading(text->size());
  const Picked picked = pick(bounds, code_points(*text));
  if (picked.step == 1) {
    const auto begin = static_cast<std::size_t>(picked.first);
    return heap.text(std::string(part_of(*text, begin, begin + picked.count)), text.markup);
  }
  const std::u32string characters = to_utf32(*text);
  std::string out;
  long long at = picked.first;
  for (std::size_t i = 0; i < picked.count; ++i, at += picked.step) {
    append_utf8(out, characters[static_cast<std::size_t>(at)]);
  }
  return heap.text(std::move(out), text.markup);
}

}  // namespace

IteratorPtr generate(Heap& heap, std::initializer_list<Value> held, std::function<std::optional<Value>()> next) {
  return heap.iterator<Generator>(held, heap, std::move(next));
}

IteratorPtr generate_all(Heap& heap, std::initializer_list<Value> held, std::function<std::vector<Value>()> make) {
  return generate(heap, held,
                  [make = std::move(make), items = std::optional<std::vector<Value>>(),
                   i = std::size_t{0}]() mutable -> std::optional<Value> {
                    if (!items) items = make();
                    if (i == items->size()) return std::nullopt;
                    return (*items)[i++];
                  });
}

IteratorPtr iterate(Heap& heap, const Value& value) {
  if (const auto* iterator = value.as<IteratorPtr>()) return *iterator;
  if (const auto* text = value.as<Text>()) return over_characters(heap, *text);
  if (const auto* view = value.as<DictView>()) return over_view(heap, *view);
  if (value.is<Undefined>()) return generate(heap, {}, [] { return std::nullopt; });
  if (const auto* list = value.as<ListPtr>()) {
    return over(heap, value, (*list)->items.size(), [&items = (*list)->items](std::size_t i) { return items[i]; });
  }
  if (const auto* tuple = value.as<TuplePtr>()) {
    return over(heap, value, (*tuple)->items.size(), [&items = (*tuple)->items](std::size_t i) { return items[i]; });
  }
  if (const auto* dict = value.as<DictPtr>()) return over_view(heap, {*dict, DictView::Part::keys});
  if (const auto* range = value.as<RangePtr>()) {
    return over(heap, value, (*range)->size, [range = range->get()](std::size_t i) { return range->at(i); });
  }
  fail("a value of type ", type_name(value), " cannot be iterated");
}

bool is_iterable(const Value& value) {
  return value.is<IteratorPtr>() || (!value.is<Object*>() && size_of(value).has_value());
}

std::vector<Value> items_of(Heap& heap, const Value& value) {
  std::vector<Value> items;
  const IteratorPtr iterator = iterate(heap, value);
  while (auto item = iterator->next()) items.push_back(*std::move(item));
  return items;
}

Value sliced(Heap& heap, const Value& value, const SliceBounds& bounds) {
  require_defined(value);
  if (const auto* text = value.as<Text>()) return sliced_text(heap, *text, bounds);
  if (const auto* list = value.as<ListPtr>()) {
    const auto& items = (*list)->items;
    return heap.list(picked_items(heap, items, pick(bounds, items.size())));
  }
  if (const auto* tuple = value.as<TuplePtr>()) {
    const auto& items = (*tuple)->items;
    return heap.tuple(picked_items(heap, items, pick(bounds, items.size())));
  }
  if (const auto* range = value.as<RangePtr>()) {
    const Picked picked = pick(bounds, (*range)->size);
    const auto place = [&](long long i) { return (*range)->start + (*range)->step * i; };
    return heap.range(place(picked.first), place(picked.stop), (*range)->step * picked.step);
  }
  fail("a value of type ", type_name(value), " cannot be sliced");
}

}  // namespace attune::text::jinja
