// What a verification found.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/files/json.h"

namespace attune::study {

class Findings {
 public:
  /// Something is no longer as it was.
  void differ(std::string sentence) { differences_.push_back(std::move(sentence)); }
  /// Something is equal up to rounding, but not to the bit.
  void round() { is_bit_equal_ = false; }
  void check(std::string sentence) { checked_.push_back(std::move(sentence)); }
  void leave_out(std::string sentence) { not_checked_.push_back(std::move(sentence)); }

  /// Leaves of two JSON values. Numbers may differ by `tolerance` times the larger of 1 and their size. At most five
  /// differences of one call are told.
  void compare(const files::Json& recorded, const files::Json& now, const std::string& path, double tolerance);

  /// What another one found, behind what is known.
  void add(const Findings& other);

  bool holds() const { return differences_.empty(); }
  /// {"verdict", "differences", "checked", "not_checked"}.
  files::Json to_json() const;

 private:
  std::vector<std::string> differences_, checked_, not_checked_;
  bool is_bit_equal_ = true;
};

}  // namespace attune::study
