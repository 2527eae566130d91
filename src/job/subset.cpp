// See subset.h.
#include "job/subset.h"

#include <map>

#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/strings.h"
#include "attune/data/subset.h"

namespace attune::job {

namespace {

/// {name: rows} of the labels that have fewer rows than `per_class`.
files::Json short_classes(const data::LabelMap& labels, const files::LongList<data::Example>& train, std::int64_t per_class) {
  std::map<std::string, std::int64_t> counts;
  train.for_each([&](const data::Example& example) { ++counts[std::get<data::ClassLabel>(example.target).name]; });
  files::Json found = files::Json::object();
  for (const std::string& name : labels.names) {
    if (counts[name] < per_class) found[name] = counts[name];
  }
  return found;
}

}  // namespace

files::Json take_subset(const data::DataOptions& options, const data::LabelMap& labels, files::LongList<data::Example>& train) {
  const data::SubsetOptions& subset = options.subset;
  if (!subset.enabled) return nullptr;
  if (subset.per_class && labels.kind != data::TargetKind::single) {
    throw Error(ErrorKind::usage, {.file = "", .what = concat("rows of each class are asked for, and the training rows have ", data::describe(labels.kind)),
                                   .where = "data.subset.per_class", .hint = "say data.subset.rows instead"});
  }
  files::Json told = {{"of", train.size()}, {"seed", subset.seed}};
  data::keep_rows(train, data::choose_subset(train, subset));
  told["rows"] = train.size();
  if (!subset.per_class) return told;
  told["per_class"] = *subset.per_class;
  const files::Json fewer = short_classes(labels, train, *subset.per_class);
  if (fewer.empty()) return told;
  told["short_classes"] = fewer;
  log::warning(concat(fewer.size(), " of ", labels.names.size(), " labels have fewer than ", *subset.per_class,
                      " training rows, and give all that they have (data.subset.short_classes)"));
  return told;
}

}  // namespace attune::job
