// See decoder_config.h.
#include "decoder_config.h"

#include <algorithm>
#include <cmath>

#include "attune/base/strings.h"

namespace attune::models {

void read_heads(const ConfigReader& reader, ModelSpec& spec, const HeadDefaults& defaults) {
  DecoderSpec& decoder = spec.decoder;
  const auto key_heads = reader.whole_or_none("num_key_value_heads", 1, kMaxWidth, defaults.num_key_value_heads);
  decoder.num_key_value_heads = key_heads.value_or(spec.num_attention_heads);
  if (spec.num_attention_heads % decoder.num_key_value_heads != 0) {
    reader.fail("num_key_value_heads", concat(decoder.num_key_value_heads, " key heads do not divide ",
                                              spec.num_attention_heads, " query heads"));
  }
  const auto size = reader.whole_or_none("head_dim", 1, kMaxWidth, defaults.head_dim);
  if (!size) check_heads_divide(reader, spec);
  decoder.head_dim = size.value_or(spec.hidden_size / spec.num_attention_heads);
  set_attention_scale(1.0 / std::sqrt(static_cast<double>(decoder.head_dim)), spec);
}

void set_equal_heads(const ConfigReader& reader, ModelSpec& spec) {
  check_heads_divide(reader, spec);
  spec.decoder.num_key_value_heads = spec.num_attention_heads;
  spec.decoder.head_dim = spec.hidden_size / spec.num_attention_heads;
  set_attention_scale(1.0 / std::sqrt(static_cast<double>(spec.decoder.head_dim)), spec);
}

void set_attention_scale(double scale, ModelSpec& spec) {
  spec.decoder.layers.resize(static_cast<std::size_t>(spec.num_hidden_layers));
  for (DecoderLayer& layer : spec.decoder.layers) layer.attention_scale = scale;
}

void read_shared_rotary(const ConfigReader& reader, ModelSpec& spec, const RotaryDefaults& defaults) {
  spec.decoder.rotary = {read_rotary(reader, spec, defaults)};
  for (DecoderLayer& layer : spec.decoder.layers) layer.rotary = 0;
}

std::vector<bool> read_sliding(const ConfigReader& reader, const ModelSpec& spec,
                               const std::function<bool(std::int64_t)>& is_sliding) {
  const auto blocks = static_cast<std::size_t>(spec.num_hidden_layers);
  std::vector<bool> sliding;
  if (!reader.has("layer_types")) {
    for (std::int64_t i = 0; i < spec.num_hidden_layers; ++i) sliding.push_back(is_sliding(i));
    return sliding;
  }
  for (const std::string& type : reader.texts("layer_types", blocks)) {
    if (type != "sliding_attention" && type != "full_attention") {
      reader.fail("layer_types", concat("found '", type, "', expected sliding_attention or full_attention"));
    }
    sliding.push_back(type == "sliding_attention");
  }
  return sliding;
}

void set_windows(const ConfigReader& reader, const std::vector<bool>& sliding, std::optional<std::int64_t> window,
                 ModelSpec& spec) {
  const bool needed = std::find(sliding.begin(), sliding.end(), true) != sliding.end();
  if (needed && !window) reader.fail("sliding_window", "there is no window, but layers that attend to one");
  for (std::size_t i = 0; i < sliding.size(); ++i) {
    if (sliding[i]) spec.decoder.layers[i].window = *window;
  }
}

std::optional<std::int64_t> read_window(const ConfigReader& reader, std::optional<std::int64_t> if_absent) {
  return reader.whole_or_none("sliding_window", 1, kMaxPositions, if_absent);
}

void read_attention_bias(const ConfigReader& reader, bool if_absent, ModelSpec& spec) {
  spec.decoder.query_key_value_bias = reader.boolean("attention_bias", if_absent);
  spec.decoder.attention_output_bias = spec.decoder.query_key_value_bias;
}

void refuse_if_true(const ConfigReader& reader, std::string_view key) {
  if (reader.boolean(key, false)) {
    reader.fail(key, "found true, which changes the computation in a way that attune does not follow");
  }
}

}  // namespace attune::models
