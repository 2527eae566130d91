// Chat templates of Hugging Face checkpoints: Jinja programs that turn a conversation into the text the model was
// trained on. The interpreter is our own and renders what Transformers' apply_chat_template renders (Jinja's immutable
// sandbox with trim_blocks, lstrip_blocks, break and continue, {% generation %}, and Python's semantics underneath).
// Left out, each a named error: template inheritance and inclusion, autoescape, and the filters that no chat template
// needs (random, pprint, urlize, …).
#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace attune::text {

/// Templates come from strangers: what one rendering may take. Reaching a limit is Error{model}.
struct TemplateLimits {
  std::size_t steps = 20'000'000;      ///< evaluated expressions, visited items, and bytes of new text / 16
  std::size_t text_bytes = 64u << 20;  ///< of each text, and of the output
  int depth = 1000;                    ///< of recursion: expressions, macros and loops inside each other
};

struct RenderOptions {
  std::optional<std::tm> now = std::nullopt;  ///< what strftime_now() formats; nothing = the local time
  TemplateLimits limits = {};
};

struct RenderedChat {
  std::string text;
  /// [start, end) in code points of `text`, one for each {% generation %} block that was rendered, in that order: what
  /// the assistant wrote. (Inside a macro or another block that is captured, `start` is where the output stood before
  /// the capture, as in the reference.)
  std::vector<std::pair<std::uint32_t, std::uint32_t>> generation_spans;
};

/// A parsed template. Immutable: one may render on several threads.
class ChatTemplate {
 public:
  struct Program;  ///< known to the sources of this module only

  /// `origin` names the file in errors. Error{model} with the line for what Jinja cannot compile, for what is left out
  /// (see above), for more than 1 MB, and for invalid UTF-8.
  static ChatTemplate parse(std::string_view source, const std::string& origin);

  /// `variables` is an object; its order, and that of every object in it, is what the template sees (files::Json).
  /// Error{data} when the template calls raise_exception (with its message); Error{model} with the line for everything
  /// else that fails, such as a missing key or an exceeded limit.
  RenderedChat render(const nlohmann::ordered_json& variables, const RenderOptions& options = {}) const;

  /// Whether there is a {% generation %} block: without one nothing says what the assistant wrote.
  bool marks_generation() const;
  const std::string& source() const;

 private:
  explicit ChatTemplate(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const Program> program_;
};

/// The arguments of apply_chat_template.
struct ChatInput {
  const nlohmann::ordered_json& messages;             ///< list of objects, not empty
  const nlohmann::ordered_json* tools = nullptr;      ///< list of JSON schemas
  const nlohmann::ordered_json* documents = nullptr;  ///< list of objects
  const nlohmann::ordered_json* variables = nullptr;  ///< object with more variables, such as enable_thinking
  bool add_generation_prompt = false;
};

/// What a model folder says about chats.
class ChatTemplates {
 public:
  /// Looks where Transformers looks: chat_template.jinja ("default") and additional_chat_templates/*.jinja; without
  /// both the key chat_template of tokenizer_config.json, one template or a list of named ones. Special tokens come
  /// from tokenizer_config.json, and from special_tokens_map.json beside an old one. Error{model} for broken files;
  /// templates are not parsed yet.
  static ChatTemplates from_folder(const std::string& folder);

  /// Takes the place of the default template: "chatml" or "alpaca" (built in, with {% generation %} spans), or a file.
  /// Error{model} for a file that cannot be read.
  void set_default(const std::string& name_or_file);
  /// The text of the template that set_default() set; "" when it was not called.
  const std::string& own_default() const { return own_default_; }

  bool empty() const { return sources_.empty(); }
  /// SHA-256 of all templates and special tokens: what decides how a chat is rendered, but for the time.
  std::string fingerprint() const;
  /// Whether a template calls strftime_now(): then it renders a chat otherwise tomorrow.
  bool asks_for_time() const;
  std::vector<std::string> names() const;
  /// Parses the template of that name; with "" the one for tools ("tool_use") where there is one and `with_tools`,
  /// else the default. Error{model} when there is none.
  ChatTemplate choose(std::string_view name, bool with_tools) const;
  /// The variables that apply_chat_template renders with: special tokens, then `input`; keys of messages that are null
  /// are left out, and reasoning is given under each name that templates read. Error{data} for messages, tools or
  /// documents of the wrong shape.
  nlohmann::ordered_json variables(const ChatInput& input) const;

 private:
  struct Source {
    std::string name, text, origin;
  };
  void read_config();

  std::string folder_;
  std::vector<Source> sources_;
  std::string own_default_;
  std::vector<std::pair<std::string, std::string>> special_tokens_;  ///< role → text, in the reference's order
};

}  // namespace attune::text
