// See merge.h.
#include "attune/job/merge.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "attune/adapt/peft.h"
#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/random.h"
#include "attune/base/strings.h"
#include "attune/files/storage.h"
#include "attune/job/open_folder.h"
#include "attune/nn/layout.h"

namespace attune::job {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSequences = 8;
constexpr std::int64_t kLongest = 32;
constexpr double kTolerance = 1e-4;  ///< of the largest logit, or of 1

/// Sequences of several lengths of tokens drawn from the whole vocabulary: no data is at hand.
models::Input probe_input(const models::ModelSpec& spec) {
  const RandomKey key(0, "merge/probe");
  std::vector<std::int32_t> lengths;
  for (std::int64_t i = 0; i < kSequences; ++i) {
    lengths.push_back(static_cast<std::int32_t>(
        std::min(kLongest - 3 * i, std::max<std::int64_t>(1, spec.max_tokens() / 2))));
  }
  models::Input input;
  input.layout = nn::make_layout(lengths);
  input.ids = at::empty({input.layout.total}, at::kLong);
  input.positions = at::empty({input.layout.total}, at::kLong);
  input.segments = at::zeros({input.layout.total}, at::kLong);
  auto* ids = input.ids.mutable_data_ptr<std::int64_t>();
  auto* positions = input.positions.mutable_data_ptr<std::int64_t>();
  std::uint64_t drawn = 0;
  for (const std::int32_t length : lengths) {
    for (std::int32_t position = 0; position < length; ++position) {
      *positions++ = position;
      *ids = static_cast<std::int64_t>(key.uniform(drawn++) * static_cast<double>(spec.vocab_size));
      if (*ids == spec.pad_token_id) *ids = (*ids + 1) % spec.vocab_size;
      ++ids;
    }
  }
  return input;
}

at::Tensor probe_logits(const models::Model& model) {
  const at::NoGradGuard no_grad;
  return models::forward(model, model.prepare(probe_input(model.spec()), /*training=*/false)).logits.to(at::kFloat);
}

void check_output(const std::string& output) {
  if (!path_exists(output, ErrorKind::storage)) return;
  if (is_folder(output, ErrorKind::storage) && fs::is_empty(output)) return;
  throw Error(ErrorKind::usage, {.file = output,
                                 .what = "there is something already",
                                 .where = "--output",
                                 .hint = "name a folder that is new or empty"});
}

/// What says how the adapter is used: its tokenizer with the chat template, how it generates, and how its run read rows.
void copy_descriptions(const adapt::AdapterFolder& adapter, const std::string& folder) {
  const auto copy = [&](const fs::path& from, const char* name) {
    if (!path_exists((from / name).string(), ErrorKind::model)) return;
    files::copy_file_atomically((from / name).string(), (fs::path(folder) / name).string());
  };
  copy(generation_folder(adapter.folder, adapter.base), "generation_config.json");
  copy(adapter.folder, "config.resolved.json");
}

}  // namespace

files::Json merge(const std::string& adapter_folder, const std::string& output) {
  check_output(output);
  const adapt::AdapterFolder adapter = adapt::open_adapter(models::resolve_model_path(adapter_folder));
  models::LoadOptions options;
  options.task = adapt::adapter_task(adapter);
  options.dtype = "float32";
  models::LoadedModel loaded = adapt::load_adapted(adapter, options);
  adapt::check_mergeable(loaded);
  const at::Tensor before = probe_logits(*loaded.model);
  adapt::merge_adapter(loaded);

  files::StagedFolder stage(output);
  models::save_model(loaded, tokenizer_folder(adapter.folder, adapter.base), stage.path());
  copy_descriptions(adapter, stage.path());
  models::LoadOptions reopen;
  reopen.task = options.task;
  const models::LoadedModel reopened = models::load_model(stage.path(), reopen);
  const double largest = before.abs().max().item<double>();
  const double difference = (probe_logits(*reopened.model) - before).abs().max().item<double>();
  if (!(difference <= kTolerance * std::max(1.0, largest))) {
    throw Error(ErrorKind::model,
                {.file = adapter_folder,
                 .what = concat("merging changes logits by up to ", difference, ", the largest is ", largest),
                 .where = "",
                 .hint = "use the adapter as it is"});
  }
  const files::Json result = {{"adapter", adapter_folder}, {"base", adapter.base},
                              {"output", output},          {"sequences", kSequences},
                              {"largest_logit", largest},  {"max_abs_difference", difference}};
  files::write_json((fs::path(stage.path()) / "merge_results.json").string(), result);
  stage.commit();
  return result;
}

}  // namespace attune::job
