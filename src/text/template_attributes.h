// object.name and object[key], as Jinja's immutable sandbox looks them up.
#pragma once

#include <string_view>

#include "template_heap.h"

namespace attune::text::jinja {

/// object.name: Python's attribute, else the item. An undefined value when there is neither; Fault on an undefined one.
Value attribute(Heap& heap, const Value& object, std::string_view name);
/// |attr: the attribute alone.
Value attribute_only(Heap& heap, const Value& object, std::string_view name);
/// object[key]: the item, else the attribute.
Value item(Heap& heap, const Value& object, const Value& key);

}  // namespace attune::text::jinja
