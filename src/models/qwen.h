// What Qwen2 and Qwen3 share.
#pragma once

#include "llama.h"

namespace attune::models {

/// Where use_sliding_window says so, the blocks from max_window_layers on attend to a window.
void read_qwen_windows(const ConfigReader& reader, ModelSpec& spec);

}  // namespace attune::models
