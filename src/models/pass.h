// The stage that a layer computes for. An adapter's dropout needs it, and layers do not hand it on: like a precision
// (nn/precision.h) it holds in a scope of the calling thread.
#pragma once

#include <ATen/core/Tensor.h>

#include "attune/models/model.h"

namespace attune::models {

class PassScope {
 public:
  /// `context` must outlive the object.
  PassScope(const Context& context, int stage);
  ~PassScope();
  PassScope(const PassScope&) = delete;
  PassScope& operator=(const PassScope&) = delete;

 private:
  PassScope* before_;
  const Context& context_;
  int stage_;

  friend nn::DropoutSite adapter_dropout(const LayerChange& change, std::int64_t rows);
};

/// Dropout of an adapter's input of `rows` rows. A stage computes all rows of the stream, those that are wanted, or
/// those that stand for their sequences; how many there are says which.
nn::DropoutSite adapter_dropout(const LayerChange& change, std::int64_t rows);

}  // namespace attune::models
