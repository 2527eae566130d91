// The label map of a data set and what kind of target it has.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "attune/data/example.h"

namespace attune::data {

enum class TargetKind { none, single, multi, value, tags, answers };

struct LabelMap {
  TargetKind kind = TargetKind::none;
  std::vector<std::string> names;  ///< by id; integers sort as numbers, other names by code point
  std::optional<std::int64_t> find(const std::string& name) const;
};

/// Collects the labels of the training rows. Rows of mixed kinds are an Error{data} that names two of them.
LabelMap collect_labels(std::span<const Example> examples);

}  // namespace attune::data
