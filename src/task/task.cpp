// The table of tasks.
#include "attune/task/task.h"

#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/task/kinds.h"

namespace attune::task {

files::Json Scores::intervals() const { return files::Json::object(); }

files::Json Scores::detail() const { return files::Json::object(); }

files::Json Scores::samples(std::string_view) const { return nullptr; }

std::unique_ptr<Task> make_task(const TaskOptions& options) {
  if (!options.answers.empty()) return make_label_words(options);
  switch (options.kind) {
    case models::Task::sequence_classification: return make_classification(options);
    case models::Task::token_classification: return make_token_labels(options);
    case models::Task::masked_lm: return make_masked_lm(options);
    case models::Task::question_answering: return make_span_qa(options);
    case models::Task::causal_lm: return make_causal_lm(options);
    case models::Task::base: break;
  }
  internal_error("this head has no task");
}

}  // namespace attune::task
