// Whether a run can go on where it was stopped, asked before it writes anything.
#pragma once

#include "attune/job/prepare.h"

namespace attune::job {

/// Nothing without resume_from_checkpoint. Error{usage} when the checkpoint that it names is none; Error{resume_refused}
/// when it is damaged, or when it (under "auto": the newest of any part of the run) belongs to another job. The check is
/// repeated, against the manifest too, when a checkpoint is loaded; this one is there so that a refusal changes no file.
void check_resumption(const Prepared& prepared);

}  // namespace attune::job
