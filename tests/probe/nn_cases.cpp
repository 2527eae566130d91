// Oracle cases of single functions: activations by name, label smoothing.
#include <ATen/TensorOperators.h>

#include <nlohmann/json.hpp>

#include "attune/files/json.h"
#include "attune/nn/activation.h"
#include "attune/nn/losses.h"
#include "attune/tensor/weights.h"
#include "probe/probe.h"

namespace attune::probe {

void run_activations_case(const std::string& file, const std::string& out) {
  std::map<std::string, at::Tensor> tensors = tensor::load_tensors(file);
  const at::Tensor x = tensors.at("x");
  for (auto& [name, value] : tensors) {
    if (name != "x") value = nn::bias_activate(x, {}, nn::activation_by_name(name));
  }
  tensor::save_tensors(out + "/out.safetensors", tensors);
}

void run_label_smoother_case(const std::string& file, const std::string& out) {
  const auto inputs = tensor::load_tensors(file.substr(0, file.rfind(".json")) + "_inputs.safetensors");
  const at::Tensor logits = inputs.at("logits");
  const at::Tensor labels = inputs.at("labels");
  const std::int64_t tokens = logits.size(1);
  files::Json result = files::read_json(file);
  for (auto& [epsilon, by_shift] : result.items()) {
    for (auto& [shift, value] : by_shift.items()) {
      const std::int64_t offset = shift == "True" ? 1 : 0;  // the reference predicts the next token when it shifts
      const at::Tensor rows = logits.narrow(1, 0, tokens - offset).flatten(0, 1);
      const nn::LossSum loss =
          nn::cross_entropy(rows, labels.narrow(1, offset, tokens - offset).flatten(), {}, {}, std::stod(epsilon));
      value = loss.sum.item<double>() / loss.weight;
    }
  }
  files::write_json(out + "/out.json", result);
}

}  // namespace attune::probe
