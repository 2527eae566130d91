// What config.json says about rotary positions: v5's rope_parameters, or v4's rope_scaling beside rope_theta.
#pragma once

#include <optional>

#include "config_reader.h"
#include "zoo.h"

namespace attune::models {

struct RotaryDefaults {
  std::string_view theta_key = "rope_theta";  ///< v4's, beside the object
  double theta = 10000.0;
  std::string_view share_key = "partial_rotary_factor";
  double share = 1.0;           ///< of a head's features that turn
  bool may_turn_share = false;  ///< the family's network can leave some features as they are
  /// Wins over what the object says (the reference prefers a key beside it).
  std::optional<std::int64_t> original_positions = {};
};

/// Error{model} for a type that nn::RotaryScaling lacks, with the known ones.
nn::RotarySpec read_rotary(const ConfigReader& reader, const ModelSpec& spec, RotaryDefaults defaults = {});

/// The same from one object in v5's spelling; what it lacks is taken from `defaults`.
nn::RotarySpec read_rotary_object(const ConfigReader& object, const ModelSpec& spec, const RotaryDefaults& defaults);

}  // namespace attune::models
