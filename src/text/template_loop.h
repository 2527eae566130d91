// The variable `loop`, and the iteration behind it.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "template_value.h"

namespace attune::text::jinja {

class Loop final : public Object {
 public:
  /// Renders the body of a recursive loop over other items, one level deeper.
  using Recurse = std::function<Value(const Value& iterable, std::size_t depth0)>;

  /// `length` where it is known without evaluating the items; `recurse` is empty unless the loop is recursive.
  Loop(IteratorPtr source, std::optional<std::size_t> length, std::size_t depth0, Recurse recurse)
      : depth0(depth0), source_(std::move(source)), length_(length), recurse_(std::move(recurse)) {}

  std::string_view type_name() const override { return "LoopContext"; }
  /// Moves to the next item; nothing at the end.
  std::optional<Value> advance();

  Integer index0() const { return index0_; }
  /// Evaluates all items that are left where they must be counted.
  std::size_t length();
  /// loop.nextitem, loop.last: looks one item ahead.
  const std::optional<Value>& peek();
  const std::optional<Value>& previous() const { return previous_; }
  /// loop.changed(…): whether the values differ from those of the last call.
  bool changed(const std::function<bool(const std::vector<Value>& last)>& same, std::vector<Value> values);
  Value recurse(const Value& iterable) const;

  const std::size_t depth0;

 private:
  std::optional<Value> fetch();

  IteratorPtr source_;
  std::deque<Value> waiting_;  ///< items that length() evaluated ahead of their turn
  std::optional<std::size_t> length_;
  Recurse recurse_;
  Integer index0_ = -1;
  std::optional<Value> previous_, current_, ahead_;
  std::optional<std::vector<Value>> last_changed_;
};

}  // namespace attune::text::jinja
