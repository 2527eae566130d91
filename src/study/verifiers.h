// How the studies are verified: one row each (verifiers.cpp).
#pragma once

#include <span>

#include "attune/files/json.h"
#include "attune/report/events.h"
#include "attune/study/verify.h"
#include "findings.h"

namespace attune::study {

/// Goes over a study again. `results`: its file.
using Verify = void (*)(const VerifyOptions& options, const files::Json& results, const report::EventBus& events,
                        Findings& findings);

struct Verifier {
  const char* results;  ///< file in the study's folder
  const char* verb;
  Verify verify;
  bool has_runs = false;  ///< VerifyOptions::runs says how many are repeated
};

std::span<const Verifier> verifiers();

void verify_prompt_run(const VerifyOptions& options, const files::Json& results, const report::EventBus& events,
                       Findings& findings);
void verify_stability(const VerifyOptions& options, const files::Json& results, const report::EventBus& events,
                      Findings& findings);
void verify_optimise(const VerifyOptions& options, const files::Json& results, const report::EventBus& events,
                     Findings& findings);
void verify_learning_curve(const VerifyOptions& options, const files::Json& results, const report::EventBus& events,
                           Findings& findings);
void verify_compare(const VerifyOptions& options, const files::Json& results, const report::EventBus& events,
                    Findings& findings);
void verify_meta_train(const VerifyOptions& options, const files::Json& results, const report::EventBus& events,
                       Findings& findings);

}  // namespace attune::study
