// See sites.h.
#include "sites.h"

namespace attune::models {

nn::DropoutSite dropout_site(const Context& context, int stage, int number, double p) {
  return context.dropout_on[stage] ? context.input.dropout.site(number, p) : nn::DropoutSite{};
}

nn::DropoutSite dropout_site(const Context& context, int stage, int number, double p, const Rows& rows) {
  nn::DropoutSite site = dropout_site(context, stage, number, p);
  if (site) site.token_keys = rows.of(site.token_keys);
  return site;
}

}  // namespace attune::models
