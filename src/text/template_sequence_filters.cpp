// Filters on sequences and dicts.
#include <algorithm>
#include <set>

#include "python_text.h"
#include "template_attributes.h"
#include "template_builtins.h"
#include "template_fault.h"
#include "template_operators.h"
#include "template_path.h"
#include "template_print.h"

namespace attune::text::jinja {

namespace {

Value default_of(Call& call) {
  const bool is_absent = call.subject.is<Undefined>() || (call.flag(1) && !truth(call.subject));
  if (!is_absent) return call.subject;
  return call.find(0) != nullptr ? call.at(0) : literal("");
}

Value length(Call& call) {
  const auto size = size_of(call.subject);
  if (!size) fail("a value of type ", type_name(call.subject), " has no length");
  return integer(*size);
}

Value list(Call& call) {
  return call.heap.list(items_of(call.heap, call.subject));
}

Value first(Call& call) {
  if (auto item = iterate(call.heap, call.subject)->next()) return *std::move(item);
  return undefined("there is no first item: the sequence is empty");
}

/// Whether Python can go through the value from its end.
bool is_reversible(const Value& value) {
  return !value.is<IteratorPtr>() && is_iterable(value);
}

Value last(Call& call) {
  if (!is_reversible(call.subject)) fail("|last does not take a ", type_name(call.subject), "; add |list before it");
  const std::vector<Value> items = items_of(call.heap, call.subject);
  return items.empty() ? undefined("there is no last item: the sequence is empty") : items.back();
}

Value reverse(Call& call) {
  if (const auto* text = call.subject.as<Text>()) return call.heap.text(reversed(**text), text->markup);
  const auto backwards = [&heap = call.heap, subject = call.subject] {
    std::vector<Value> items = items_of(heap, subject);
    std::reverse(items.begin(), items.end());
    return items;
  };
  if (!is_reversible(call.subject)) return call.heap.list(backwards());
  return generate_all(call.heap, {call.subject}, backwards);
}

Value join(Call& call) {
  const std::string separator = call.find(0) != nullptr ? to_text(call.heap, call.at(0)) : "";
  const AttributePath path(call.heap, call.find(1));
  std::string out;
  bool is_first = true;
  const IteratorPtr items = iterate(call.heap, call.subject);
  while (const auto item = items->next()) {
    if (!is_first) call.heap.append(out, separator);
    append_text(call.heap, out, path.of(*item));
    is_first = false;
  }
  return call.heap.text(std::move(out));
}

Value sum(Call& call) {
  Value total = call.find(1) != nullptr ? call.at(1) : Value(Integer{0});
  if (total.is<Text>()) fail("|sum does not join str; use |join");
  const AttributePath path(call.heap, call.find(0));
  const IteratorPtr items = iterate(call.heap, call.subject);
  while (const auto item = items->next()) {
    total = arithmetic(call.heap, Arithmetic::add, total, path.of(*item));
  }
  return total;
}

Value attribute_filter(Call& call) {
  return attribute_only(call.heap, call.subject, call.text(0));
}

/// A generator: it fails only where it is used.
Value items(Call& call) {
  return generate_all(call.heap, {call.subject}, [&heap = call.heap, subject = call.subject] {
    if (subject.is<Undefined>()) return std::vector<Value>();
    const auto* dict = subject.as<DictPtr>();
    if (dict == nullptr) fail("|items needs a dict, found ", type_name(subject));
    return items_of(heap, DictView{*dict, DictView::Part::items});
  });
}

// Sorting.

struct Keyed {
  Value key, item;
};

std::vector<Value> sorted(Heap& heap, std::vector<Keyed> rows, bool backwards) {
  const auto before = [&](const Keyed& a, const Keyed& b) { return less(heap, a.key, b.key); };
  // A stable order is kept in both directions, as Python keeps it.
  if (backwards) std::reverse(rows.begin(), rows.end());
  std::stable_sort(rows.begin(), rows.end(), before);
  if (backwards) std::reverse(rows.begin(), rows.end());
  std::vector<Value> items;
  for (Keyed& row : rows) items.push_back(std::move(row.item));
  return items;
}

/// The paths of "a,b.c", which are compared one after the other.
std::vector<AttributePath> paths_of(Call& call, const Value* attribute) {
  const auto* names = attribute == nullptr ? nullptr : attribute->as<Text>();
  if (names == nullptr) return {AttributePath(call.heap, attribute)};
  std::vector<AttributePath> paths;
  for (const std::string_view name : split_at(**names, ",", -1)) {
    const Value part = call.heap.text(std::string(name));
    paths.emplace_back(call.heap, &part);
  }
  return paths;
}

Value sort(Call& call) {
  const bool case_sensitive = call.flag(1);
  const std::vector<AttributePath> paths = paths_of(call, call.find(2));
  std::vector<Keyed> rows;
  for (Value& item : items_of(call.heap, call.subject)) {
    std::vector<Value> key;
    for (const AttributePath& path : paths) key.push_back(case_sensitive ? path.of(item) : path.of_ignoring_case(item));
    rows.push_back({call.heap.list(std::move(key)), std::move(item)});
  }
  return call.heap.list(sorted(call.heap, std::move(rows), call.flag(0)));
}

Value sort_dict(Call& call) {
  require_defined(call.subject);
  const auto* dict = call.subject.as<DictPtr>();
  if (dict == nullptr) fail("|dictsort needs a dict, found ", type_name(call.subject));
  const std::string by = call.find(1) != nullptr ? call.text(1) : "key";
  if (by != "key" && by != "value") fail("|dictsort sorts by 'key' or 'value', not '", by, "'");
  std::vector<Keyed> rows;
  for (const auto& [key, value] : (*dict)->entries()) {
    const Value& sorted_by = by == "key" ? key : value;
    rows.push_back({call.flag(0) ? sorted_by : ignoring_case(call.heap, sorted_by), call.heap.tuple({key, value})});
  }
  return call.heap.list(sorted(call.heap, std::move(rows), call.flag(2)));
}

template <bool wants_largest>
Value extreme(Call& call) {
  const bool case_sensitive = call.flag(0);
  const AttributePath path(call.heap, call.find(1));
  const IteratorPtr items = iterate(call.heap, call.subject);
  std::optional<Keyed> best;
  while (auto item = items->next()) {
    Value key = case_sensitive ? path.of(*item) : path.of_ignoring_case(*item);
    const bool is_better = !best || (wants_largest ? less(call.heap, best->key, key) : less(call.heap, key, best->key));
    if (is_better) best = Keyed{std::move(key), *std::move(item)};
  }
  return best ? best->item : undefined("there is no smallest or largest item: the sequence is empty");
}

// Grouping.

struct Uniqueness {
  Heap& heap;
  Value subject;
  AttributePath path;
  bool case_sensitive;
  IteratorPtr items = nullptr;
  std::set<std::string> seen = {};

  std::optional<Value> next() {
    if (items == nullptr) items = iterate(heap, subject);
    while (auto item = items->next()) {
      std::string key = key_of(case_sensitive ? path.of(*item) : path.of_ignoring_case(*item));
      heap.claim_text(key.size());
      if (seen.insert(std::move(key)).second) return item;
    }
    return std::nullopt;
  }
};

Value unique(Call& call) {
  const auto state = std::make_shared<Uniqueness>(
      Uniqueness{call.heap, call.subject, AttributePath(call.heap, call.find(1)), call.flag(0)});
  return generate(call.heap, {call.subject}, [state] { return state->next(); });
}

Value group_by(Call& call) {
  const bool case_sensitive = call.flag(2);
  const AttributePath path(call.heap, &call.at(0), call.find(1));
  const auto key_of_item = [&](const Value& item) {
    return case_sensitive ? path.of(item) : path.of_ignoring_case(item);
  };
  std::vector<Keyed> rows;
  for (Value& item : items_of(call.heap, call.subject)) rows.push_back({key_of_item(item), std::move(item)});
  const std::vector<Value> ordered = sorted(call.heap, std::move(rows), false);
  std::vector<Value> groups;
  for (std::size_t begin = 0; begin < ordered.size();) {
    const Value key = key_of_item(ordered[begin]);
    std::size_t end = begin;
    while (end < ordered.size() && equal(call.heap, key_of_item(ordered[end]), key)) ++end;
    end = std::max(end, begin + 1);  // a key that is not equal to itself (nan) is a group, too
    std::vector<Value> members(ordered.begin() + static_cast<std::ptrdiff_t>(begin),
                               ordered.begin() + static_cast<std::ptrdiff_t>(end));
    Value grouper = path.of(ordered[begin]);
    groups.push_back(call.heap.tuple({std::move(grouper), call.heap.list(std::move(members))}, true));
    begin = end;
  }
  return call.heap.list(std::move(groups));
}

Value slice(Call& call) {
  const Integer slices = call.integer(0, 0);
  const Value fill = call.find(1) != nullptr ? call.at(1) : Value();
  return generate_all(call.heap, {call.subject, fill}, [&heap = call.heap, subject = call.subject, slices, fill] {
    const std::vector<Value> items = items_of(heap, subject);
    if (slices == 0) fail("|slice cannot cut into 0 slices");
    std::vector<Value> out;
    if (slices < 0) return out;
    heap.claim_items(static_cast<std::size_t>(std::min<Integer>(slices, SIZE_MAX / 2)));
    const auto count = static_cast<std::size_t>(slices);
    const std::size_t each = items.size() / count, extra = items.size() % count;
    auto begin = items.begin();
    for (std::size_t i = 0; i < count; ++i) {
      const auto end = begin + static_cast<std::ptrdiff_t>(each + (i < extra ? 1 : 0));
      std::vector<Value> part(begin, end);
      if (!fill.is<None>() && i >= extra) part.push_back(fill);
      out.push_back(heap.list(std::move(part)));
      begin = end;
    }
    return out;
  });
}

Value batch(Call& call) {
  const Integer size = call.integer(0, 0);
  const Value fill = call.find(1) != nullptr ? call.at(1) : Value();
  return generate_all(call.heap, {call.subject, fill}, [&heap = call.heap, subject = call.subject, size, fill] {
    std::vector<Value> out, part;
    for (Value& item : items_of(heap, subject)) {
      if (static_cast<Integer>(part.size()) == size) out.push_back(heap.list(std::exchange(part, {})));
      part.push_back(std::move(item));
    }
    if (part.empty()) return out;
    const Integer missing = fill.is<None>() ? 0 : size - static_cast<Integer>(part.size());
    if (missing > 0) heap.claim_items(static_cast<std::size_t>(std::min<Integer>(missing, SIZE_MAX / 2)));
    for (Integer i = 0; i < missing; ++i) part.push_back(fill);
    out.push_back(heap.list(std::move(part)));
    return out;
  });
}

constexpr Builtin kSequenceFilters[] = {
    {"attr", "name", attribute_filter},
    {"batch", "linecount fill_with?", batch},
    {"count", "", length},
    {"d", "default_value? boolean?", default_of},
    {"default", "default_value? boolean?", default_of},
    {"dictsort", "case_sensitive? by? reverse?", sort_dict},
    {"first", "", first},
    {"groupby", "attribute default? case_sensitive?", group_by},
    {"items", "", items},
    {"join", "d? attribute?", join},
    {"last", "", last},
    {"length", "", length},
    {"list", "", list},
    {"max", "case_sensitive? attribute?", extreme<true>},
    {"min", "case_sensitive? attribute?", extreme<false>},
    {"reverse", "", reverse},
    {"slice", "slices fill_with?", slice},
    {"sort", "reverse? case_sensitive? attribute?", sort},
    {"sum", "attribute? start?", sum},
    {"unique", "case_sensitive? attribute?", unique},
};

}  // namespace

std::span<const Builtin> sequence_filters() {
  return kSequenceFilters;
}

}  // namespace attune::text::jinja
