// Meta-training, done once more: the same files, data sets and settings give the same values to the bit. See verify.h.
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "attune/base/counted.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/job/environment.h"
#include "attune/job/execution.h"
#include "attune/job/manifest.h"
#include "attune/job/meta_train.h"
#include "causes.h"
#include "verifiers.h"

namespace attune::study {

namespace {

using files::Json;

/// What was written is there as it was.
void check_model_files(const std::string& folder, const Json& recorded, Findings& findings) {
  const std::map<std::string, std::string> now = job::file_hashes(folder);
  for (const auto& [name, hash] : recorded.items()) {
    const auto found = now.find(name);
    if (found == now.end()) {
      findings.differ(concat(name, ": the file is missing"));
    } else if (found->second != hash.get<std::string>()) {
      findings.differ(concat(name, ": the file has other bytes than when the run ended"));
    }
  }
}

/// The number, from 1 on, of the first episode that went another way; 0 for none.
std::size_t first_other_episode(const Json& recorded, const Json& now) {
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (recorded.at(i) != now[i]) return i + 1;
  }
  return 0;
}

/// What became of the episodes that were repeated.
void compare_episodes(const Json& manifest, const Json& now, const std::string& cause, Findings& findings) {
  const Json& recorded = manifest.at("episodes");
  if (const std::size_t other = first_other_episode(recorded, now["episodes"]); other > 0) {
    const auto loss = [](const Json& episode) {
      return concat(episode["first_loss"].dump(), " → ", episode["last_loss"].dump());
    };
    findings.differ(concat("episode ", other, ": recorded losses ", loss(recorded[other - 1]), ", now ",
                           loss(now["episodes"][other - 1]), cause));
    return;
  }
  const bool is_whole = now["episodes"].size() == recorded.size();
  if (is_whole && now["values"] != manifest.at("values")) {
    findings.differ(concat("the losses of all episodes are equal to the bit, what was learned is not", cause));
    return;
  }
  findings.check(concat(now["episodes"].size(), " of ", counted(static_cast<std::int64_t>(recorded.size()), "episode"),
                        " repeated: ", is_whole ? "losses and what was learned are" : "losses are",
                        " equal to the bit"));
  if (!is_whole) findings.leave_out("the episodes behind --steps, and what was learned in the end");
}

}  // namespace

void verify_meta_train(const VerifyOptions& options, const Json& results, const report::EventBus& events,
                       Findings& findings) {
  const Json manifest = files::read_json(options.folder + "/meta_manifest.json",
                                         {.kind = ErrorKind::usage, .max_bytes = std::size_t{1} << 28});
  check_model_files(options.folder, manifest.at("files"), findings);
  const job::RunOptions run = config::load(options.folder + "/config.resolved.json", {}, job::machine());
  job::set_threads(run.threads);
  Findings inputs;
  inputs.compare(manifest.at("configuration"), config::effective(run), "configuration", 0);
  const std::string name = results.at("tasks").at(0).at("name").get<std::string>();
  const Json now = job::repeat_meta_training(run, job::meta_tasks(name, run),
                                             {.inputs = manifest.at("inputs"), .episodes = options.rows}, events);
  inputs.compare(manifest["inputs"], now["inputs"], "inputs", 0);
  findings.add(inputs);
  if (!now.contains("episodes")) {
    findings.leave_out("all episodes: what they read is no longer there as it was");
    return;
  }
  const Json execution = job::describe(job::execution_of(run));
  compare_episodes(manifest, now, inputs.holds() ? cause_of_difference(manifest, execution) : std::string(), findings);
}

}  // namespace attune::study
