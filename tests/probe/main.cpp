// attune_probe CASE OUT_DIR: the program that the parity judge calls (scripts/oracle.sh).
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>

#include "probe/probe.h"

namespace {

struct Row {
  std::string_view part;  ///< what the case's path contains
  void (*run)(const std::string& path, const std::string& out);
};

// The first row whose part occurs in the path of the case runs it.
constexpr Row kRows[] = {
    {"/resave/", attune::probe::run_resave_case},
    {"/models/", attune::probe::run_model_case},
    {"/layouts/", attune::probe::run_model_case},
    {"/safetensors", attune::probe::run_safetensors_case},
    {"/training/schedules", attune::probe::run_schedules_case},
    {"/training/shuffle_order", attune::probe::run_shuffle_order_case},
    {"/training/adamw3", attune::probe::run_adamw_case},
    {"training/activations", attune::probe::run_activations_case},
    {"/training/gradient_accumulation", attune::probe::run_gradient_accumulation_case},
    {"/training/trainer_run", attune::probe::run_trainer_case},
    {"/chat_templates/", attune::probe::run_chat_template_case},
    {"/tokenizers/", attune::probe::run_tokenizer_case},
    {"training/label_smoother", attune::probe::run_label_smoother_case},
    {"/real_minilm", attune::probe::run_minilm_case},  // after "/tokenizers/", which has a case of that name
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: attune_probe CASE OUT_DIR\n");
    return 2;
  }
  const std::string path = std::filesystem::path(argv[1]).lexically_normal().string();
  try {
    for (const Row& row : kRows) {
      if (path.find(row.part) == std::string::npos) continue;
      row.run(path, argv[2]);
      return 0;
    }
    throw attune::probe::Unsupported{"no handler for " + path};
  } catch (const attune::probe::Unsupported& unsupported) {
    std::fprintf(stderr, "not supported: %s\n", unsupported.what.c_str());
    return 77;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
