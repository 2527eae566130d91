// Entities of tag sequences and their scores.
#include "attune/metrics/entities.h"

#include <algorithm>
#include <limits>
#include <set>

#include "attune/base/error.h"
#include "f_scores.h"

namespace attune::metrics {
namespace {

/// "B-PER" → {'B', "PER"}; the type of a bare tag is "_".
struct Tag {
  char prefix = 'O';
  std::string type;
};

Tag parse_tag(const std::string& text) {
  if (text.empty()) return {'O', "_"};
  const std::string rest = text.substr(1);
  const std::size_t dash = rest.find('-');
  const std::string type = dash == std::string::npos ? rest : rest.substr(dash + 1);
  return {text[0], type.empty() ? "_" : type};
}

bool inside(char prefix) {
  return prefix != 'O' && prefix != '.';
}

bool ends_between(const Tag& before, const Tag& now) {
  if (before.prefix == 'E' || before.prefix == 'S') return true;
  if ((before.prefix == 'B' || before.prefix == 'I') && (now.prefix == 'B' || now.prefix == 'S' || now.prefix == 'O'))
    return true;
  return inside(before.prefix) && before.type != now.type;
}

bool starts_between(const Tag& before, const Tag& now) {
  if (now.prefix == 'B' || now.prefix == 'S') return true;
  const bool closed = before.prefix == 'E' || before.prefix == 'S' || before.prefix == 'O';
  if (closed && (now.prefix == 'E' || now.prefix == 'I')) return true;
  return inside(now.prefix) && before.type != now.type;
}

std::set<Entity> entity_set(std::span<const std::string> tags) {
  const std::vector<Entity> entities = find_entities(tags);
  return {entities.begin(), entities.end()};
}

}  // namespace

std::vector<Entity> find_entities(std::span<const std::string> tags) {
  std::vector<Entity> entities;
  Tag before{'O', ""};
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= tags.size(); ++i) {
    const Tag now = parse_tag(i < tags.size() ? tags[i] : "O");
    if (ends_between(before, now)) entities.push_back({before.type, begin, i - 1});
    if (starts_between(before, now)) begin = i;
    before = now;
  }
  return entities;
}

EntityScorer::EntityScorer(std::span<const std::vector<std::string>> gold,
                           std::span<const std::vector<std::string>> predicted) {
  if (gold.size() != predicted.size()) internal_error("entity metrics: as many predicted as gold sequences are needed");
  std::vector<std::set<Entity>> gold_entities, predicted_entities;
  std::set<std::string> types;
  for (std::size_t i = 0; i < gold.size(); ++i) {
    if (gold[i].size() != predicted[i].size())
      internal_error("entity metrics: a sequence has another number of predicted than of gold tags");
    gold_entities.push_back(entity_set(gold[i]));
    predicted_entities.push_back(entity_set(predicted[i]));
    for (const auto* entities : {&gold_entities.back(), &predicted_entities.back()}) {
      for (const auto& entity : *entities) types.insert(entity.type);
    }
  }
  types_.assign(types.begin(), types.end());
  for (std::size_t i = 0; i < gold.size(); ++i) {
    SequenceCounts counts{.types = count_types(gold_entities[i], predicted_entities[i]),
                          .tags = static_cast<double>(gold[i].size())};
    for (std::size_t t = 0; t < gold[i].size(); ++t) counts.right_tags += gold[i][t] == predicted[i][t];
    counts_.push_back(std::move(counts));
  }
}

std::vector<EntityScorer::TypeCounts> EntityScorer::count_types(const std::set<Entity>& gold,
                                                                const std::set<Entity>& predicted) const {
  std::vector<TypeCounts> counts;
  const auto of = [&](const std::string& type) -> TypeCounts& {
    const auto index = static_cast<std::size_t>(std::lower_bound(types_.begin(), types_.end(), type) - types_.begin());
    const auto known = std::find_if(counts.begin(), counts.end(), [&](const TypeCounts& c) { return c.type == index; });
    return known != counts.end() ? *known : counts.emplace_back(TypeCounts{.type = index});
  };
  for (const auto& entity : gold) of(entity.type).gold += 1;
  for (const auto& entity : predicted) {
    TypeCounts& type = of(entity.type);
    type.predicted += 1;
    type.hit += gold.count(entity) != 0;
  }
  return counts;
}

EntityReport EntityScorer::report(std::span<const double> weights) const {
  std::vector<FCounts> types(types_.size());
  double tags = 0, right_tags = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    const double weight = weights.empty() ? 1.0 : weights[i];
    for (const auto& counts : counts_[i].types) {
      types[counts.type].hit += weight * counts.hit;
      types[counts.type].gold += weight * counts.gold;
      types[counts.type].predicted += weight * counts.predicted;
    }
    tags += weight * counts_[i].tags;
    right_tags += weight * counts_[i].right_tags;
  }
  EntityReport result;
  std::vector<FCounts> list;
  FCounts all;
  for (std::size_t type = 0; type < types_.size(); ++type) {
    const FCounts& counts = types[type];
    if (counts.gold <= 0 && counts.predicted <= 0) continue;
    result.per_type[types_[type]] = {counts.precision(), counts.recall(), counts.f1(), counts.gold};
    list.push_back(counts);
    all.hit += counts.hit;
    all.gold += counts.gold;
    all.predicted += counts.predicted;
  }
  // Without any entity on either side seqeval's averages are 0.
  const auto or_zero = [&](double average) { return list.empty() ? 0.0 : average; };
  result.values = {{"precision", all.precision()},
                   {"recall", all.recall()},
                   {"f1", all.f1()},
                   {"f1_macro", or_zero(macro_average(list).f1)},
                   {"f1_weighted", or_zero(support_average(list).f1)},
                   {"accuracy", tags > 0 ? right_tags / tags : std::numeric_limits<double>::quiet_NaN()}};
  return result;
}

}  // namespace attune::metrics
