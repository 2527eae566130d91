// See rotary_config.h. Formulas: Transformers' modeling_rope_utils.py.
#include "rotary_config.h"

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "attune/base/strings.h"
#include "limits.h"

namespace attune::models {

namespace {

using nn::RotaryScaling;
using nn::RotarySpec;

constexpr double kLargest = 1e12;  ///< of bases and factors

struct Type {
  std::string_view name;
  RotaryScaling scaling;
};
constexpr std::array kTypes{Type{"default", RotaryScaling::none},      Type{"linear", RotaryScaling::linear},
                            Type{"dynamic", RotaryScaling::dynamic},   Type{"yarn", RotaryScaling::yarn},
                            Type{"longrope", RotaryScaling::longrope}, Type{"su", RotaryScaling::longrope},
                            Type{"llama3", RotaryScaling::llama3}};

RotaryScaling read_type(const ConfigReader& reader) {
  const std::string_view key = reader.has("rope_type") ? "rope_type" : "type";
  const std::string name = reader.text(key, "default");
  std::vector<std::string> known;
  for (const Type& type : kTypes) {
    if (type.name == name) return type.scaling;
    known.emplace_back(type.name);
  }
  reader.fail(key, concat("attune does not know the rotary scaling '", name, "'"),
              "known types are " + join(known, ", "));
}

/// 0.1 · weight · ln(factor) + 1: how much YaRN enlarges queries and keys.
double yarn_magnitude(double factor, double weight) {
  return factor <= 1.0 ? 1.0 : 0.1 * weight * std::log(factor) + 1.0;
}

void read_yarn(const ConfigReader& reader, RotarySpec& rotary) {
  rotary.beta_fast = reader.number("beta_fast", 0.0, kLargest, 32.0);
  rotary.beta_slow = reader.number("beta_slow", 0.0, kLargest, 1.0);
  if (rotary.beta_fast == 0.0) rotary.beta_fast = 32.0;  // as the reference reads 0
  if (rotary.beta_slow == 0.0) rotary.beta_slow = 1.0;
  rotary.truncate = reader.boolean("truncate", true);
  const double weight = reader.number("mscale", 0.0, kLargest, 0.0);
  const double all = reader.number("mscale_all_dim", 0.0, kLargest, 0.0);
  const double usual = weight > 0.0 && all > 0.0
                           ? yarn_magnitude(rotary.factor, weight) / yarn_magnitude(rotary.factor, all)
                           : yarn_magnitude(rotary.factor, 1.0);
  rotary.attention_factor = reader.number("attention_factor", 0.0, kLargest, usual);
}

void read_longrope(const ConfigReader& reader, RotarySpec& rotary) {
  const auto pairs = static_cast<std::size_t>(rotary.pairs());
  rotary.short_factors = reader.numbers("short_factor", pairs);
  rotary.long_factors = reader.numbers("long_factor", pairs);
  const double original = static_cast<double>(rotary.original_positions);
  const double usual = rotary.factor <= 1.0 ? 1.0 : std::sqrt(1.0 + std::log(rotary.factor) / std::log(original));
  rotary.attention_factor = reader.number("attention_factor", 0.0, kLargest, usual);
}

void read_llama3(const ConfigReader& reader, RotarySpec& rotary) {
  rotary.low_frequency_factor = reader.number("low_freq_factor", 1e-6, kLargest);
  rotary.high_frequency_factor = reader.number("high_freq_factor", 1e-6, kLargest);
  if (rotary.high_frequency_factor == rotary.low_frequency_factor) {
    reader.fail("high_freq_factor", "it equals low_freq_factor, by whose distance the blend divides");
  }
}

void read_scaling(const ConfigReader& reader, RotarySpec& rotary) {
  const double stretched = static_cast<double>(rotary.max_positions) / static_cast<double>(rotary.original_positions);
  const bool may_lack = rotary.scaling == RotaryScaling::longrope || rotary.scaling == RotaryScaling::yarn;
  rotary.factor =
      may_lack ? reader.number("factor", 1e-6, kLargest, stretched) : reader.number("factor", 1e-6, kLargest);
  switch (rotary.scaling) {
    case RotaryScaling::yarn:
      return read_yarn(reader, rotary);
    case RotaryScaling::longrope:
      return read_longrope(reader, rotary);
    case RotaryScaling::llama3:
      return read_llama3(reader, rotary);
    default:
      return;
  }
}

/// How many features turn; where frequencies are scaled their number must be even and leave the formulas finite.
std::int64_t turned_features(const ConfigReader& reader, const ModelSpec& spec, const RotaryDefaults& defaults,
                             RotaryScaling scaling) {
  constexpr std::string_view kKey = "partial_rotary_factor";
  const double share = reader.number(kKey, 0.0, 1.0, defaults.share);
  if (share != 1.0 && !defaults.may_turn_share) {
    reader.fail(kKey, concat("found ", format_number(share), ", but ", spec.model_type, " turns all of a head"));
  }
  const std::int64_t head = spec.decoder.head_dim;
  const auto size = static_cast<std::int64_t>(static_cast<double>(head) * share);
  const bool odd = size % 2 != 0 && (size == head || scaling != RotaryScaling::none);
  if (size < 1 || odd || (scaling == RotaryScaling::dynamic && size <= 2)) {
    reader.fail(kKey, concat("rotary positions would turn ", size, " of the ", head,
                             " features of a head, which this type cannot do"));
  }
  return size;
}

}  // namespace

nn::RotarySpec read_rotary_object(const ConfigReader& object, const ModelSpec& spec, const RotaryDefaults& defaults) {
  RotarySpec rotary;
  rotary.scaling = read_type(object);
  rotary.size = turned_features(object, spec, defaults, rotary.scaling);
  rotary.theta = object.number("rope_theta", 1e-6, kLargest, defaults.theta);
  rotary.max_positions = spec.max_position_embeddings;
  rotary.original_positions = defaults.original_positions.value_or(
      object.whole("original_max_position_embeddings", 1, kMaxPositions, spec.max_position_embeddings));
  if (rotary.scaling != RotaryScaling::none) read_scaling(object, rotary);
  return rotary;
}

nn::RotarySpec read_rotary(const ConfigReader& reader, const ModelSpec& spec, RotaryDefaults defaults) {
  defaults.theta = reader.number(defaults.theta_key, 1e-6, kLargest, defaults.theta);
  defaults.share = reader.number(defaults.share_key, 0.0, 1.0, defaults.share);
  if (reader.has("original_max_position_embeddings")) {
    defaults.original_positions = reader.whole("original_max_position_embeddings", 1, kMaxPositions);
  }
  const std::string_view key = reader.has("rope_scaling") ? "rope_scaling" : "rope_parameters";
  static const files::Json kNothing = files::Json::object();
  return read_rotary_object(reader.has(key) ? reader.below(key) : ConfigReader(kNothing, reader.file()), spec,
                            defaults);
}

}  // namespace attune::models
