// See template_variables.h.
#include "template_variables.h"

#include <nlohmann/json.hpp>

#include "attune/base/utf8.h"
#include "template_fault.h"

namespace attune::text::jinja {

namespace {

Value to_text_value(Heap& heap, const std::string& text) {
  if (find_invalid_utf8(text)) throw Fault{ErrorKind::data, "a text among the variables is not valid UTF-8", ""};
  return heap.text(text);
}

}  // namespace

Value to_value(Heap& heap, const nlohmann::ordered_json& json) {
  using Type = nlohmann::ordered_json::value_t;
  const Heap::Descent level(heap);
  heap.charge();
  switch (json.type()) {
    case Type::boolean:
      return json.get<bool>();
    case Type::number_integer:
      return static_cast<Integer>(json.get<std::int64_t>());
    case Type::number_unsigned:
      return static_cast<Integer>(json.get<std::uint64_t>());
    case Type::number_float:
      return json.get<double>();
    case Type::string:
      return to_text_value(heap, json.get_ref<const std::string&>());
    case Type::array: {
      std::vector<Value> items;
      for (const auto& item : json) items.push_back(to_value(heap, item));
      return heap.list(std::move(items));
    }
    case Type::object: {
      Dict entries;
      for (auto member = json.begin(); member != json.end(); ++member) {
        Value key = to_text_value(heap, member.key());
        entries.set(std::move(key), to_value(heap, member.value()));
      }
      return heap.dict(std::move(entries));
    }
    default:
      return Value();
  }
}

}  // namespace attune::text::jinja
