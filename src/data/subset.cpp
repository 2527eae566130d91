// See subset.h.
#include "attune/data/subset.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "attune/base/counted.h"
#include "attune/base/error.h"
#include "attune/base/random.h"
#include "attune/base/strings.h"

namespace attune::data {

namespace {

/// The rows of each class, by its name.
using Classes = std::map<std::string, Rows>;

/// Each class in its random order.
Classes shuffled_classes(const files::ListView<Example>& examples, std::uint64_t seed) {
  Classes in_order;
  std::int64_t row = 0;
  examples.for_each([&](const Example& example) { in_order[stratum_name(example.target)].push_back(row++); });
  const RandomKey key(seed, "subset");
  std::uint64_t number = 0;
  Classes shuffled;
  for (const auto& [name, rows] : in_order) {
    Rows& order = shuffled[name];
    for (const std::int64_t place : key.with(number++).permutation(static_cast<std::int64_t>(rows.size()))) {
      order.push_back(rows[static_cast<std::size_t>(place)]);
    }
  }
  return shuffled;
}

/// Those with fewer rows, the scarcest first; of many only some are named.
std::string short_classes_text(const Classes& classes, std::int64_t per_class) {
  constexpr std::size_t kMostNamed = 5;
  std::vector<std::pair<std::int64_t, std::string>> short_ones;
  for (const auto& [name, rows] : classes) {
    const auto found = static_cast<std::int64_t>(rows.size());
    if (found < per_class) short_ones.emplace_back(found, name);
  }
  std::ranges::sort(short_ones);
  std::vector<std::string> named;
  for (const auto& [found, name] : short_ones) {
    if (named.size() == kMostNamed) break;
    named.push_back(concat("the label '", name, "' has ", counted(found, "training row")));
  }
  const auto more = static_cast<std::int64_t>(short_ones.size() - named.size());
  if (more > 0) named.push_back(concat(counted(more, "more label"), more == 1 ? " has" : " have", " too few"));
  return join(named, ", ");
}

void refuse_short_classes(const Classes& classes, std::int64_t per_class) {
  const std::string short_ones = short_classes_text(classes, per_class);
  if (short_ones.empty()) return;
  throw Error(ErrorKind::data, {.file = "",
                                .what = concat(short_ones, "; ", per_class, " of each label are asked for"),
                                .where = "data.subset.per_class",
                                .hint = "ask for fewer, or set data.subset.short_classes to \"all\""});
}

Rows take_per_class(const Classes& classes, std::int64_t per_class) {
  Rows taken;
  for (const auto& [name, rows] : classes) {
    const auto count = std::min(static_cast<std::size_t>(per_class), rows.size());
    taken.insert(taken.end(), rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(count));
  }
  return taken;
}

Rows take_in_shares(const Classes& classes, std::size_t wanted, const RandomKey& ties) {
  std::vector<std::tuple<double, std::uint64_t, std::int64_t>> places;  // place, tie between classes, row
  std::uint64_t number = 0;
  for (const auto& [name, rows] : classes) {
    const std::uint64_t tie = ties.bits(number++);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      places.emplace_back((static_cast<double>(i) + 0.5) / static_cast<double>(rows.size()), tie, rows[i]);
    }
  }
  if (wanted > places.size()) {
    throw Error(ErrorKind::data, {.file = "",
                                  .what = concat(wanted, " training rows are asked for, there are ", places.size()),
                                  .where = "data.subset.rows",
                                  .hint = "ask for fewer"});
  }
  std::sort(places.begin(), places.end());
  Rows taken;
  for (std::size_t i = 0; i < wanted; ++i) taken.push_back(std::get<std::int64_t>(places[i]));
  return taken;
}

}  // namespace

Rows choose_subset(const files::ListView<Example>& examples, const SubsetOptions& options) {
  const Classes classes = shuffled_classes(examples, options.seed);
  Rows taken;
  if (options.per_class) {
    if (options.short_classes != "all") refuse_short_classes(classes, *options.per_class);
    taken = take_per_class(classes, *options.per_class);
  } else {
    taken =
        take_in_shares(classes, static_cast<std::size_t>(options.rows.value()), RandomKey(options.seed, "subset.ties"));
  }
  std::sort(taken.begin(), taken.end());
  return taken;
}

void keep_rows(files::LongList<Example>& examples, const Rows& kept) {
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  std::int64_t row = 0;
  auto next = kept.begin();
  examples.rewrite(kPiece, [&](std::vector<Example>& some) {
    std::vector<Example> left;
    for (Example& example : some) {
      if (next != kept.end() && *next == row) {
        left.push_back(std::move(example));
        ++next;
      }
      ++row;
    }
    some = std::move(left);
  });
}

}  // namespace attune::data
