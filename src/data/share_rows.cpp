// share_rows() of pairs.h: batches of pairs that have rows in common.
#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "attune/data/pairs.h"

namespace attune::data {

namespace {

/// Pairs that no batch has yet, by their places in an order; those of a row are found without reading all.
class Remaining {
 public:
  Remaining(std::span<const Pair> pairs, std::span<const std::uint32_t> order)
      : pairs_(pairs), order_(order), next_(order.size() + 1) {
    std::iota(next_.begin(), next_.end(), std::size_t{0});
    for (std::size_t place = 0; place < order.size(); ++place) {
      const auto [first, second, alike] = pair(place);
      of_row_.resize(std::max(of_row_.size(), std::max(first, second) + std::size_t{1}));
      of_row_[first].push_back(place);
      if (second != first) of_row_[second].push_back(place);
    }
  }
  const Pair& pair(std::size_t place) const { return pairs_[order_[place]]; }
  std::uint32_t number(std::size_t place) const { return order_[place]; }
  std::size_t end() const { return order_.size(); }
  bool is_left(std::size_t place) const { return next_[place] == place; }
  void take(std::size_t place) { next_[place] = place + 1; }
  /// The first place from this one on that is left; end() behind the last.
  std::size_t from(std::size_t place) {
    std::size_t found = place;
    while (!is_left(found)) found = next_[found];
    while (!is_left(place)) place = std::exchange(next_[place], found);
    return found;
  }
  /// The places that are left of a row's pairs.
  const std::vector<std::size_t>& of_row(std::uint32_t row) {
    std::erase_if(of_row_[row], [&](std::size_t place) { return !is_left(place); });
    return of_row_[row];
  }

 private:
  std::span<const Pair> pairs_;
  std::span<const std::uint32_t> order_;
  std::vector<std::size_t> next_;  ///< by place: itself while it is left, else a later one (paths are shortened)
  std::vector<std::vector<std::size_t>> of_row_;
};

class Batch {
 public:
  /// Appends to `numbers` those of the pairs that it takes.
  Batch(Remaining& remaining, std::size_t size, std::size_t rows, std::vector<std::uint32_t>& numbers)
      : remaining_(remaining), size_(size), wanted_rows_(rows), numbers_(numbers) {}

  void fill() {
    for (std::size_t place = first(); is_open(place) && rows_.size() < wanted_rows_; place = remaining_.from(place + 1)) {
      const std::size_t more = new_rows(place);
      if (more > 0 && rows_.size() + more <= wanted_rows_) take(place);
    }
    const std::set<std::size_t> places = touching();
    for (const std::size_t most_rows : {std::size_t{0}, std::size_t{1}}) {
      for (const std::size_t place : places) {
        if (is_open(place) && remaining_.is_left(place) && new_rows(place) <= most_rows) take(place);
      }
    }
    for (std::size_t place = first(); is_open(place); place = remaining_.from(place)) take(place);
  }

 private:
  std::size_t first() { return remaining_.from(0); }
  bool is_open(std::size_t place) const { return taken_ < size_ && place != remaining_.end(); }
  std::size_t new_rows(std::size_t place) const {
    const auto [first, second, alike] = remaining_.pair(place);
    return (rows_.contains(first) ? 0U : 1U) + (first == second || rows_.contains(second) ? 0U : 1U);
  }
  void take(std::size_t place) {
    remaining_.take(place);
    rows_.insert({remaining_.pair(place).first, remaining_.pair(place).second});
    numbers_.push_back(remaining_.number(place));
    ++taken_;
  }
  /// Places of the pairs with a row of the batch.
  std::set<std::size_t> touching() {
    std::set<std::size_t> places;
    for (const std::uint32_t row : rows_) {
      const std::vector<std::size_t>& of_row = remaining_.of_row(row);
      places.insert(of_row.begin(), of_row.end());
    }
    return places;
  }

  Remaining& remaining_;
  std::size_t size_, wanted_rows_;
  std::vector<std::uint32_t>& numbers_;
  std::set<std::uint32_t> rows_;
  std::size_t taken_ = 0;
};

}  // namespace

std::vector<std::uint32_t> share_rows(std::span<const Pair> pairs, std::span<const std::uint32_t> order,
                                      std::size_t batch, std::size_t rows) {
  Remaining remaining(pairs, order);
  std::vector<std::uint32_t> numbers;
  numbers.reserve(order.size());
  while (numbers.size() < order.size()) Batch(remaining, batch, rows, numbers).fill();
  return numbers;
}

}  // namespace attune::data
