// What a candidate of a method did under each seed, in files: answers, what they cost, what was learned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "attune/files/json.h"
#include "attune/report/events.h"
#include "attune/study/method.h"
#include "method_kinds.h"

namespace attune::study {

/// Under `folder`, or the candidate's own folder in it where the method has several. What is referred to must outlive it.
class CandidateWork {
 public:
  CandidateWork(const Method& method, std::size_t number, const std::string& folder, Workbench& bench,
                const report::EventBus& events);

  /// Learns and answers what is not there yet; false after a signal.
  bool answer(std::uint64_t seed, const std::string& split);

  /// Of answers that are there.
  Answers answers(std::uint64_t seed, const std::string& split) const;
  std::string predictions_of(std::uint64_t seed, const std::string& split) const;
  /// {"cost": {"seconds", "peak_memory", "joules", "money", "currency"}, "facts": of Fitted} of "learning", or of answering
  /// a split; null where nothing is learned.
  files::Json work(std::uint64_t seed, const std::string& what) const;

 private:
  std::string path_of(std::uint64_t seed, const std::string& end) const;
  /// Whether it was done by this process, or lies there and counts.
  bool is_done(std::uint64_t seed, const std::string& what) const;
  void keep(std::uint64_t seed, const std::string& what, const files::Json& cost, const files::Json& facts);
  std::unique_ptr<Fitted> learn(const MethodCandidate& own, std::uint64_t seed);

  const MethodKind& kind_;
  const MethodCandidate& candidate_;
  std::string folder_;
  Workbench& bench_;
  const report::EventBus& events_;
  std::set<std::string> done_;  ///< paths
};

}  // namespace attune::study
