// The texts of a prompt as a table: by key, in the options and in a wording.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "attune/prompt/options.h"
#include "attune/prompt/wordings.h"

namespace attune::prompt {

struct TextKey {
  const char* key;
  std::vector<std::string> Texts::* member;
  std::string Wording::* chosen;
};

inline constexpr std::array<TextKey, 7> kTextKeys = {{
    {"instruction", &Texts::instruction, &Wording::instruction},
    {"background", &Texts::background, &Wording::background},
    {"tone", &Texts::tone, &Wording::tone},
    {"header", &Texts::header, &Wording::header},
    {"input", &Texts::input, &Wording::input},
    {"answer", &Texts::answer, &Wording::answer},
    {"separator", &Texts::separator, &Wording::separator},
}};

}  // namespace attune::prompt
