// Entity scores of token labels, equal to seqeval's default mode (the conlleval rules, lenient about ill-formed tags).
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "attune/metrics/values.h"

namespace attune::metrics {

/// One entity: its type and its first and last tag.
struct Entity {
  std::string type;
  std::size_t first;
  std::size_t last;
  auto operator<=>(const Entity&) const = default;
};

/// Entities of one sequence of tags (B-, I-, E-, S- with a type, O). An I- that does not continue its type opens an
/// entity; a tag without a type has type "_".
std::vector<Entity> find_entities(std::span<const std::string> tags);

struct EntityScores {
  double precision = 0;
  double recall = 0;
  double f1 = 0;
  double support = 0;  ///< gold entities
};

struct EntityReport {
  /// precision · recall · f1 (micro over entities) · f1_macro · f1_weighted (over types) · accuracy (of tags)
  Values values;
  std::map<std::string, EntityScores> per_type;
};

/// Counts each sequence once, so that many weightings (bootstrap resamples) are cheap.
class EntityScorer {
 public:
  /// `gold` and `predicted` [sequences][tags], equally long. Throws Error{internal} otherwise.
  EntityScorer(std::span<const std::vector<std::string>> gold, std::span<const std::vector<std::string>> predicted);

  /// `weights` [sequences], or empty for 1 each. 0 where a denominator is 0; NaN without any tag.
  EntityReport report(std::span<const double> weights = {}) const;
  std::size_t sequences() const { return counts_.size(); }

 private:
  /// Entities of one type in one sequence.
  struct TypeCounts {
    std::size_t type;  ///< index into types_
    double hit = 0;
    double gold = 0;
    double predicted = 0;
  };
  struct SequenceCounts {
    std::vector<TypeCounts> types;
    double tags = 0;
    double right_tags = 0;
  };
  std::vector<TypeCounts> count_types(const std::set<Entity>& gold, const std::set<Entity>& predicted) const;

  std::vector<std::string> types_;  ///< sorted
  std::vector<SequenceCounts> counts_;
};

}  // namespace attune::metrics
