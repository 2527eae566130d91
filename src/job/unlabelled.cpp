// See unlabelled.h.
#include "job/unlabelled.h"

#include <nlohmann/json.hpp>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "attune/base/counted.h"
#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/strings.h"
#include "attune/data/overlap.h"

namespace attune::job {

namespace {

using files::Json;

constexpr const char* kRepeated = "repeated";

/// What need not be known of a row that is only asked.
data::DataOptions without_labels(data::DataOptions options) {
  options.columns.label.clear();  // no column has this name
  options.columns.weight.reset();
  options.columns.group.reset();
  options.columns.time.reset();
  options.labels = data::labels_setting(data::TargetKind::single);
  return options;
}

/// Text → the first split that has it; of rows that are scored before those that are learned.
std::unordered_map<std::string, const char*> known_texts(const Prepared& prepared) {
  std::unordered_map<std::string, const char*> known;
  for (const auto& [name, rows] :
       {std::pair{"test", &prepared.test}, {"validation", &prepared.validation}, {"train", &prepared.train}}) {
    rows->examples.for_each([&](const data::Example& row) { known.emplace(data::comparable_text(row), name); });
  }
  return known;
}

void tell_of_left_out(const Json& left_out) {
  std::vector<std::string> parts;
  for (const auto& [name, rows] : left_out.items()) {
    parts.push_back(name == kRepeated
                        ? concat(rows.dump(), " repeat another of them")
                        : concat(rows.dump(), rows == 1 ? " has" : " have", " the text of a ", name, " row"));
  }
  if (!parts.empty()) log::info(concat("unlabelled rows that are left out: ", join(parts, ", ")));
}

}  // namespace

void read_unlabelled(Prepared& prepared, const data::DataOptions& options, data::ReadReport& report) {
  const std::vector<std::string>& files = options.unlabelled;
  if (!prepared.options.tuning.self_training.enabled) return;
  std::vector<data::Example> rows = data::read_examples(files, without_labels(options), data::RowKind::classification,
                                                        report, data::LabelNeed::optional);
  Json told = {{"read", rows.size()}, {"rows", 0}, {"left_out", Json::object()}};
  std::unordered_map<std::string, const char*> known = known_texts(prepared);
  std::erase_if(rows, [&](const data::Example& row) {
    const auto [found, is_new] = known.emplace(data::comparable_text(row), kRepeated);
    if (!is_new) told["left_out"][found->second] = told["left_out"].value(found->second, 0) + 1;
    return !is_new;
  });
  tell_of_left_out(told["left_out"]);
  if (rows.empty()) {
    throw Error(ErrorKind::data, {.file = join(files, ", "),
                                  .what = concat("none of the ", counted(told["read"].get<std::int64_t>(), "row"),
                                                 " is left: all have the text of a row of another split"),
                                  .where = "data.unlabelled",
                                  .hint = "name rows that are neither labelled nor scored"});
  }
  told["rows"] = rows.size();
  prepared.unlabelled.examples = std::move(rows);
  prepared.data_summary["unlabelled"] = std::move(told);
}

}  // namespace attune::job
