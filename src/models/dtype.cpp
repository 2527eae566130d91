// See dtype.h.
#include "dtype.h"

#include <optional>
#include <string_view>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "config_reader.h"

namespace attune::models {

namespace {

struct Format {
  std::string_view name;
  at::ScalarType dtype;
};
constexpr Format kFormats[] = {{"float32", at::kFloat}, {"bfloat16", at::kBFloat16}, {"float16", at::kHalf}};
constexpr const char* kKnown = "expected float32, bfloat16 or float16";

std::optional<at::ScalarType> find_format(const std::string& name) {
  for (const Format& format : kFormats) {
    if (format.name == name) return format.dtype;
  }
  return std::nullopt;
}

at::ScalarType stated_dtype(const ConfigReader& reader, const char* key) {
  const std::string name = reader.text(key, "");
  const auto found = find_format(name);
  if (!found) reader.fail(key, concat("found '", name, "', ", kKnown), "set model.dtype to choose another format");
  return *found;
}

at::ScalarType dtype_of(const tensor::Weights& weights) {
  for (const std::string& name : weights.names()) {
    const at::ScalarType found = tensor::scalar_type(weights.info(name).dtype, name);
    if (!at::isFloatingType(found)) continue;
    return found == at::kDouble ? at::kFloat : found;
  }
  return at::kFloat;
}

}  // namespace

std::string dtype_name(at::ScalarType dtype) {
  for (const Format& format : kFormats) {
    if (format.dtype == dtype) return std::string(format.name);
  }
  internal_error(concat("no checkpoint is kept in ", c10::toString(dtype)));
}

at::ScalarType wanted_dtype(const std::string& setting, const files::Json& config, const std::string& file,
                            const tensor::Weights& weights) {
  if (setting != "auto") {
    if (const auto found = find_format(setting)) return *found;
    throw Error(ErrorKind::usage, {.file = {},
                                   .what = concat("found '", setting, "', ", kKnown),
                                   .where = "key model.dtype",
                                   .hint = "or use \"auto\""});
  }
  const ConfigReader reader(config, file);
  for (const char* key : {"dtype", "torch_dtype"}) {
    if (reader.has(key)) return stated_dtype(reader, key);
  }
  return dtype_of(weights);
}

}  // namespace attune::models
