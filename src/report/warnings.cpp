// See warnings.h.
#include "attune/report/warnings.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace attune::report {

void Warnings::on_event(const Event& event) {
  if (event.value("event", "") != "warning") return;
  const std::string message = event.value("message", "");
  if (std::find(messages_.begin(), messages_.end(), message) == messages_.end()) messages_.push_back(message);
}

}  // namespace attune::report
