// See common.h.
#include "task/common.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <ATen/ops/empty.h>
#include <nlohmann/json.hpp>

#include "attune/base/strings.h"
#include "attune/data/record.h"

namespace attune::task {

at::Tensor long_tensor(const std::vector<std::int64_t>& values) {
  at::Tensor tensor = at::empty({static_cast<std::int64_t>(values.size())}, at::TensorOptions().dtype(at::kLong));
  if (!values.empty()) std::memcpy(tensor.mutable_data_ptr(), values.data(), values.size() * sizeof(std::int64_t));
  return tensor;
}

at::Tensor float_tensor(const std::vector<float>& values, at::IntArrayRef shape) {
  at::Tensor tensor = at::empty(shape, at::TensorOptions().dtype(at::kFloat));
  if (!values.empty()) std::memcpy(tensor.mutable_data_ptr(), values.data(), values.size() * sizeof(float));
  return tensor;
}

std::vector<float> to_floats(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.detach().to(at::TensorOptions().dtype(at::kFloat).device(at::kCPU)).contiguous();
  const auto* data = plain.const_data_ptr<float>();
  return {data, data + plain.numel()};
}

double log_sum_exp(const std::vector<float>& logits) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - top);
  return top + std::log(sum);
}

double smoothed_nll(const std::vector<float>& logits, std::size_t label, double smoothing) {
  const double log_sum = log_sum_exp(logits);
  const double nll = log_sum - logits[label];
  if (smoothing == 0) return nll;
  double uniform = 0;
  for (const float logit : logits) uniform += (log_sum - logit) / static_cast<double>(logits.size());
  return (1 - smoothing) * nll + smoothing * uniform;
}

std::vector<double> softmax(const std::vector<float>& logits) {
  const double log_sum = log_sum_exp(logits);
  std::vector<double> probabilities;
  for (const float logit : logits) probabilities.push_back(std::exp(logit - log_sum));
  return probabilities;
}

std::vector<double> sigmoid(const std::vector<float>& logits) {
  std::vector<double> probabilities;
  for (const float logit : logits) probabilities.push_back(1.0 / (1.0 + std::exp(-static_cast<double>(logit))));
  return probabilities;
}

BlindLoss blind_choice(std::size_t choices) {
  constexpr double kMargin = 0.5;  // the right answer then has 0.61 times the probability that a blind guess gives it
  return {.loss = std::log(static_cast<double>(choices)), .margin = kMargin};
}

Error unknown_label(const std::string& name, const std::vector<std::string>& known, const data::Example& example) {
  const std::string nearest = nearest_name(name, known);
  return Error(ErrorKind::data,
               {.file = data::place_of(example.origin),
                .what = concat("label '", name, "' is not among the model's ", known.size(), " labels"),
                .where = "",
                .hint = nearest.empty() ? "labels are those of the training rows; correct the row or add training rows with this label"
                                        : concat("did you mean '", nearest, "'?")});
}

Error wrong_target(const data::Example& example) {
  return Error(ErrorKind::data, {.file = data::place_of(example.origin),
                                 .what = "the label is of another kind than those of the training rows",
                                 .where = "",
                                 .hint = "use one kind of label in all files (data.labels says which)"});
}

files::Json describe_class(const Prediction& prediction, const std::vector<std::string>& labels, const data::Example& example,
                           bool with_logits) {
  const std::vector<double> scores = softmax(prediction.logits);
  const auto best = std::max_element(scores.begin(), scores.end());
  files::Json line = {{"id", example.id}, {"label", labels[best - scores.begin()]}, {"score", *best}};
  for (std::size_t c = 0; c < scores.size(); ++c) line["scores"][labels[c]] = scores[c];
  add_gold(line, example);
  if (with_logits) line["logits"] = prediction.logits;
  return line;
}

void add_gold(files::Json& line, const data::Example& example) {
  if (const auto* label = std::get_if<data::ClassLabel>(&example.target)) line["gold"] = label->name;
  if (const auto* set = std::get_if<data::LabelSet>(&example.target)) line["gold"] = set->names;
  if (const auto* value = std::get_if<data::Value>(&example.target)) line["gold"] = value->value;
  if (const auto* tags = std::get_if<data::TokenTags>(&example.target)) line["gold"] = tags->tags;
  if (const auto* answers = std::get_if<data::Answers>(&example.target)) {
    line["gold"] = files::Json::array();
    for (const data::Answer& answer : answers->answers) line["gold"].push_back(answer.text);
  }
}

}  // namespace attune::task
