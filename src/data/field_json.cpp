// See field_json.h.
#include "field_json.h"

#include <nlohmann/json.hpp>

namespace attune::data {

files::Json to_json(const Field& field) {
  using files::Json;
  switch (field.kind) {
    case Field::Kind::null:
      return nullptr;
    case Field::Kind::text:
      return field.text;
    case Field::Kind::list: {
      Json list = Json::array();
      for (const Field& item : field.items) list.push_back(to_json(item));
      return list;
    }
    case Field::Kind::object: {
      Json object = Json::object();
      for (std::size_t i = 0; i < field.items.size(); ++i) object[field.keys[i]] = to_json(field.items[i]);
      return object;
    }
    default:
      return Json::parse(field.text);
  }
}

}  // namespace attune::data
