// See labels.h.
#include "attune/data/labels.h"

#include <algorithm>
#include <map>
#include <set>

#include "attune/base/strings.h"
#include "attune/data/read.h"
#include "attune/data/record.h"

namespace attune::data {

namespace {

bool is_integer(std::string_view name) {
  if (name.starts_with('-')) name.remove_prefix(1);
  return !name.empty() && name.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Sorts integers as numbers of any length; equal numbers of different spelling ("7", "07") by spelling.
bool integer_less(const std::string& a, const std::string& b) {
  const auto key = [](std::string_view name) {
    const bool negative = name.starts_with('-');
    if (negative) name.remove_prefix(1);
    name.remove_prefix(std::min(name.find_first_not_of('0'), name.size() - 1));
    return std::pair(negative, name);
  };
  const auto [a_negative, a_digits] = key(a);
  const auto [b_negative, b_digits] = key(b);
  if (a_negative != b_negative) return a_negative;
  if (a_digits == b_digits) return a < b;
  const bool magnitude_less =
      a_digits.size() != b_digits.size() ? a_digits.size() < b_digits.size() : a_digits < b_digits;
  return magnitude_less != a_negative;
}

/// UTF-8 sorts by code point when it sorts by byte.
std::vector<std::string> sorted_names(const std::set<std::string>& found) {
  std::vector<std::string> names(found.begin(), found.end());
  if (std::all_of(names.begin(), names.end(), is_integer)) std::sort(names.begin(), names.end(), integer_less);
  return names;
}

template <class Visit>
void for_each_name(const Target& target, Visit visit) {
  if (const auto* label = std::get_if<ClassLabel>(&target)) visit(label->name);
  if (const auto* set = std::get_if<LabelSet>(&target)) std::for_each(set->names.begin(), set->names.end(), visit);
  if (const auto* tags = std::get_if<TokenTags>(&target)) std::for_each(tags->tags.begin(), tags->tags.end(), visit);
}

std::int64_t id_of(const LabelMap& labels, const std::string& name, const Example& example) {
  if (const auto id = labels.find(name)) return *id;
  throw BadRow(example.origin,
               concat("the label ", in_quotes(name), " does not occur among the labels of the model",
                      did_you_mean(name, labels.names)),
               "labels: " + list_names(labels.names),
               "correct it, or have rows with this label among the training rows");
}

void check_kind(TargetKind wanted, const Example& example) {
  const TargetKind found = kind_of(example.target);
  if (found == wanted) return;
  throw BadRow(example.origin, concat("the label is ", describe(found), ", ", describe(wanted), " was expected"));
}

std::string where(const Origin& origin) {
  return concat(origin.file, ":", origin.line);
}

void check_same_kind(const Example& example, const Example& first) {
  const TargetKind kind = kind_of(first.target), other = kind_of(example.target);
  if (other == kind) return;
  throw BadRow(example.origin,
               concat("the label is ", describe(other), ", but ", describe(kind), " at ", where(first.origin)), "",
               "give all rows the same kind of label, or set data.labels");
}

}  // namespace

std::optional<std::int64_t> LabelMap::find(const std::string& name) const {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return found - names.begin();
}

static_assert(std::variant_size_v<Target> == static_cast<std::size_t>(TargetKind::answers) + 1);

TargetKind kind_of(const Target& target) {
  return static_cast<TargetKind>(target.index());
}

std::string describe(TargetKind kind) {
  switch (kind) {
    case TargetKind::none:
      return "missing";
    case TargetKind::single:
      return "one class";
    case TargetKind::multi:
      return "a list of classes";
    case TargetKind::value:
      return "a number";
    case TargetKind::tags:
      return "a tag for each word";
    case TargetKind::answers:
      return "answers";
  }
  internal_error("unknown kind of target");
}

LabelMap collect_labels(const files::ListView<Example>& examples) {
  if (examples.empty()) return {};
  const std::shared_ptr<const Example> first = examples.get(0);
  std::set<std::string> found;
  examples.for_each([&](const Example& example) {
    check_same_kind(example, *first);
    for_each_name(example.target, [&](const std::string& name) { found.insert(name); });
  });
  const LabelMap labels{kind_of(first->target), sorted_names(found)};
  if (labels.kind == TargetKind::single && labels.names.size() == 1) {
    throw Error(ErrorKind::data,
                {.file = first->origin.file,
                 .what = concat("all ", examples.size(), " rows have the label ", in_quotes(labels.names.front()),
                                ", two classes or more were expected"),
                 .where = "",
                 .hint = "check which column data.columns.label names"});
  }
  if (labels.kind == TargetKind::multi && labels.names.empty()) {
    throw Error(ErrorKind::data, {.file = first->origin.file,
                                  .what = "no row has a label",
                                  .where = "",
                                  .hint = "check which column data.columns.label names"});
  }
  return labels;
}

std::vector<std::pair<std::string, std::string>> look_alike_names(const LabelMap& labels) {
  std::map<std::string, std::string> seen;
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& name : labels.names) {
    std::string plain;
    for (const char c : to_lower_ascii(name)) {
      if (c != ' ' && c != '\t' && c != '_' && c != '-') plain += c;
    }
    if (is_integer(name)) continue;
    const auto [place, is_new] = seen.emplace(plain, name);
    if (!is_new) pairs.emplace_back(place->second, name);
  }
  return pairs;
}

std::int64_t class_id(const LabelMap& labels, const Example& example) {
  check_kind(TargetKind::single, example);
  return id_of(labels, std::get<ClassLabel>(example.target).name, example);
}

std::vector<std::int64_t> tag_ids(const LabelMap& labels, const Example& example) {
  check_kind(TargetKind::tags, example);
  std::vector<std::int64_t> ids;
  for_each_name(example.target, [&](const std::string& name) { ids.push_back(id_of(labels, name, example)); });
  return ids;
}

std::vector<float> multi_hot(const LabelMap& labels, const Example& example) {
  check_kind(TargetKind::multi, example);
  std::vector<float> hot(labels.names.size());
  for_each_name(example.target,
                [&](const std::string& name) { hot[static_cast<std::size_t>(id_of(labels, name, example))] = 1.0f; });
  return hot;
}

double value_of(const Example& example) {
  check_kind(TargetKind::value, example);
  return std::get<Value>(example.target).value;
}

void check_labels(std::vector<Example>& examples, const LabelMap& labels, const std::string& on_bad_row,
                  ReadReport& report) {
  const auto is_bad = [&](const Example& example) {
    try {
      if (kind_of(example.target) == TargetKind::none) return false;
      check_kind(labels.kind, example);
      for_each_name(example.target, [&](const std::string& name) { id_of(labels, name, example); });
      return false;
    } catch (const BadRow& error) {
      if (on_bad_row != "skip") throw;
      report.add_skipped({.origin = error.origin(), .message = error.what()});
      --report.rows;
      return true;
    }
  };
  std::erase_if(examples, is_bad);
}

}  // namespace attune::data
