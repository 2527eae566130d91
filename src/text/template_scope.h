// The variables of a template while it is rendered.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "template_ast.h"

namespace attune::text::jinja {

/// What one run of a block sets: the template itself, a macro, one round of a loop, the body of a with, …
class Scope : public std::enable_shared_from_this<Scope> {
 public:
  explicit Scope(std::shared_ptr<Scope> outer) : outer_(std::move(outer)) {}

  /// Null when neither this scope nor one around it sets the variable.
  const Value* find(Symbol symbol) const {
    for (const Scope* scope = this; scope != nullptr; scope = scope->outer_.get()) {
      for (const auto& [known, value] : scope->variables_) {
        if (known == symbol) return &value;
      }
    }
    return nullptr;
  }
  void set(Symbol symbol, Value value) {
    for (auto& [known, old] : variables_) {
      if (known != symbol) continue;
      old = std::move(value);
      return;
    }
    variables_.emplace_back(symbol, std::move(value));
  }
  const std::shared_ptr<Scope>& outer() const { return outer_; }

 private:
  std::shared_ptr<Scope> outer_;
  std::vector<std::pair<Symbol, Value>> variables_;
};

}  // namespace attune::text::jinja
