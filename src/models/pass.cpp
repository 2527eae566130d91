// See pass.h.
#include "pass.h"

#include <ATen/ops/index_select.h>

#include "attune/base/error.h"
#include "sites.h"

namespace attune::models {

namespace {

thread_local PassScope* innermost = nullptr;

}  // namespace

PassScope::PassScope(const Context& context, int stage) : before_(innermost), context_(context), stage_(stage) {
  innermost = this;
}

PassScope::~PassScope() {
  innermost = before_;
}

nn::DropoutSite adapter_dropout(const LayerChange& change, std::int64_t rows) {
  if (change.dropout <= 0.0 || innermost == nullptr) return {};
  const Context& context = innermost->context_;
  nn::DropoutSite site = dropout_site(context, innermost->stage_, change.site, change.dropout);
  if (!site || site.token_keys.size(0) == rows) return site;
  const at::Tensor& wanted = context.input.wanted;
  if (wanted.defined() && wanted.size(0) == rows) {
    site.token_keys = at::index_select(site.token_keys, 0, wanted);
  } else {
    site.token_keys = context.summary.of(site.token_keys);
  }
  if (site.token_keys.size(0) != rows) internal_error("adapter_dropout: which rows of the stream these are is unknown");
  return site;
}

}  // namespace attune::models
