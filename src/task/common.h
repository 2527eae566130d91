// What the kinds of task share: small tensors, softmax in double, messages about labels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "attune/base/error.h"
#include "attune/data/example.h"
#include "attune/files/json.h"
#include "attune/task/task.h"

namespace attune::task {

at::Tensor long_tensor(const std::vector<std::int64_t>& values);
at::Tensor float_tensor(const std::vector<float>& values, at::IntArrayRef shape);
/// All elements as float, row-major, whatever the dtype and device.
std::vector<float> to_floats(const at::Tensor& tensor);

/// (1-ε)·nll + ε·mean over classes of -log p (Transformers' LabelSmoother).
double smoothed_nll(const std::vector<float>& logits, std::size_t label, double smoothing);
double log_sum_exp(const std::vector<float>& logits);
std::vector<double> softmax(const std::vector<float>& logits);
std::vector<double> sigmoid(const std::vector<float>& logits);

/// Of a choice among so many classes or tokens, all alike: ln(choices), and half a nat above it.
BlindLoss blind_choice(std::size_t choices);

/// Error{data}: the label does not occur among the training rows' labels.
Error unknown_label(const std::string& name, const std::vector<std::string>& known, const data::Example& example);
/// Error{data}: the row's label is of another kind than the task's.
Error wrong_target(const data::Example& example);
/// A line of predictions.jsonl for one class a row.
files::Json describe_class(const Prediction& prediction, const std::vector<std::string>& labels, const data::Example& example,
                           bool with_logits);
/// Adds "gold" where the row has a label.
void add_gold(files::Json& line, const data::Example& example);

}  // namespace attune::task
