// How a part of tokenizer.json is made from its "type": an explicit table per kind of part.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "attune/base/strings.h"
#include "json_node.h"

namespace attune::text {

template <typename Part>
struct PartRow {
  std::string_view type;
  std::unique_ptr<Part> (*make)(const JsonNode& node);
};

template <typename Part, typename Made>
std::unique_ptr<Part> make_part(const JsonNode& node) {
  if constexpr (std::is_constructible_v<Made, const JsonNode&>) {
    return std::make_unique<Made>(node);
  } else {
    return std::make_unique<Made>();
  }
}

/// A part that we do not have is an error, never skipped: the ids would be wrong without a word.
template <typename Part>
std::unique_ptr<Part> make_from_table(const JsonNode& node, std::type_identity_t<std::span<const PartRow<Part>>> rows,
                                      std::string_view kind) {
  const std::string& type = node.type();
  std::vector<std::string> known;
  for (const auto& row : rows) {
    if (row.type == type) return row.make(node);
    known.emplace_back(row.type);
  }
  node.at("type").fail(concat("the ", kind, " '", type, "' is not supported yet"),
                       "supported are " + join(known, ", "));
}

}  // namespace attune::text
