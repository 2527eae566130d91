// Chat templates for checkpoints that have none of their own.
#pragma once

#include <string_view>

namespace attune::text {

/// "chatml": each message between <|im_start|>role and <|im_end|>. "alpaca": the prompt of Stanford Alpaca, with further
/// turns under the same headings. Both mark what the assistant says, its end included. "" for other names.
std::string_view built_in_template(std::string_view name);

}  // namespace attune::text
