// See zoo.h.
#include "zoo.h"

#include "attune/base/error.h"

namespace attune::models {

namespace {

constexpr const Family* kFamilies[] = {&kBert,    &kDistilBert, &kElectra, &kRoberta, &kXlmRoberta, &kGpt2,
                                       &kGptNeoX, &kLlama,      &kSmolLm3, &kMistral, &kQwen2,      &kQwen3,
                                       &kGemma,   &kGemma2,     &kGemma3,  &kPhi3};

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

std::string_view class_name(const Family& family, Task task) {
  switch (task) {
    case Task::sequence_classification:
      return family.classes.sequence_classification;
    case Task::token_classification:
      return family.classes.token_classification;
    case Task::masked_lm:
      return family.classes.masked_lm;
    case Task::causal_lm:
      return family.classes.causal_lm;
    case Task::question_answering:
      return family.classes.question_answering;
    case Task::base:
      return family.classes.base;
  }
  internal_error("class_name: unknown task");
}

std::string_view body_prefix(const Family& family, Task task) {
  if (task == Task::base) return "";
  const bool other = task == Task::question_answering && !family.question_prefix.empty();
  return other ? family.question_prefix : family.prefix;
}

}  // namespace attune::models
