// The argument `attribute` of filters: "name", "a.b.0", 0.
#pragma once

#include <vector>

#include "template_heap.h"

namespace attune::text::jinja {

class AttributePath {
 public:
  /// A null or None `attribute` is the item itself; a `fallback` that is not None stands for undefined parts.
  AttributePath(Heap& heap, const Value* attribute, const Value* fallback = nullptr);

  Value of(const Value& item) const;
  Value of_ignoring_case(const Value& item) const;

 private:
  Heap& heap_;
  std::vector<Value> parts_;
  Value fallback_;
};

/// A str in lower case; anything else as it is.
Value ignoring_case(Heap& heap, const Value& value);

}  // namespace attune::text::jinja
