// Rules between options, as whole sentences. A contradiction is refused, never repaired. See rules.h.
#include "rules.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "attune/base/strings.h"
#include "metric_rules.h"
#include "option.h"
#include "rule_topics.h"

namespace attune::config {

namespace {

Json values_of(job::RunOptions options) {
  Json values = Json::object();
  for (const Option& option : option_table(options)) {
    if (!option.is_block) values[option.path] = option.write();
  }
  return values;
}

/// Whether `path` is `folder` or lies in it, links followed as far as they lead somewhere.
bool lies_in(const std::string& path, const std::string& folder) {
  if (path.empty() || folder.empty()) return false;
  const auto normal = [](const std::string& name) {
    std::error_code error;
    const std::filesystem::path absolute = std::filesystem::absolute(name, error);
    const std::filesystem::path found = std::filesystem::weakly_canonical(absolute, error);
    return ((error ? absolute : found) / "").lexically_normal().parent_path();
  };
  const auto inner = normal(path), outer = normal(folder);
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

void check_places(Rules& rules) {
  rules.refuse_if(lies_in(rules.options.output_dir, rules.options.model.path), {"output_dir", "model.path"},
                  concat("'", rules.options.output_dir, "' is the folder of the model that is read, or lies in it"),
                  "name another folder");
  if (!rules.options.overwrite_output_dir) return;
  rules.refuse_if(lies_in(rules.options.model.path, rules.options.output_dir),
                  {"overwrite_output_dir", "model.path", "output_dir"},
                  concat("the model '", rules.options.model.path, "' lies in the folder that would be overwritten"),
                  "name another output_dir");
  for (const auto& [key, files] : {std::pair("data.train", &rules.options.data.train),
                                   std::pair("data.validation", &rules.options.data.validation),
                                   std::pair("data.test", &rules.options.data.test),
                                   std::pair("data.unlabelled", &rules.options.data.unlabelled)}) {
    for (const auto& file : *files) {
      rules.refuse_if(lies_in(file, rules.options.output_dir), {"overwrite_output_dir", key, "output_dir"},
                      concat("'", file, "' lies in the folder that would be overwritten"), "name another output_dir");
    }
  }
}

void check_cost(Rules& rules) {
  const auto& cost = rules.options.cost;
  rules.refuse_if(rules.changed("cost.currency") && !cost.price_per_hour && !cost.price_per_kwh,
                  {"cost.currency", "cost.price_per_hour", "cost.price_per_kwh"}, "has no effect without a price",
                  "give cost.price_per_hour or cost.price_per_kwh, or remove it");
}

void check_device(Rules& rules) {
  if (!rules.options.device.starts_with("cuda")) return;
  const std::string number =
      rules.options.device == "cuda" ? "0" : rules.options.device.substr(std::string_view("cuda:").size());
  rules.refuse_if(
      !rules.machine.has_cuda, {"device"},
      concat("'", rules.options.device, "' is asked for, and the LibTorch of this program was built without CUDA"),
      "set it to \"auto\" or \"cpu\", or build attune with a CUDA LibTorch (cmake -DCMAKE_PREFIX_PATH=<its folder>)");
  rules.refuse_if(rules.machine.has_cuda && std::stoi(number) >= rules.machine.cuda_devices, {"device"},
                  rules.machine.cuda_devices == 0
                      ? concat("'", rules.options.device, "' is asked for, and no GPU is to be seen")
                      : concat("'", rules.options.device,
                               "' is asked for, and the GPUs are cuda:0 to cuda:", rules.machine.cuda_devices - 1),
                  "look at nvidia-smi and CUDA_VISIBLE_DEVICES, or set it to \"auto\"");
}

}  // namespace

Rules::Rules(const job::RunOptions& given, const Machine& given_machine) : options(given), machine(given_machine) {
  const job::RunOptions usual;
  const Json values = values_of(given), defaults = values_of(usual);
  for (const auto& [path, value] : values.items()) {
    if (value != defaults.at(path)) changed_.insert(path);
  }
}

void Rules::refuse_if(bool broken, Keys keys, std::string what, std::string hint) {
  if (broken) violations_.push_back({std::move(keys), std::move(what), std::move(hint)});
}

void Rules::add(std::vector<Violation> violations) {
  std::ranges::move(violations, std::back_inserter(violations_));
}

std::vector<Violation> broken_rules(const job::RunOptions& options, const Machine& machine) {
  Rules rules(options, machine);
  check_training_rules(rules);
  rules.add(broken_metric_rules(options));
  check_data_rules(rules);
  check_asking_rules(rules);
  check_tuning_rules(rules);
  check_places(rules);
  check_device(rules);
  check_cost(rules);
  return std::move(rules).violations();
}

}  // namespace attune::config
