// See cutting.h.
#include "cutting.h"

#include <algorithm>
#include <array>

namespace attune::text {

Behavior read_behavior(const JsonNode& node) {
  constexpr std::array<std::string_view, 5> kNames = {"Removed", "Isolated", "MergedWithPrevious", "MergedWithNext",
                                                      "Contiguous"};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == node.string()) return static_cast<Behavior>(i);
  }
  node.fail("found '" + node.string() +
            "', expected Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous");
}

void join_stretches(const std::vector<Stretch>& stretches, Behavior behavior, std::vector<Piece>& out) {
  const auto merge = [&](auto begin, auto end, auto absorbs) {
    for (auto at = begin; at != end; ++at) absorbs(*at, at != begin ? &*(at - 1) : nullptr);
  };
  switch (behavior) {
    case Behavior::removed:
      for (const Stretch& stretch : stretches) {
        if (!stretch.delimiter) out.push_back({stretch.span});
      }
      return;
    case Behavior::isolated:
      for (const Stretch& stretch : stretches) out.push_back({stretch.span});
      return;
    case Behavior::contiguous:
      merge(stretches.begin(), stretches.end(), [&](const Stretch& stretch, const Stretch* before) {
        if (before != nullptr && before->delimiter == stretch.delimiter && !out.empty()) {
          out.back().span.end = stretch.span.end;
        } else {
          out.push_back({stretch.span});
        }
      });
      return;
    case Behavior::merged_with_previous:
      merge(stretches.begin(), stretches.end(), [&](const Stretch& stretch, const Stretch* before) {
        if (stretch.delimiter && before != nullptr && !before->delimiter) {
          out.back().span.end = stretch.span.end;
        } else {
          out.push_back({stretch.span});
        }
      });
      return;
    case Behavior::merged_with_next: {
      const auto first = static_cast<std::ptrdiff_t>(out.size());
      merge(stretches.rbegin(), stretches.rend(), [&](const Stretch& stretch, const Stretch* behind) {
        if (stretch.delimiter && behind != nullptr && !behind->delimiter) {
          out.back().span.begin = stretch.span.begin;
        } else {
          out.push_back({stretch.span});
        }
      });
      std::reverse(out.begin() + first, out.end());
      return;
    }
  }
}

}  // namespace attune::text
