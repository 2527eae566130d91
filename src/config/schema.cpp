// JSON Schema of the configuration, for editors and other programs.
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/config/prompt_set.h"
#include "option.h"

namespace attune::config {

namespace {

Json object_schema() {
  return {{"type", "object"}, {"additionalProperties", false}, {"properties", Json::object()}};
}

/// A block that may be null, or not.
Json block_schema(const Field& field, Json object) {
  if (field.present == nullptr) return object;
  return {{"anyOf", {std::move(object), {{"type", "null"}}}}};
}

/// The schema of the options of `block`, and of the blocks in it.
Json schema_of_block(const std::vector<Option>& table, const std::string& block) {
  Json object = object_schema();
  Json required = Json::array();
  for (const Option& option : table) {
    if (option.block != block) continue;
    Json schema = option.is_block ? block_schema(option.field, schema_of_block(table, option.path)) : option.schema();
    schema["description"] = option.field.help;
    if (!option.is_block && !option.lacks_value()) schema["default"] = option.write();
    object["properties"][option.key()] = std::move(schema);
    if (option.lacks_value()) required.push_back(option.key());
  }
  if (!required.empty()) object["required"] = std::move(required);
  return object;
}

}  // namespace

Json schema_of(const std::vector<Option>& table) {
  return schema_of_block(table, "");
}

Json prompt_set_schema() {
  prompt::PromptSet set;
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", "A prompt set of attune"}};
  schema.update(schema_of(option_table(set)));
  return schema;
}

Json schema() {
  job::RunOptions options;
  Json schema = {
      {"$schema", "https://json-schema.org/draft/2020-12/schema"},
      {"title", "Configuration of attune"},
      {"description",
       "The canonical keys. attune also accepts the aliases that docs/config.md lists, and null for a default."}};
  schema.update(schema_of(option_table(options)));
  for (const char* block : {"model", "data"}) schema["required"].push_back(block);
  return schema;
}

}  // namespace attune::config
