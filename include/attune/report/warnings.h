// What a run was warned of, for those who see only its end.
#pragma once

#include <string>
#include <vector>

#include "attune/report/events.h"

namespace attune::report {

/// Collects the messages of events "warning", each once.
class Warnings : public Observer {
 public:
  void on_event(const Event& event) override;
  const std::vector<std::string>& messages() const { return messages_; }

 private:
  std::vector<std::string> messages_;
};

}  // namespace attune::report
