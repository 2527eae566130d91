// The functions that a template finds among its variables, and the methods of what they make.
#include <array>
#include <chrono>
#include <ctime>

#include "template_builtins.h"
#include "template_fault.h"
#include "template_loop.h"
#include "template_operators.h"
#include "template_print.h"

namespace attune::text::jinja {

namespace {

/// dict(mapping or pairs, **named)
Dict make_dict(Call& call) {
  if (call.arguments.positional.size() > 1) fail("dict() takes at most one argument without a name");
  Dict entries;
  if (!call.arguments.positional.empty()) {
    const Value& source = call.arguments.positional[0];
    require_defined(source);
    if (const auto* dict = source.as<DictPtr>()) {
      call.heap.claim_items((*dict)->entries().size());
      entries = **dict;
    } else {
      for (const Value& pair : items_of(call.heap, source)) {
        std::vector<Value> both = items_of(call.heap, pair);
        if (both.size() != 2) fail("dict() needs pairs, found ", both.size(), " values");
        entries.set(std::move(both[0]), std::move(both[1]));
      }
    }
  }
  for (const auto& [name, value] : call.arguments.named) entries.set(literal(name), value);
  return entries;
}

Value make_namespace(Call& call) {
  auto* names = call.heap.object<Namespace>();
  names->attributes = make_dict(call);
  for (const auto& [key, value] : names->attributes.entries()) {
    const auto* name = key.as<Text>();
    if (name != nullptr && (*name)->starts_with('_')) fail("an attribute of a namespace may not begin with '_'");
  }
  return static_cast<Object*>(names);
}

Value make_range(Call& call) {
  const Integer first = call.integer(0, 0);
  if (call.find(1) == nullptr) return call.heap.range(0, first, 1);
  return call.heap.range(first, call.integer(1, 0), call.integer(2, 1));
}

Value raise_exception(Call& call) {
  throw Fault{ErrorKind::data, to_text(call.heap, call.at(0)), "the chat template refuses this conversation"};
}

std::tm local_time() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  ::localtime_r(&now, &parts);
  return parts;
}

/// The local time without a zone, as datetime.now() has it.
Value strftime_now(Call& call) {
  const std::string& format = call.text(0);
  std::tm now = call.runtime.now ? *call.runtime.now : local_time();
  std::array<char, 1024> buffer;
  std::string out;
  // One directive at a time: an empty result is then no sign of a short buffer.
  for (std::size_t position = 0; position < format.size();) {
    if (format[position] != '%' || position + 1 == format.size()) {
      out += format[position++];
      continue;
    }
    std::size_t end = format.find_first_not_of("-_0^#EO", position + 1);
    if (end == std::string::npos) fail("a format of strftime_now ends inside a %");
    const std::string directive = format.substr(position, ++end - position);
    const char letter = directive.back();
    if (letter == 'f') {
      out += "000000";
    } else if (letter != 'z' && letter != 'Z') {
      out.append(buffer.data(), std::strftime(buffer.data(), buffer.size(), directive.c_str(), &now));
    }
    position = end;
  }
  return call.heap.text(std::move(out));
}

Value make_cycler(Call& call) {
  if (call.arguments.positional.empty() || !call.arguments.named.empty()) fail("cycler() needs items, and no names");
  return static_cast<Object*>(call.heap.object<Cycler>(call.arguments.positional));
}

constexpr Builtin kGlobals[] = {
    {"cycler", "*", make_cycler},
    {"dict", "*", [](Call& call) { return call.heap.dict(make_dict(call)); }},
    {"joiner", "sep?",
     [](Call& call) -> Value {
       return static_cast<Object*>(call.heap.object<Joiner>(call.find(0) != nullptr ? call.at(0) : literal(", ")));
     }},
    {"namespace", "*", make_namespace},
    {"raise_exception", "message", raise_exception},
    {"range", "/start /stop? /step?", make_range},
    {"strftime_now", "format", strftime_now},
};

// Methods of loop and of cyclers.

Value cycle(Call& call) {
  const auto& items = call.arguments.positional;
  const auto* loop = object_as<Loop>(call.subject);
  if (items.empty() || !call.arguments.named.empty()) fail("loop.cycle() needs items, and no names");
  return items[static_cast<std::size_t>(loop->index0()) % items.size()];
}

Value loop_changed(Call& call) {
  const auto& values = call.arguments.positional;
  if (!call.arguments.named.empty()) fail("loop.changed() takes no names");
  const auto same = [&](const std::vector<Value>& last) {
    if (last.size() != values.size()) return false;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!equal(call.heap, last[i], values[i])) return false;
    }
    return true;
  };
  return object_as<Loop>(call.subject)->changed(same, values);
}

constexpr Builtin kLoopMethods[] = {{"changed", "*", loop_changed}, {"cycle", "*", cycle}};

Value next_of_cycler(Call& call) {
  auto* cycler = object_as<Cycler>(call.subject);
  const Value item = cycler->items[cycler->position];
  cycler->position = (cycler->position + 1) % cycler->items.size();
  return item;
}

Value reset_cycler(Call& call) {
  object_as<Cycler>(call.subject)->position = 0;
  return Value();
}

constexpr Builtin kCyclerMethods[] = {{"next", "", next_of_cycler}, {"reset", "", reset_cycler}};

}  // namespace

std::span<const Builtin> global_table() {
  return kGlobals;
}
std::span<const Builtin> loop_methods() {
  return kLoopMethods;
}
std::span<const Builtin> cycler_methods() {
  return kCyclerMethods;
}

}  // namespace attune::text::jinja
