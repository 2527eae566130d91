// JSON as values of a template.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "template_heap.h"

namespace attune::text::jinja {

Value to_value(Heap& heap, const nlohmann::ordered_json& json);

}  // namespace attune::text::jinja
