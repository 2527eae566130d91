// Group `safetensors` of the judge: which files are accepted, and one file written again.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "attune/base/error.h"
#include "attune/files/json.h"
#include "attune/files/safetensors.h"
#include "attune/tensor/weights.h"
#include "probe/probe.h"

namespace attune::probe {

void run_safetensors_case(const std::string& folder, const std::string& out) {
  files::Json result = files::Json::object();
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".safetensors")) continue;
    bool ok = true;
    try {
      files::open_safetensors(entry.path().string());
    } catch (const Error&) {
      ok = false;
    }
    result[name]["ok"] = ok;
  }
  files::write_json(out + "/out.json", result);
  tensor::save_tensors(out + "/writer_order.safetensors", tensor::load_tensors(folder + "/writer_order.safetensors"));
}

}  // namespace attune::probe
