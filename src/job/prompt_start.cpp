// See prompt_start.h. What the files hold is said in attune/study/*.h.
#include "job/prompt_start.h"

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/files/json.h"

namespace attune::job {

namespace {

using files::Json;

constexpr const char* kInitFrom = "tuning.prompt_tuning.init_from";
constexpr std::size_t kMostBytes = std::size_t{1} << 28;

[[noreturn]] void refuse_study(const std::string& file, const std::string& what, const std::string& hint) {
  throw Error(ErrorKind::usage, {.file = file, .what = what, .where = kInitFrom, .hint = hint});
}

const Json& chosen_by_search(const Json& results) {
  return results.at("chosen");
}

const Json& best_of_stability(const Json& results) {
  const Json& wordings = results.at("wordings");
  std::size_t place = 0;
  while (wordings.at(place).at("name") != results.at("best")) ++place;
  return wordings.at(place);
}

/// What wordings of `attune prompt run` go by: of texts ROUGE-L, or how many keep all assertions where that is all
/// there is.
double score_of_wording(const Json& results, const Json& wording) {
  if (results.value("answer", "") != "text") return wording.at("metrics").at("accuracy").get<double>();
  return (wording.contains("metrics") ? wording.at("metrics").at("rougeL") : wording.at("all_assertions"))
      .get<double>();
}

/// Of equals the first.
const Json& best_of_run(const Json& results) {
  const Json& wordings = results.at("wordings");
  std::size_t best = 0;
  for (std::size_t place = 1; place < wordings.size(); ++place) {
    if (score_of_wording(results, wordings.at(place)) > score_of_wording(results, wordings.at(best))) best = place;
  }
  return wordings.at(best);
}

/// A kind of study.
struct Study {
  const char* file;
  const Json& (*best)(const Json& results);
};

constexpr Study kStudies[] = {{"optimise_results.json", chosen_by_search},
                              {"stability_results.json", best_of_stability},
                              {"prompt_results.json", best_of_run}};

std::string header_in(const Json& results, const Study& study, const std::string& path) {
  if (results.at("stopped_by") != "end") refuse_study(path, "the study was stopped", "go on with it first: --resume");
  if (results.value("split", "validation") != "validation") {
    refuse_study(path, "the study asked the test rows, by which nothing may be chosen",
                 "ask the validation rows: prompting.split");
  }
  const Json& best = study.best(results);
  const auto header = best.at("header").get<std::string>();
  if (!trim(header).empty()) return header;
  refuse_study(path,
               concat("the best wording, '", best.at("name").get<std::string>(), "', has no header to start from"),
               "give its prompt set an instruction, or write tuning.prompt_tuning.prompt_tuning_init_text");
}

}  // namespace

std::string chosen_words(const std::string& folder) {
  for (const Study& study : kStudies) {
    const std::string path = (std::filesystem::path(folder) / study.file).string();
    if (!path_exists(path, ErrorKind::usage)) continue;
    const Json results = files::read_json(path, {.kind = ErrorKind::usage, .max_bytes = kMostBytes});
    try {
      return header_in(results, study, path);
    } catch (const Json::exception&) {
      refuse_study(path, "it does not say which wording is best and what its header is",
                   "ask again with this version of attune, into another output_dir");
    }
  }
  refuse_study(folder, "there are no results of a finished study of prompts",
               "name the output folder of attune prompt optimise, stability or run");
}

RunOptions with_chosen_words(RunOptions options) {
  adapt::PromptTuningOptions& prompt = options.tuning.prompt_tuning;
  if (prompt.init_from.empty()) return options;
  prompt.prompt_tuning_init = "TEXT";
  prompt.prompt_tuning_init_text = chosen_words(std::exchange(prompt.init_from, ""));
  return options;
}

}  // namespace attune::job
