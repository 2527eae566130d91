// See examples.h.
#include "attune/prompt/examples.h"

#include <algorithm>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <variant>

#include "attune/base/error.h"
#include "attune/base/random.h"
#include "attune/data/overlap.h"

namespace attune::prompt {

namespace {

std::string label_of(const data::Example& example) {
  const auto* label = std::get_if<data::ClassLabel>(&example.target);
  return label == nullptr ? "" : label->name;
}

/// A random order of 0 … n-1 of which only the beginning is computed (Fisher–Yates from the front).
class Shuffle {
 public:
  Shuffle(const RandomKey& key, std::size_t n) : key_(key), n_(n) {}

  /// Nothing at the end.
  std::optional<std::size_t> next() {
    if (drawn_ == n_) return std::nullopt;
    const std::size_t other = drawn_ + key_.bits(drawn_) % (n_ - drawn_);
    const std::size_t value = at(other);
    moved_[other] = at(drawn_);
    ++drawn_;
    return value;
  }

 private:
  std::size_t at(std::size_t place) const {
    const auto found = moved_.find(place);
    return found == moved_.end() ? place : found->second;
  }

  RandomKey key_;
  std::size_t n_;
  std::size_t drawn_ = 0;
  std::unordered_map<std::size_t, std::size_t> moved_;
};

class Chooser {
 public:
  Chooser(const ExamplePool& pool, const data::Example& row, const FewShotOptions& options,
          std::span<const float> similarity)
      : pool_(pool),
        row_(row),
        options_(options),
        similarity_(similarity),
        own_text_(pool.find_text(row)),
        wanted_(static_cast<std::size_t>(options.k)) {
    const bool needs_similarity = options.choose == "nearest" || options.order == "nearest_last";
    if (needs_similarity && similarity.size() != pool.size())
      internal_error("the similarity of a row to each of the pool is missing");
  }

  std::vector<std::size_t> run() {
    std::vector<std::size_t> chosen = options_.choose == "nearest"    ? nearest()
                                      : options_.choose == "balanced" ? balanced()
                                                                      : random();
    return ordered(std::move(chosen));
  }

 private:
  RandomKey key(const char* stream, std::uint64_t seed) const {
    return RandomKey(seed, stream).with(options_.per_row ? static_cast<std::uint64_t>(row_.row) : 0);
  }
  RandomKey key(const char* stream) const { return key(stream, options_.seed); }

  bool is_own_text(std::size_t index) const { return own_text_ && pool_.text_of(index) == *own_text_; }

  std::vector<std::size_t> random() const {
    const auto& allowed = pool_.allowed();
    Shuffle shuffle(key("few_shot"), allowed.size());
    std::vector<std::size_t> chosen;
    while (chosen.size() < wanted_) {
      const auto drawn = shuffle.next();
      if (!drawn) break;
      if (!is_own_text(allowed[*drawn])) chosen.push_back(allowed[*drawn]);
    }
    return chosen;
  }

  /// One of each class in turn, the classes in a random order.
  std::vector<std::size_t> balanced() const {
    std::vector<std::vector<std::size_t>> members(pool_.classes());
    for (const std::size_t index : pool_.allowed()) members[pool_.class_of(index)].push_back(index);
    const auto order = key("few_shot.classes").permutation(static_cast<std::int64_t>(members.size()));
    std::vector<Shuffle> shuffles;
    for (std::size_t i = 0; i < members.size(); ++i) shuffles.emplace_back(key("few_shot").with(i), members[i].size());
    std::vector<std::size_t> chosen;
    for (bool found = true; found && chosen.size() < wanted_;) {
      found = false;
      for (const std::int64_t number : order) {
        const auto of_class = static_cast<std::size_t>(number);
        std::optional<std::size_t> drawn = shuffles[of_class].next();
        while (drawn && is_own_text(members[of_class][*drawn])) drawn = shuffles[of_class].next();
        if (!drawn) continue;
        chosen.push_back(members[of_class][*drawn]);
        found = true;
        if (chosen.size() == wanted_) break;
      }
    }
    return chosen;
  }

  std::vector<std::size_t> nearest() const {
    std::vector<std::size_t> candidates;
    for (const std::size_t index : pool_.allowed()) {
      if (!is_own_text(index)) candidates.push_back(index);
    }
    const std::size_t kept = std::min(wanted_, candidates.size());
    std::partial_sort(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(kept), candidates.end(),
                      [&](std::size_t a, std::size_t b) { return is_nearer(a, b); });
    candidates.resize(kept);
    return candidates;
  }

  bool is_nearer(std::size_t a, std::size_t b) const {
    return similarity_[a] != similarity_[b] ? similarity_[a] > similarity_[b] : a < b;
  }

  std::vector<std::size_t> ordered(std::vector<std::size_t> chosen) const {
    if (options_.order == "random") {
      std::vector<std::size_t> shuffled;
      const RandomKey order = key("few_shot.order", options_.order_seed.value_or(options_.seed));
      for (const std::int64_t place : order.permutation(static_cast<std::int64_t>(chosen.size()))) {
        shuffled.push_back(chosen[static_cast<std::size_t>(place)]);
      }
      return shuffled;
    }
    if (options_.order == "nearest_last") {
      std::sort(chosen.begin(), chosen.end(), [&](std::size_t a, std::size_t b) { return is_nearer(b, a); });
    } else if (options_.order == "by_label") {
      std::stable_sort(chosen.begin(), chosen.end(),
                       [&](std::size_t a, std::size_t b) { return pool_.class_of(a) < pool_.class_of(b); });
    }
    return chosen;
  }

  const ExamplePool& pool_;
  const data::Example& row_;
  const FewShotOptions& options_;
  std::span<const float> similarity_;
  std::optional<std::size_t> own_text_;
  std::size_t wanted_;
};

}  // namespace

ExamplePool::ExamplePool(std::span<const data::Example> examples) : examples_(examples) {
  std::map<std::string, std::size_t> numbers;
  for (const data::Example& example : examples) numbers.emplace(label_of(example), 0);
  for (auto& [name, number] : numbers) number = class_count_++;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    allowed_.push_back(i);
    classes_.push_back(numbers.at(label_of(examples[i])));
    texts_.push_back(numbers_.emplace(data::comparable_text(examples[i]), numbers_.size()).first->second);
  }
}

std::optional<std::size_t> ExamplePool::find_text(const data::Example& row) const {
  const auto found = numbers_.find(data::comparable_text(row));
  return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

void ExamplePool::forbid(std::span<const std::int64_t> rows) {
  std::unordered_set<std::size_t> texts;
  for (const std::int64_t row : rows) texts.insert(texts_[static_cast<std::size_t>(row)]);
  forbid_texts(texts);
}

void ExamplePool::forbid_texts_of(std::span<const data::Example> rows) {
  std::unordered_set<std::size_t> texts;
  for (const data::Example& row : rows) {
    if (const auto text = find_text(row)) texts.insert(*text);
  }
  forbid_texts(texts);
}

void ExamplePool::forbid_texts(const std::unordered_set<std::size_t>& texts) {
  if (texts.empty()) return;
  std::erase_if(allowed_, [&](std::size_t index) { return texts.contains(texts_[index]); });
}

bool draws_examples(const FewShotOptions& options) {
  const bool draws_order = options.order == "random" && !options.order_seed;
  return options.k > 0 && (options.choose != "nearest" || draws_order);
}

std::vector<std::size_t> choose_examples(const ExamplePool& pool, const data::Example& row,
                                         const FewShotOptions& options, std::span<const float> similarity) {
  return Chooser(pool, row, options, similarity).run();
}

std::vector<const data::Example*> examples_at(const ExamplePool& pool, std::span<const std::size_t> indices) {
  std::vector<const data::Example*> examples;
  for (const std::size_t index : indices) examples.push_back(&pool[index]);
  return examples;
}

}  // namespace attune::prompt
