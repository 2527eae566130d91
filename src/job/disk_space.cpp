// See disk_space.h.
#include "job/disk_space.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "attune/adapt/adapter.h"
#include "attune/adapt/freeze.h"
#include "attune/base/counted.h"
#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/paths.h"
#include "attune/base/print_number.h"
#include "attune/base/strings.h"
#include "attune/job/fit.h"
#include "attune/train/plan.h"
#include "job/kept_layers.h"
#include "job/lanes.h"

namespace attune::job {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kFloatBytes = 4;

std::int64_t token_count(const Rows& rows) {
  std::int64_t tokens = 0;
  rows.encoded.for_each([&](const task::Encoded& row) { tokens += static_cast<std::int64_t>(row.ids.size()); });
  return tokens;
}

/// How often something happens in a training that is due by `strategy`.
std::int64_t times_due(const std::string& strategy, std::int64_t interval, const train::Plan& plan) {
  const auto parts_of = [&](std::int64_t length) { return (plan.total_steps() + length - 1) / length; };
  if (strategy == "epoch") return parts_of(plan.epoch_end(0));
  return strategy == "steps" ? parts_of(interval) : 0;
}

/// Checkpoints of one training at a time: those that are kept, the best, and a new one before an old one goes.
std::int64_t checkpoints_of(const Prepared& prepared) {
  const train::TrainingOptions& options = prepared.options.training;
  const train::Plan plan(options, prepared.options.seeds.front(), task::lengths_of(prepared.train.encoded),
                         passes_of(prepared.train.encoded, prepared));
  const bool evaluates = options.eval_strategy != "no";
  const std::int64_t saved = options.save_strategy == "best" ? times_due(options.eval_strategy, plan.eval_interval(), plan)
                                                             : times_due(options.save_strategy, plan.save_interval(), plan);
  return options.save_total_limit == 0 ? saved : std::min(saved, options.save_total_limit + 1 + (evaluates ? 1 : 0));
}

std::int64_t moments_of(const train::TrainingOptions& options) {
  if (options.optim != "sgd") return 2;
  return options.sgd_momentum > 0 ? 1 : 0;
}

bool on_same_disk(const std::string& a, const std::string& b) {
  struct stat first {}, second {};
  return ::stat(nearest_place(a).c_str(), &first) == 0 && ::stat(nearest_place(b).c_str(), &second) == 0 && first.st_dev == second.st_dev;
}

/// Of the files that TokenCache::keep will write.
std::int64_t bytes_of_tokens(const Prepared& prepared) {
  constexpr std::int64_t kTokenBytes = 5, kRowBytes = 14;  // ids and marks; example, row, lengths, window, cut
  const std::string& folder = prepared.options.data.token_cache_dir;
  std::int64_t bytes = 0;
  for (const Rows* rows : {&prepared.train, &prepared.validation, &prepared.test}) {
    if (rows->tokens_key.empty()) continue;
    bytes += token_count(*rows) * kTokenBytes + static_cast<std::int64_t>(rows->encoded.size()) * kRowBytes;
  }
  return bytes > 0 && on_same_disk(folder, prepared.options.output_dir) ? bytes : 0;
}

/// Of what train::PrefixCache puts into its file.
std::int64_t bytes_of_states(const Prepared& prepared, models::Model& model) {
  const train::TrainingOptions& options = prepared.options.training;
  const std::vector<bool> trainable = adapt::trainable_parameters(model, prepared.options.tuning);
  const int stages = kept_stages(model, trainable, options);
  const std::int64_t memory = train::prefix_cache_bytes(options.prefix_cache_mib);
  if (stages == 0 || memory == 0 || prepared.hides_words()) return 0;
  const bool one_a_text = stages > model.depth() && prepared.kind == models::Task::sequence_classification;
  std::int64_t states = 0;
  for (const Rows* rows : {&prepared.train, &prepared.validation, &prepared.test}) {
    states += one_a_text ? static_cast<std::int64_t>(rows->encoded.size()) : token_count(*rows);
  }
  return std::max<std::int64_t>(0, states * model.spec().hidden_size * kFloatBytes - memory);
}

/// Of the regular files in a folder and below it.
std::int64_t bytes_in(const std::string& folder) {
  std::int64_t bytes = 0;
  std::error_code problem, ignored;
  for (fs::recursive_directory_iterator entry(folder, problem), end; !problem && entry != end; entry.increment(problem)) {
    if (entry->is_regular_file(ignored) && !entry->is_symlink(ignored)) bytes += static_cast<std::int64_t>(entry->file_size(ignored));
  }
  return bytes;
}

std::string size_text(std::int64_t bytes) {
  const auto count = static_cast<double>(bytes);
  if (count >= 1e9) return print_number("%.1f GB", count / 1e9);
  return count >= 1e6 ? print_number("%.1f MB", count / 1e6) : print_number("%.0f kB", count / 1e3);
}

/// " beside 3.0 GB of training rows in a temporary file" where there are any.
std::string beside_rows(const DiskNeeds& needs) {
  return needs.rows == 0 ? "" : concat(" beside ", size_text(needs.rows), " of training rows in a temporary file");
}

std::int64_t folds_at_a_time(const Prepared& prepared) {
  const CrossValidationOptions& cv = prepared.options.cross_validation;
  return static_cast<std::int64_t>(lanes_of_folds(prepared, static_cast<std::size_t>(cv.folds * cv.repeats)).beside(0));
}

}  // namespace

DiskNeeds disk_needs(const Prepared& prepared) {
  const RunOptions& options = prepared.options;
  const models::LoadedModel& loaded = *prepared.base->loaded;
  const std::int64_t trained = prepared.model_summary["trained"].get<std::int64_t>() * kFloatBytes;
  const bool is_adapter = adapt::adapter_options(options.tuning).has_value();
  const std::int64_t model = is_adapter ? trained
                                        : prepared.model_summary["parameters"].get<std::int64_t>() *
                                              static_cast<std::int64_t>(c10::elementSize(loaded.dtype));
  const auto seeds = static_cast<std::int64_t>(options.seeds.size());
  const bool has_folds = options.cross_validation.enabled;
  const bool keeps_best = options.training.eval_strategy != "no" && options.training.load_best_model_at_end;
  DiskNeeds needs;
  needs.models = has_folds ? (options.cross_validation.refit ? model : 0) : model * (seeds > 1 ? seeds + 1 : 1);
  needs.checkpoint = trained * (1 + moments_of(options.training) + (keeps_best ? 1 : 0));
  // Those of a fold go when it is done.
  needs.checkpoints = checkpoints_of(prepared) * (has_folds ? folds_at_a_time(prepared) : seeds);
  needs.tokens = bytes_of_tokens(prepared);
  needs.states = bytes_of_states(prepared, *loaded.model);
  needs.rows = prepared.train.examples.file_bytes() + prepared.train.encoded.file_bytes();
  return needs;
}

std::string judge_space(const DiskNeeds& needs, std::int64_t free, const std::string& folder) {
  const std::string are_free = concat(size_text(free), " are free", beside_rows(needs));
  const char* raise = needs.rows == 0 ? "" : ", raise data.rows_in_memory_mib";
  if (needs.models > free) {
    throw Error(ErrorKind::storage, {.file = folder,
                                     .what = concat("the trained model takes about ", size_text(needs.models), ", and ", are_free),
                                     .where = "output_dir",
                                     .hint = concat("free some space", raise, " or choose another folder")});
  }
  const std::int64_t caches = needs.tokens + std::min(needs.states, free / 2);
  const std::int64_t all = needs.models + needs.checkpoints * needs.checkpoint + caches;
  if (all <= free) return "";
  std::vector<std::string> parts = {concat("model ", size_text(needs.models))};
  if (needs.checkpoints > 0) parts.push_back(concat(counted(needs.checkpoints, "checkpoint"), " of ", size_text(needs.checkpoint), " at a time"));
  if (caches > 0) parts.push_back(concat("caches ", size_text(caches)));
  return concat(folder, ": the run writes up to ", size_text(all), " (", join(parts, ", "), "), and ", are_free,
                ", so that checkpoints or the model at the end may find no room: free some space", raise,
                needs.checkpoints > 0 ? ", lower training.save_total_limit or set training.save_strategy to \"no\"" : "",
                needs.states > 0 ? "; with training.prefix_cache_mib at 0 frozen layers keep nothing" : "");
}

void make_room(const Prepared& prepared, std::int64_t bytes) {
  constexpr std::int64_t kOtherFiles = std::int64_t{16} << 20;  // predictions, events, report
  const std::string& folder = prepared.options.output_dir;
  std::error_code problem;
  const fs::space_info space = fs::space(nearest_place(folder), problem);
  if (problem || space.capacity == 0 || static_cast<std::int64_t>(space.available) >= bytes + kOtherFiles) return;
  if (!prepared.prefix_cache->give_up_file()) return;
  log::info(concat(folder, ": what frozen layers computed leaves the disk, so that the model finds room there"));
}

void check_space(const Prepared& prepared) {
  const std::string& folder = prepared.options.output_dir;
  std::error_code problem;
  const fs::space_info space = fs::space(nearest_place(folder), problem);
  if (problem || space.capacity == 0) return;  // (/proc and its like count no blocks)
  const std::int64_t free = static_cast<std::int64_t>(space.available) + bytes_in(folder);
  const std::string warning = judge_space(disk_needs(prepared), free, folder);
  if (!warning.empty()) log::warning(warning);
}

}  // namespace attune::job
