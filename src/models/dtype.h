// The number formats of checkpoints under Transformers' names, and which of them a model is held and saved in.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "attune/files/json.h"
#include "attune/tensor/weights.h"

namespace attune::models {

/// "float32", "bfloat16", "float16".
std::string dtype_name(at::ScalarType dtype);

/// `setting` (model.dtype), where it is not "auto"; else what config.json says as `dtype` or `torch_dtype`; else the
/// format of the first floating tensor, as Transformers decides it; float32 without weights. Throws Error{model} naming
/// `file` for a format that is none of the three, Error{usage} for such a setting.
at::ScalarType wanted_dtype(const std::string& setting, const files::Json& config, const std::string& file,
                            const tensor::Weights& weights);

}  // namespace attune::models
