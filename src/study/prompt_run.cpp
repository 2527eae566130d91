// See prompt_run.h.
#include "attune/study/prompt_run.h"

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/clock.h"
#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/files/storage.h"
#include "attune/job/output.h"
#include "attune/job/run.h"
#include "attune/report/phase.h"
#include "attune/study/prompting.h"

namespace attune::study {

namespace {

using files::Json;

/// Without examples nothing is drawn, and all seeds give the same.
std::vector<std::uint64_t> seeds_of(const job::RunOptions& options) {
  if (options.prompting.examples.k == 0) return {options.seeds.front()};
  return options.seeds;
}

std::string lines_of(const PromptJob& job, const Asked& asked) {
  std::string lines;
  for (const task::Prediction& prediction : asked.predictions) {
    Json line = job.task->describe({&prediction, 1}, job.rows[static_cast<std::size_t>(prediction.encoded->example)], false);
    if (prediction.generated) line["generated"] = *prediction.generated;
    lines += files::json_text(line, -1) + "\n";
  }
  return lines;
}

/// The numbers of metrics, averaged over seeds; null where one of them is.
Json mean_metrics(const Json& seeds) {
  Json mean = Json::object();
  for (const auto& [name, value] : seeds.front()["metrics"].items()) {
    if (value.is_structured()) continue;
    double sum = 0;
    bool is_defined = true;
    for (const Json& seed : seeds) {
      const Json& one = seed["metrics"][name];
      is_defined = is_defined && one.is_number();
      if (is_defined) sum += one.get<double>();
    }
    mean[name] = is_defined ? Json(sum / static_cast<double>(seeds.size())) : Json();
  }
  return mean;
}

class PromptRun {
 public:
  PromptRun(const PromptJob& job, const report::EventBus& events) : job_(job), events_(events), folder_(job.options.output_dir + "/wordings") {
    std::filesystem::create_directories(folder_);
    identity_ = identity_of(job);
  }

  /// Fewer than there are wordings after a signal.
  Json run() {
    Json done = Json::array();
    report::Phase asking(events_, "asking", static_cast<std::int64_t>(job_.wordings.size()), "wording");
    for (std::size_t i = 0; i < job_.wordings.size(); ++i) {
      const std::string path = concat(folder_, "/", i + 1, ".json");
      Json result = finished(path, job_.wordings[i]);
      if (result.is_null()) result = ask_one(i, path);
      if (result.is_null()) break;
      done.push_back(std::move(result));
      asking.progress(static_cast<std::int64_t>(done.size()));
    }
    asking.end();
    return done;
  }

 private:
  /// Null where the wording was not asked before.
  Json finished(const std::string& path, const prompt::Wording& wording) const {
    if (job_.options.resume_from_checkpoint.empty() || !path_exists(path, ErrorKind::resume_refused)) return nullptr;
    Json stored = files::read_json(path, {.kind = ErrorKind::resume_refused, .max_bytes = std::size_t{1} << 28});
    const bool is_ours = stored.is_object() && stored.value("identity", Json()) == identity_ && stored.value("result", Json()).is_object();
    if (is_ours && stored["result"].value("name", Json()) == wording.name) return stored["result"];
    throw Error(ErrorKind::resume_refused, {.file = path,
                                            .what = "it holds answers to other prompts, rows or settings, or of another model",
                                            .where = "",
                                            .hint = "begin anew in another output_dir"});
  }

  /// Null after a signal.
  Json ask_one(std::size_t index, const std::string& path) const {
    const prompt::Wording& wording = job_.wordings[index];
    const Stopwatch clock;
    Json result = {{"name", wording.name}, {"levels", wording.levels}}, seeds = Json::array();
    std::int64_t without_answer = 0, dropped = 0, tokens = 0, computed = 0;
    for (const std::uint64_t seed : seeds_of(job_.options)) {
      Variant variant{.wording = wording, .examples = job_.options.prompting.examples};
      variant.examples.seed = seed;
      const Asked asked = ask(job_, variant);
      if (asked.stopped) return nullptr;
      const auto scores = job_.task->scores(asked.predictions, job_.rows);
      seeds.push_back({{"seed", seed}, {"metrics", scores->metrics()}});
      if (seeds.size() == 1) {
        files::write_file_atomically(concat(folder_, "/", index + 1, ".jsonl"), lines_of(job_, asked));
        result["intervals"] = scores->intervals();
      }
      without_answer += asked.without_answer;
      dropped += asked.dropped_examples;
      tokens += asked.tokens;
      computed += asked.computed_tokens;
    }
    result["metrics"] = mean_metrics(seeds);
    if (seeds.size() > 1) result["seeds"] = std::move(seeds);
    result.update({{"without_answer", without_answer}, {"dropped_examples", dropped}, {"tokens", tokens}, {"computed_tokens", computed}, {"seconds", clock.seconds()}});
    files::write_json(path, {{"identity", identity_}, {"result", result}});
    return result;
  }

  const PromptJob& job_;
  const report::EventBus& events_;
  std::string folder_;
  Json identity_;
};

}  // namespace

Json run_prompts(const job::RunOptions& options, const report::EventBus& events) {
  job::check_output_folder(options);
  const PromptJob job = open_prompt_job(options, events);
  const auto lock = job::claim_output_folder(options);
  files::write_json(options.output_dir + "/config.resolved.json", config::effective(options));
  Json results = {{"output_dir", options.output_dir},
                  {"split", options.prompting.split},
                  {"rows", job.rows.size()},
                  {"majority", job::majority_rate(job.labels, job.pool, job.rows)},
                  {"wordings", PromptRun(job, events).run()}};
  std::int64_t tokens = 0, computed = 0;
  for (const Json& wording : results["wordings"]) {
    tokens += wording["tokens"].get<std::int64_t>();
    computed += wording["computed_tokens"].get<std::int64_t>();
  }
  results["tokens"] = tokens;
  results["computed_tokens"] = computed;
  results["stopped_by"] = results["wordings"].size() < job.wordings.size() ? "signal" : "end";
  files::write_json(options.output_dir + "/prompt_results.json", results);
  return results;
}

}  // namespace attune::study
