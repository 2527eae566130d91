// Which tensor of a weight file belongs to which parameter. Files spell names in older and in other ways than the
// network (docs/formats.md): without the body's prefix or with it, LayerNorm.gamma/beta, either name of a tied tensor.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "attune/models/model.h"
#include "zoo.h"

namespace attune::models {

struct NameMatch {
  std::map<std::string, std::string> file_name_of;  ///< parameter name or alias → name in the file
  std::vector<std::string> unused;                  ///< names in the file that the model has no place for
  bool old_norm_names = false;                      ///< the file says LayerNorm.gamma and .beta
};

/// Throws Error{model} when two tensors of the file claim one parameter, or a layer lies beyond those of the spec.
NameMatch match_names(const std::vector<std::string>& in_file, const std::vector<Parameter>& parameters,
                      const ModelSpec& spec, const std::string& folder);

/// LayerNorm.weight → LayerNorm.gamma, LayerNorm.bias → LayerNorm.beta; other names as they are.
std::string old_norm_name(const std::string& name);

}  // namespace attune::models
