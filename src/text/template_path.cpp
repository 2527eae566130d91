// See template_path.h.
#include "template_path.h"

#include "python_text.h"
#include "template_attributes.h"

namespace attune::text::jinja {

AttributePath::AttributePath(Heap& heap, const Value* attribute, const Value* fallback) : heap_(heap) {
  if (fallback != nullptr) fallback_ = *fallback;
  if (attribute == nullptr || attribute->is<None>()) return;
  const auto* path = attribute->as<Text>();
  if (path == nullptr) {
    parts_.push_back(*attribute);
    return;
  }
  for (const std::string_view part : split_at(**path, ".", -1)) {
    const auto index = is_class(part, TextClass::digit) ? parse_integer(part, 10) : std::nullopt;
    parts_.push_back(index ? Value(*index) : heap.text(std::string(part)));
  }
}

Value AttributePath::of(const Value& item) const {
  Value value = item;
  for (const Value& part : parts_) {
    value = jinja::item(heap_, value, part);
    if (value.is<Undefined>() && !fallback_.is<None>()) value = fallback_;
  }
  return value;
}

Value AttributePath::of_ignoring_case(const Value& item) const {
  return ignoring_case(heap_, of(item));
}

Value ignoring_case(Heap& heap, const Value& value) {
  const auto* text = value.as<Text>();
  if (text == nullptr) return value;
  heap.charge_reading((*text)->size());
  return heap.text(to_lower(**text), text->markup);
}

}  // namespace attune::text::jinja
