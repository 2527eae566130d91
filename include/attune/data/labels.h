// The label map of a data set, what kind of target it has, and targets as ids.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "attune/data/example.h"
#include "attune/files/long_list.h"

namespace attune::data {

struct ReadReport;

enum class TargetKind { none, single, multi, value, tags, answers };

struct LabelMap {
  TargetKind kind = TargetKind::none;
  std::vector<std::string> names;  ///< by id; integers sort as numbers, other names by code point
  std::optional<std::int64_t> find(const std::string& name) const;
};

TargetKind kind_of(const Target& target);
/// "one class", "several classes", "a number", … for messages.
std::string describe(TargetKind kind);

/// Collects the labels of the training rows. Error{data} for rows of mixed kinds (it names two of them), for rows with
/// and without a label, and for classes of which all rows have the same one.
LabelMap collect_labels(const files::ListView<Example>& examples);

/// Pairs of names that differ only in case or blanks ("Billing", "billing "): probably one class that was spelt in two
/// ways.
std::vector<std::pair<std::string, std::string>> look_alike_names(const LabelMap& labels);

/// Targets of a row as ids of the map. Each throws Error{data} with the row and the nearest name where the map lacks a
/// name, and where the target is of another kind.
std::int64_t class_id(const LabelMap& labels, const Example& example);
std::vector<std::int64_t> tag_ids(const LabelMap& labels, const Example& example);
std::vector<float> multi_hot(const LabelMap& labels, const Example& example);  ///< [labels], 0 or 1
double value_of(const Example& example);

/// Checks evaluation rows against the labels of the training rows. A row with an unseen label or another kind of target
/// is an Error{data}, or with `on_bad_row` "skip" is removed and reported. Rows without a target pass.
void check_labels(std::vector<Example>& examples, const LabelMap& labels, const std::string& on_bad_row,
                  ReadReport& report);

}  // namespace attune::data
