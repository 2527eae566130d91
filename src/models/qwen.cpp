// See qwen.h.
#include "qwen.h"

namespace attune::models {

void read_qwen_windows(const ConfigReader& reader, ModelSpec& spec) {
  const bool used = reader.boolean("use_sliding_window", false);
  const auto window = used ? read_window(reader, 4096) : std::nullopt;
  const std::int64_t first = reader.whole("max_window_layers", 0, kMaxLayers, 28);
  const auto is_sliding = [&](std::int64_t i) { return window.has_value() && i >= first; };
  set_windows(reader, read_sliding(reader, spec, is_sliding), window, spec);
}

}  // namespace attune::models
