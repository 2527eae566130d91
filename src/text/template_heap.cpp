// See template_heap.h.
#include "template_heap.h"

#include "template_fault.h"

namespace attune::text::jinja {

namespace {

constexpr std::size_t kMaxRange = 100'000;
constexpr std::uint32_t kMaxNesting = 200;  // of values; Python's own limits are near

[[noreturn]] void too_much(const std::string& what) {
  throw Fault{ErrorKind::model, what, "check the template for a loop without end"};
}

/// The number of items of range(start, stop, step).
Integer count_of_range(Integer start, Integer stop, Integer step) {
  if (step > 0) return stop <= start ? 0 : (stop - start - 1) / step + 1;
  return start <= stop ? 0 : (start - stop - 1) / -step + 1;
}

}  // namespace

void Heap::charge(std::size_t steps) {
  steps_ += steps;
  if (steps_ > limits_.steps) too_much(concat("rendering takes more than ", limits_.steps, " steps"));
}

void Heap::claim_text(std::size_t bytes) {
  if (bytes > limits_.text_bytes) too_much(concat("a text of more than ", limits_.text_bytes, " bytes would be made"));
  charge(bytes / 16);
}

void Heap::append(std::string& out, std::string_view part) {
  if (part.size() > limits_.text_bytes - std::min(out.size(), limits_.text_bytes)) claim_text(limits_.text_bytes + 1);
  charge(part.size() / 16);
  out += part;
}

Value Heap::text(std::string characters, bool markup) {
  claim_text(characters.size());
  return Text{std::make_shared<const std::string>(std::move(characters)), markup};
}

Value Heap::list(std::vector<Value> items) {
  claim_items(items.size());
  const std::uint32_t depth = nested(items.begin(), items.end());
  return ListPtr(std::make_shared<const List>(List{std::move(items), depth}));
}

Value Heap::tuple(std::vector<Value> items, bool is_group) {
  claim_items(items.size());
  const std::uint32_t depth = nested(items.begin(), items.end());
  return TuplePtr(std::make_shared<const Tuple>(Tuple{std::move(items), depth, is_group}));
}

Value Heap::dict(Dict entries) {
  claim_items(entries.entries().size());
  checked_depth(entries.depth());
  return DictPtr(std::make_shared<const Dict>(std::move(entries)));
}

Value Heap::range(Integer start, Integer stop, Integer step) {
  if (step == 0) fail("the step of a range is 0");
  constexpr Integer kFar = static_cast<Integer>(1) << 62;  // so that no slice of it overflows
  for (const Integer number : {start, stop, step}) {
    if (number > kFar || number < -kFar) fail("a bound of a range is too large");
  }
  const Integer count = count_of_range(start, stop, step);
  if (count > static_cast<Integer>(kMaxRange)) too_much(concat("a range has more than ", kMaxRange, " items"));
  return RangePtr(std::make_shared<const Range>(Range{start, stop, step, static_cast<std::size_t>(count)}));
}

Value Heap::method(const Builtin& builtin, const Value& receiver) {
  return FunctionPtr(std::make_shared<const Function>(Function{&builtin, receiver, nested(&receiver, &receiver + 1)}));
}

void Heap::descend() {
  if (++depth_ > limits_.depth) too_much(concat("rendering nests more than ", limits_.depth, " levels deep"));
}

std::uint32_t Heap::checked_depth(std::uint32_t depth) {
  if (depth > kMaxNesting) fail("a value nests more than ", kMaxNesting, " levels deep");
  return depth;
}

}  // namespace attune::text::jinja
