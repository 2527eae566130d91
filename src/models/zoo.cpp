// See zoo.h.
#include "zoo.h"

#include "attune/base/error.h"

namespace attune::models {

namespace {

constexpr const Family* kFamilies[] = {&kBert, &kDistilBert, &kElectra};

std::string_view class_suffix(Task task) {
  switch (task) {
    case Task::sequence_classification:
      return "ForSequenceClassification";
    case Task::token_classification:
      return "ForTokenClassification";
    case Task::masked_lm:
      return "ForMaskedLM";
    case Task::question_answering:
      return "ForQuestionAnswering";
    case Task::base:
      return "Model";
  }
  internal_error("class_suffix: unknown task");
}

}  // namespace

const Family* find_family(std::string_view model_type) {
  for (const Family* family : kFamilies) {
    if (family->model_type == model_type) return family;
  }
  return nullptr;
}

const Family& family_of(const ModelSpec& spec) {
  const Family* family = find_family(spec.model_type);
  if (family == nullptr) internal_error("family_of: unknown model_type " + spec.model_type);
  return *family;
}

std::vector<std::string> known_model_types() {
  std::vector<std::string> types;
  for (const Family* family : kFamilies) types.emplace_back(family->model_type);
  return types;
}

std::string class_name(const ModelSpec& spec) {
  return std::string(family_of(spec).class_stem).append(class_suffix(spec.task));
}

}  // namespace attune::models
