// See template_loop.h.
#include "template_loop.h"

#include "template_fault.h"

namespace attune::text::jinja {

std::optional<Value> Loop::fetch() {
  if (waiting_.empty()) return source_->next();
  Value item = std::move(waiting_.front());
  waiting_.pop_front();
  return item;
}

std::optional<Value> Loop::advance() {
  std::optional<Value> item = ahead_ ? std::exchange(ahead_, std::nullopt) : fetch();
  if (!item) return item;
  ++index0_;
  previous_ = std::exchange(current_, item);
  return item;
}

std::size_t Loop::length() {
  if (length_) return *length_;
  while (auto item = source_->next()) waiting_.push_back(*std::move(item));
  length_ = waiting_.size() + static_cast<std::size_t>(index0_ + 1) + (ahead_ ? 1 : 0);
  return *length_;
}

const std::optional<Value>& Loop::peek() {
  if (!ahead_) ahead_ = fetch();
  return ahead_;
}

bool Loop::changed(const std::function<bool(const std::vector<Value>&)>& same, std::vector<Value> values) {
  if (last_changed_ && same(*last_changed_)) return false;
  last_changed_ = std::move(values);
  return true;
}

Value Loop::recurse(const Value& iterable) const {
  if (!recurse_) fail("loop(…) needs a loop that is marked 'recursive'");
  return recurse_(iterable, depth0 + 1);
}

}  // namespace attune::text::jinja
