// See data_summary.h.
#include "job/data_summary.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/strings.h"

namespace attune::job {

namespace {

/// "the first: chats.jsonl:7"
std::string first_place(const data::Example& example) {
  return concat("the first: ", example.origin.file, ":", example.origin.line);
}

}  // namespace

std::vector<std::pair<const char*, Rows*>> named_splits(Prepared& prepared) {
  return {{"train", &prepared.train}, {"validation", &prepared.validation}, {"test", &prepared.test}};
}

files::Json duplicates_of(std::span<const data::NamedSplit> splits) {
  files::Json found;
  for (const data::Overlap& overlap : data::find_overlaps(splits)) {
    found.push_back({{"between", {overlap.first, overlap.second}},
                     {"rows", overlap.rows},
                     {"other_label", overlap.conflicts},
                     {"message", overlap.message()}});
    if (overlap.first != overlap.second || overlap.conflicts > 0) log::warning(overlap.message());
  }
  return found;
}

void summarise_overlap(Prepared& prepared) {
  std::vector<data::NamedSplit> splits;
  for (const auto& [name, rows] : named_splits(prepared)) {
    if (!rows->empty()) splits.push_back({.name = name, .examples = rows->examples});
  }
  const files::Json found = duplicates_of(splits);
  if (!found.is_null()) prepared.data_summary["duplicates"] = found;
}

void summarise_labels(Prepared& prepared) {
  const auto prompts = static_cast<std::int64_t>(prepared.prompts_a_row());
  std::map<std::string, std::int64_t> counts;
  prepared.train.examples.for_each([&](const data::Example& example) {
    if (const auto* label = std::get_if<data::ClassLabel>(&example.target)) ++counts[label->name];
    if (const auto* set = std::get_if<data::LabelSet>(&example.target)) {
      for (const std::string& name : set->names) ++counts[name];
    }
  });
  for (const std::string& name : prepared.labels.names) {
    if (counts.contains(name)) prepared.data_summary["labels"][name] = counts[name] / prompts;
  }
}

void summarise_lengths(Prepared& prepared) {
  std::vector<std::uint32_t> lengths = task::lengths_of(prepared.train.encoded);
  if (lengths.empty()) return;
  std::sort(lengths.begin(), lengths.end());
  std::size_t sum = 0;
  for (const std::size_t length : lengths) sum += length;
  const auto at_limit = static_cast<std::size_t>(std::count_if(lengths.begin(), lengths.end(), [&](std::size_t n) {
    return !prepared.asks_labels() && static_cast<std::int64_t>(n) >= prepared.options.data.max_length;
  }));
  prepared.data_summary["tokens"] = {{"mean", static_cast<double>(sum) / static_cast<double>(lengths.size())},
                                     {"median", lengths[lengths.size() / 2]},
                                     {"longest", lengths.back()},
                                     {"rows_at_max_length", at_limit}};
}

const char* thing_of(std::span<const task::Encoded> rows) {
  return std::ranges::any_of(rows, [](const task::Encoded& row) { return row.window > 0; }) ? "window" : "row";
}

files::Json tell_of_cuts(const std::string& name, const Rows& rows, std::int64_t max_length) {
  std::vector<std::uint32_t> windows(rows.examples.size(), 0);
  std::vector<bool> is_cut(rows.examples.size(), false);
  rows.encoded.for_each([&](const task::Encoded& row) {
    ++windows[static_cast<std::size_t>(row.example)];
    const bool cut = row.cut > 0 || (row.prompt && row.prompt->cut > 0);
    if (cut) is_cut[static_cast<std::size_t>(row.example)] = true;
  });
  const auto truncated = std::count(is_cut.begin(), is_cut.end(), true);
  const auto dropped = std::count(windows.begin(), windows.end(), 0u);
  const auto split = std::count_if(windows.begin(), windows.end(), [](std::uint32_t n) { return n > 1; });
  files::Json counts = files::Json::object();
  const auto tell = [&](const char* key, std::int64_t count, const char* what, std::ptrdiff_t first) {
    if (count == 0) return;
    counts[key] = count;
    log::warning(concat(name, ": ", count, " of ", windows.size(), " rows are longer than data.max_length (", max_length, " tokens) and ",
                        what, " (data.length_policy; ", first_place(*rows.examples.get(static_cast<std::size_t>(first))), ")"));
  };
  tell("truncated", truncated, "were cut", std::find(is_cut.begin(), is_cut.end(), true) - is_cut.begin());
  tell("dropped", dropped, "were left out", std::find(windows.begin(), windows.end(), 0u) - windows.begin());
  if (split > 0) {
    counts["split"] = split;
    log::info(concat(
        name, ": ", split, " of ", windows.size(), " rows are longer than data.max_length; they make ",
        rows.encoded.size() - static_cast<std::size_t>(static_cast<std::int64_t>(windows.size()) - split - dropped),
        " windows"));
  }
  if (!rows.empty() && rows.encoded.empty()) {
    throw Error(ErrorKind::data, {.file = rows.examples.get(0)->origin.file,
                                  .what = concat("no row of ", name, " is short enough"),
                                  .where = "data.max_length",
                                  .hint = "raise data.max_length or change data.length_policy"});
  }
  return counts;
}

namespace {

/// Prompts that end inside a token: what is learned then never follows the prompt that is given at generation.
void warn_of_joined_prompts(Prepared& prepared, const char* name, const Rows* rows) {
  std::int64_t joined = 0, first = 0;
  rows->encoded.for_each([&](const task::Encoded& row) {
    if (!row.joined || row.window != 0) return;
    if (joined++ == 0) first = row.example;
  });
  if (joined == 0) return;
  prepared.data_summary["splits"][name]["joined_prompts"] = joined;
  log::warning(
      concat(name, ": in ", joined, " of ", rows->examples.size(),
             " rows a token holds the end of the prompt and the beginning of the completion (", first_place(*rows->examples.get(static_cast<std::size_t>(first))),
             "), so that a prompt given alone is read otherwise: end prompts (data.template) with a line break, or without a blank"));
}

/// An answer of nothing is learned like any other: the model is taught to be silent.
void warn_of_empty_answers(Prepared& prepared, const char* name, const Rows* rows) {
  std::int64_t silent = 0;
  std::string first;
  rows->examples.for_each([&](const data::Example& example) {
    if (example.has_empty_answer && silent++ == 0) first = first_place(example);
  });
  if (silent == 0) return;
  prepared.data_summary["splits"][name]["empty_answers"] = silent;
  log::warning(concat(name, ": in ", silent, " of ", rows->examples.size(), " rows the assistant says nothing in a turn (",
                      first, "), and that is learned: correct or remove them"));
}

}  // namespace

void summarise_language_rows(Prepared& prepared) {
  for (const auto& [name, rows] : named_splits(prepared)) {
    const files::Json cuts = tell_of_cuts(name, *rows, prepared.options.data.max_length);
    if (!cuts.empty()) prepared.data_summary["splits"][name].update(cuts);
    warn_of_joined_prompts(prepared, name, rows);
    warn_of_empty_answers(prepared, name, rows);
  }
}

}  // namespace attune::job
