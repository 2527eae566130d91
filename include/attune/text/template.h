// Jinja templates over named values: the language of chat templates (chat_template.h) for texts that a user of attune
// writes. Two things differ, because here a slip must not pass: white space stands as it is written (no trim_blocks, no
// lstrip_blocks, the last line end is kept), and to use a variable that was not given is an error unless the template
// asks for it with `is defined` or `| default(…)`.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attune/base/error.h"

namespace attune::text {

/// Error{usage}: the template uses a variable that nobody gave it.
class UndefinedVariable : public Error {
 public:
  UndefinedVariable(ErrorText text, std::string name)
      : Error(ErrorKind::usage, std::move(text)), name_(std::move(name)) {}
  const std::string& name() const { return name_; }

 private:
  std::string name_;
};

/// A parsed template. Immutable: one may render on several threads.
class Template {
 public:
  /// What the text between two tags becomes.
  using LiteralMap = std::function<std::string(const std::string&)>;

  /// `origin` names the template in errors. Error{usage} with the line for what Jinja cannot compile, for what attune's
  /// Jinja leaves out, for more than 1 MiB, and for invalid UTF-8.
  static Template parse(std::string_view source, const std::string& origin, const LiteralMap& literal = {});

  /// `variables` is an object. UndefinedVariable, Error{data} when the template calls raise_exception, Error{usage}
  /// with the line for everything else that fails; what one rendering may take is limited (TemplateLimits).
  std::string render(const nlohmann::ordered_json& variables) const;

  /// The variables that it takes from outside, in the order of their first occurrence: those that it sets itself and
  /// Jinja's own (range, namespace, …) are not among them.
  const std::vector<std::string>& names() const;

 private:
  struct Program;
  explicit Template(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const Program> program_;
};

}  // namespace attune::text
