// See option.h.
#include "option.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "attune/base/strings.h"
#include "reader.h"
#include "values.h"

namespace attune::config {

namespace {

/// The JSON text of a literal's value: texts in quotes, numbers as they are.
template <class T>
Json literal_value(const Literal& literal) {
  if constexpr (std::is_arithmetic_v<T>) return Json::parse(literal.value);
  return std::string(literal.value);
}

/// A literal stands for its value even where the range would not allow that value (null → 0 checkpoints: all).
template <class T>
bool read_value(const Json& json, T& value, const Field& field) {
  for (const Literal& literal : field.literals) {
    if (json.dump() != literal.json) continue;
    const Field anything = {.key = field.key};
    return Codec<T>::read(literal_value<T>(literal), value, anything);
  }
  return Codec<T>::read(json, value, field);
}

template <class T>
Json write_value(const T& value, const Field& field) {
  Json json = Codec<T>::write(value);
  for (const Literal& literal : field.literals) {
    if (!literal.only_read && json == literal_value<T>(literal)) return Json::parse(literal.json);
  }
  return json;
}

/// What is expected: the type's words and the literals that they do not name.
template <class T>
std::string expected_words(const Field& field) {
  std::string words = Codec<T>::words(field);
  for (const Literal& literal : field.literals) {
    if (literal.json != literal.value) words += concat(", or ", literal.json);
  }
  return words;
}

template <class T>
bool takes_null(const Field& field) {
  const auto is_null = [](const Literal& literal) { return literal.json == "null"; };
  return kHasNull<T> || std::any_of(field.literals.begin(), field.literals.end(), is_null);
}

template <class T>
Json value_schema(const Field& field) {
  Json schema = Codec<T>::schema(field);
  if (field.literals.empty()) return schema;
  Json literals = Json::array();
  for (const Literal& literal : field.literals) literals.push_back(Json::parse(literal.json));
  return {{"anyOf", {std::move(schema), {{"enum", std::move(literals)}}}}};
}

template <class T>
std::vector<Option> table_of(T& options);

/// Reads an object of a list.
template <class T>
void read_item(const Json& json, T& item, const std::string& file, const std::string& written,
               std::vector<Problem>& problems) {
  const std::vector<Option> table = table_of(item);
  Reader reader(table, file);
  reader.add_file(json);
  reader.fill();
  for (Problem& problem : reader.problems()) {
    problem.key = child_path(written, problem.key);
    problems.push_back(std::move(problem));
  }
}

class TableMaker {
 public:
  TableMaker(std::string block, std::vector<Option>& table) : block_(std::move(block)), table_(table) {}

  template <class T>
  void operator()(T& value, const Field& field) {
    Option& option = add(field);
    if constexpr (HasFields<T>) {
      option.is_block = true;
      option.expected = field.present != nullptr ? "an object, or null" : "an object";
      TableMaker inner(option.path, table_);
      visit_fields(inner, value);
    } else {
      bind(
          option, [&value]() -> T& { return value; }, std::type_identity<T>{});
    }
  }

  /// A list of objects; a bare object is a list of one.
  template <HasFields T>
  void operator()(std::vector<T>& list, const Field& field) {
    Option& option = add(field);
    option.expected = "an object, or a list of such";
    const auto item = std::make_shared<T>();
    option.item = item;
    option.items = table_of(*item);
    option.read_list = [&list](const Json& json, const std::string& file, const std::string& written,
                               std::vector<Problem>& problems) {
      const Json objects = json.is_object() ? Json::array({json}) : json;
      const auto is_object = [](const Json& object) { return object.is_object(); };
      if (!objects.is_array() || !std::all_of(objects.begin(), objects.end(), is_object)) return false;
      list.assign(objects.size(), T());
      for (std::size_t i = 0; i < list.size(); ++i) read_item(objects[i], list[i], file, concat(written, "[", i, "]"), problems);
      return true;
    };
    option.write = [&list] {
      Json objects = Json::array();
      for (T& one : list) {
        Json& object = objects.emplace_back(Json::object());
        for (const Option& inner : table_of(one)) object[inner.key()] = inner.write();
      }
      return objects;
    };
    option.schema = [table = option.items, item] { return Json{{"type", "array"}, {"items", schema_of(table)}}; };
  }

  void operator()(const ChoiceOrNumbers& value, const Field& field) {
    bind(
        add(field), [view = value]() mutable -> ChoiceOrNumbers& { return view; },
        std::type_identity<ChoiceOrNumbers>{});
  }

  template <class T>
  void operator()(const Given<T>& value, const Field& field) {
    bind(
        add(field), [view = value]() mutable -> Given<T>& { return view; }, std::type_identity<Given<T>>{});
  }

 private:
  Option& add(const Field& field) {
    Option& option = table_.emplace_back();
    option.path = child_path(block_, std::string(field.key));
    option.block = block_;
    option.field = field;
    return option;
  }

  template <class T, class Value>
  static void bind(Option& option, Value value, std::type_identity<T>) {
    const Field& field = option.field;
    option.takes_null = takes_null<T>(field);
    option.expected = expected_words<T>(field);
    option.read = [value, field](const Json& json) mutable { return read_value<T>(json, value(), field); };
    option.write = [value, field]() mutable { return write_value<T>(value(), field); };
    option.schema = [field] { return value_schema<T>(field); };
  }

  std::string block_;
  std::vector<Option>& table_;
};

template <class T>
std::vector<Option> table_of(T& options) {
  std::vector<Option> table;
  TableMaker maker("", table);
  visit_fields(maker, options);
  return table;
}

}  // namespace

bool Option::lacks_value() const {
  return field.required && !is_block && (write() == "" || write() == Json::array());
}

std::vector<Option> option_table(job::RunOptions& options) {
  return table_of(options);
}

std::vector<Option> option_table(prompt::PromptSet& set) {
  return table_of(set);
}

const Option* find_option(const std::vector<Option>& table, const std::string& path) {
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const Option& option) { return option.path == path; });
  return found == table.end() ? nullptr : &*found;
}

std::string child_path(const std::string& block, const std::string& key) {
  return block.empty() ? key : block + "." + key;
}

}  // namespace attune::config
