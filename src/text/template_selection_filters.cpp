// Filters that take the name of another filter or of a test: map, select, reject, selectattr, rejectattr. Like Python's
// generators they do nothing, not even fail, before an item is asked for.
#include "template_builtins.h"
#include "template_fault.h"
#include "template_operators.h"
#include "template_path.h"

namespace attune::text::jinja {

namespace {

/// What a generator keeps of the call that made it.
struct Kept {
  Runtime& runtime;
  Value subject;
  Arguments arguments;
  IteratorPtr items = nullptr;

  /// The next item; `prepare` is called once, unless the subject is empty.
  template <typename Prepare>
  std::optional<Value> next(Prepare prepare) {
    if (items == nullptr) {
      if (!truth(subject)) return std::nullopt;
      prepare();
      items = iterate(runtime.heap, subject);
    }
    return items->next();
  }

  /// The name at `position` of the arguments.
  std::string name(std::size_t position) const {
    const auto* text = arguments.positional[position].as<Text>();
    if (text == nullptr)
      fail("the name of a filter or test must be a str, found ", type_name(arguments.positional[position]));
    return **text;
  }
  Arguments arguments_from(std::size_t position) const {
    const auto begin = arguments.positional.begin() + static_cast<std::ptrdiff_t>(position);
    return {{begin, arguments.positional.end()}, arguments.named};
  }
};

/// A generator over what `step` gives; it holds the subject and the arguments of the call.
template <typename State>
Value generator(Call& call, std::shared_ptr<State> state) {
  std::vector<Value> held = call.arguments.positional;
  for (const auto& [name, value] : call.arguments.named) held.push_back(value);
  return generate(call.heap, {call.subject, call.heap.list(std::move(held))}, [state] { return state->step(); });
}

struct Mapping : Kept {
  std::optional<AttributePath> path;
  const Builtin* filter = nullptr;
  Arguments filter_arguments;

  void prepare() {
    if (arguments.positional.empty() && arguments.find("attribute") != nullptr) {
      for (const auto& [name, value] : arguments.named) {
        if (name != "attribute" && name != "default") fail("|map takes no argument '", name, "'");
      }
      path.emplace(runtime.heap, arguments.find("attribute"), arguments.find("default"));
      return;
    }
    if (arguments.positional.empty()) fail("|map needs the name of a filter, or attribute=…");
    filter = find_filter(name(0));
    if (filter == nullptr) fail(no_filter(name(0)));
    filter_arguments = arguments_from(1);
  }

  std::optional<Value> step() {
    const auto item = next([this] { prepare(); });
    if (!item) return std::nullopt;
    return path ? path->of(*item) : run_builtin(runtime, *filter, *item, filter_arguments);
  }
};

Value map(Call& call) {
  return generator(call,
                   std::make_shared<Mapping>(Mapping{{call.runtime, call.subject, call.arguments}, {}, nullptr, {}}));
}

struct Selection : Kept {
  bool wanted;        ///< the outcome of the test that keeps an item
  bool of_attribute;  ///< the first argument names what is tested
  std::optional<AttributePath> path;
  const Builtin* test = nullptr;  ///< null = whether the value is true
  Arguments test_arguments;

  void prepare() {
    if (of_attribute && arguments.positional.empty()) fail("|selectattr and |rejectattr need the name of an attribute");
    path.emplace(runtime.heap, of_attribute ? &arguments.positional[0] : nullptr);
    const std::size_t at = of_attribute ? 1 : 0;
    if (arguments.positional.size() <= at) return;
    test = find_test(name(at));
    if (test == nullptr) fail(no_test(name(at)));
    test_arguments = arguments_from(at + 1);
  }

  bool keeps(const Value& item) {
    const Value value = path->of(item);
    return truth(test == nullptr ? value : run_builtin(runtime, *test, value, test_arguments)) == wanted;
  }

  std::optional<Value> step() {
    while (auto item = next([this] { prepare(); })) {
      if (keeps(*item)) return item;
    }
    return std::nullopt;
  }
};

template <bool wanted, bool of_attribute>
Value selection(Call& call) {
  return generator(call, std::make_shared<Selection>(Selection{
                             {call.runtime, call.subject, call.arguments}, wanted, of_attribute, {}, nullptr, {}}));
}

constexpr Builtin kSelectionFilters[] = {
    {"map", "*", map},
    {"select", "*", selection<true, false>},
    {"reject", "*", selection<false, false>},
    {"selectattr", "*", selection<true, true>},
    {"rejectattr", "*", selection<false, true>},
};

}  // namespace

std::span<const Builtin> selection_filters() {
  return kSelectionFilters;
}

}  // namespace attune::text::jinja
