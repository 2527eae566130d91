// Which rows stand as examples in front of a row, without letting the row or what is held out into its own prompt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "attune/data/example.h"
#include "attune/prompt/options.h"

namespace attune::prompt {

/// Rows that may become examples: the training rows, without those that are forbidden. Rows have the same text when they
/// agree in lower case with every run of white space as one blank (data::comparable_text).
class ExamplePool {
 public:
  /// `examples` must outlive the pool.
  explicit ExamplePool(std::span<const data::Example> examples);

  /// Rows (indices into the examples) that may not be chosen, and with them all that have the same text: a held-out
  /// fold.
  void forbid(std::span<const std::int64_t> rows);
  /// The same for all rows with the text of one of these: validation and test rows.
  void forbid_texts_of(std::span<const data::Example> rows);

  const data::Example& operator[](std::size_t index) const { return examples_[index]; }
  std::size_t size() const { return examples_.size(); }
  /// Indices of the rows that are not forbidden, in order.
  const std::vector<std::size_t>& allowed() const { return allowed_; }
  /// The number of the row's class, classes counted in the order of their names; 0 for rows without one.
  std::size_t class_of(std::size_t index) const { return classes_[index]; }
  std::size_t classes() const { return class_count_; }
  /// The number of the row's text; rows of the pool with the same text share it.
  std::size_t text_of(std::size_t index) const { return texts_[index]; }
  /// The number of this row's text in the pool; nothing where no row of the pool has it.
  std::optional<std::size_t> find_text(const data::Example& row) const;

 private:
  void forbid_texts(const std::unordered_set<std::size_t>& texts);

  std::span<const data::Example> examples_;
  std::unordered_map<std::string, std::size_t> numbers_;  ///< of texts
  std::vector<std::size_t> texts_;
  std::vector<std::size_t> allowed_;
  std::vector<std::size_t> classes_;
  std::size_t class_count_ = 0;
};

/// Whether the examples, or their order, depend on the options' seed.
bool draws_examples(const FewShotOptions& options);

/// Indices of the examples for `row`, in the order in which they stand; fewer than options.k where the pool has no
/// more. Never a row with the text of `row`. What is drawn is a function of the options' seeds and, with
/// options.per_row, of row.row: other rows do not change it. `similarity` of the row to each of the pool (any scale) is
/// needed for `nearest` and `nearest_last`; Error{internal} without it. Equally similar rows stand in the pool's order.
std::vector<std::size_t> choose_examples(const ExamplePool& pool, const data::Example& row,
                                         const FewShotOptions& options, std::span<const float> similarity = {});

/// The examples themselves, for PromptWriter::write.
std::vector<const data::Example*> examples_at(const ExamplePool& pool, std::span<const std::size_t> indices);

}  // namespace attune::prompt
