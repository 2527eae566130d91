// What the config.json files of decoders have in common; each family's read function is a few of these.
#pragma once

#include <functional>
#include <optional>

#include "limits.h"
#include "rotary_config.h"
#include "zoo.h"

namespace attune::models {

/// What the family means where config.json lacks a key.
struct HeadDefaults {
  std::optional<std::int64_t> num_key_value_heads = {};  ///< nothing: as many as query heads (null always means that)
  std::optional<std::int64_t> head_dim = {};             ///< nothing: hidden size / heads
};

/// num_key_value_heads and head_dim; blocks scale by 1/√head_dim.
void read_heads(const ConfigReader& reader, ModelSpec& spec, const HeadDefaults& defaults = {});

/// As many key heads as query heads, which divide the hidden size between them; blocks scale by 1/√head_dim.
void set_equal_heads(const ConfigReader& reader, ModelSpec& spec);
/// All blocks multiply q·k by `scale`.
void set_attention_scale(double scale, ModelSpec& spec);

/// All blocks share one rotary table.
void read_shared_rotary(const ConfigReader& reader, ModelSpec& spec, const RotaryDefaults& defaults = {});

/// Which blocks attend to a window only: `layer_types`, or else `is_sliding(block)`.
std::vector<bool> read_sliding(const ConfigReader& reader, const ModelSpec& spec,
                               const std::function<bool(std::int64_t)>& is_sliding);
/// Gives these blocks the window. Error{model} when there is none but a block needs it.
void set_windows(const ConfigReader& reader, const std::vector<bool>& sliding, std::optional<std::int64_t> window,
                 ModelSpec& spec);
/// sliding_window; null = none.
std::optional<std::int64_t> read_window(const ConfigReader& reader, std::optional<std::int64_t> if_absent);

/// `attention_bias` of config.json holds for queries, keys, values and the output.
void read_attention_bias(const ConfigReader& reader, bool if_absent, ModelSpec& spec);

/// Error{model} when the key is true: the network has no such computation.
void refuse_if_true(const ConfigReader& reader, std::string_view key);

}  // namespace attune::models
