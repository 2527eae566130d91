// What settings of `attune prompt` do not go together.
#pragma once

#include "attune/study/prompting.h"

namespace attune::study {

/// Of a job whose prompt set and model are open. Error{usage} for what the model cannot be asked, or what has no effect
/// on what is asked for; Error{model} for chats of a model that has none.
void check_settings(const PromptJob& job);

}  // namespace attune::study
