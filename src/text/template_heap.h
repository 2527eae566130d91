// Makes the values of one rendering, owns what a template can change, and bounds time, memory and recursion: a template
// comes from a stranger. A step is one expression, one item or 16 bytes of new text (64 bytes of text that is read).
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attune/text/chat_template.h"
#include "template_value.h"

namespace attune::text::jinja {

class Heap {
 public:
  explicit Heap(const TemplateLimits& limits) : limits_(limits) {}

  void charge(std::size_t steps = 1);
  /// For reading `bytes` of text.
  void charge_reading(std::size_t bytes) { charge(bytes / 64); }
  /// Before a text of that length, or a list of so many items, is made.
  void claim_text(std::size_t bytes);
  void claim_items(std::size_t count) { charge(count); }
  /// out += part, within the limits.
  void append(std::string& out, std::string_view part);

  Value text(std::string characters, bool markup = false);
  Value list(std::vector<Value> items);
  Value tuple(std::vector<Value> items, bool is_group = false);
  Value dict(Dict entries);
  /// Of at most 100,000 items, as in Jinja's sandbox.
  Value range(Integer start, Integer stop, Integer step);
  Value method(const Builtin& builtin, const Value& receiver);
  template <typename T, typename... Arguments>
  std::shared_ptr<T> iterator(std::initializer_list<Value> held, Arguments&&... arguments) {
    charge(4);
    return std::make_shared<T>(nested(held.begin(), held.end()), std::forward<Arguments>(arguments)...);
  }
  template <typename T, typename... Arguments>
  T* object(Arguments&&... arguments) {
    charge(16);
    auto made = std::make_unique<T>(std::forward<Arguments>(arguments)...);
    T* object = made.get();
    objects_.push_back(std::move(made));
    return object;
  }

  /// Counts one level of recursion while it lives.
  class Descent {
   public:
    explicit Descent(Heap& heap) : heap_(heap) { heap_.descend(); }
    ~Descent() { --heap_.depth_; }
    Descent(const Descent&) = delete;
    Descent& operator=(const Descent&) = delete;

   private:
    Heap& heap_;
  };

 private:
  void descend();
  /// The depth of what holds these values; Fault where values nest too deeply.
  template <typename It>
  std::uint32_t nested(It begin, It end) {
    std::uint32_t deepest = 0;
    for (It it = begin; it != end; ++it) deepest = std::max(deepest, depth(*it));
    return checked_depth(deepest + 1);
  }
  static std::uint32_t checked_depth(std::uint32_t depth);

  TemplateLimits limits_;
  std::size_t steps_ = 0;
  int depth_ = 0;
  std::vector<std::unique_ptr<Object>> objects_;
};

}  // namespace attune::text::jinja
