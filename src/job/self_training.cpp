// See self_training.h.
#include "job/self_training.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/print_number.h"
#include "attune/base/strings.h"
#include "attune/files/storage.h"
#include "attune/train/checkpoint.h"
#include "job/agreed_labels.h"

namespace attune::job {

namespace {

using files::Json;

constexpr files::JsonLimits kRoundLimits{.kind = ErrorKind::resume_refused, .max_bytes = std::size_t{1} << 32};

std::string file_of_round(const std::string& round_folder) {
  return round_folder + "/round_result.json";
}

/// Of the wordings that give a row its label, in the mean over rows.
double mean_share(const std::vector<metrics::Agreement>& agreements) {
  double sum = 0;
  for (const metrics::Agreement& row : agreements) sum += row.share;
  return sum / static_cast<double>(agreements.size());
}

class Rounds {
 public:
  explicit Rounds(const FitRequest& request)
      : request_(request), prepared_(*request.prepared), options_(prepared_.options.tuning.self_training) {}

  Fit run() {
    for (std::int64_t round = 1; round <= options_.rounds; ++round) {
      const FitRequest own = training_of(round);
      begin(round, own);
      std::optional<Json> found = finished_before(own);
      if (!found) found = find(round, own);
      if (!found) return stopped();
      end(*found);
    }
    const FitRequest last = training_of(options_.rounds + 1);
    begin(options_.rounds + 1, last);
    Fit fitted = fit(last);
    fitted.rounds = std::move(told_);
    fitted.selected_rows = std::move(selected_);
    fitted.taught = taught_;
    return fitted;
  }

 private:
  bool is_untouched(std::int64_t round) const { return round == 1 && options_.start == "untouched"; }

  /// The training whose model the round asks, or behind all rounds the last.
  FitRequest training_of(std::int64_t number) const {
    FitRequest own = request_;
    if (!taught_.empty()) {
      own.train = rows_.encoded;
      own.train_examples = rows_.examples;
      own.taught = taught_;
    }
    if (number > options_.rounds) return own;
    own.max_steps.reset();
    if (!own.folder.empty()) own.folder = concat(own.folder, "/round-", number);
    return own;
  }

  void begin(std::int64_t number, const FitRequest& own) const {
    request_.events->emit({{"event", "round_begin"},
                           {"round", number},
                           {"rounds", options_.rounds + 1},
                           {"trains", !is_untouched(number)},
                           {"rows", own.train.size() / prepared_.prompts_a_row()}});
  }

  /// The round's result {"job", "told", "taken"} from an earlier, interrupted run of the same job.
  std::optional<Json> finished_before(const FitRequest& own) const {
    const std::string path = file_of_round(own.folder);
    if (own.resume.empty() || own.folder.empty() || !path_exists(path, ErrorKind::resume_refused)) return std::nullopt;
    Json stored = files::read_json(path, kRoundLimits);
    try {
      train::refuse_other_job(
          path, train::fingerprint_difference(stored.at("job").get<std::string>(), job_fingerprint(prepared_, own)));
      check_taken(path, AgreedLabels::from_json(stored.at("taken")), stored.at("told"));
    } catch (const Json::exception& error) {
      refuse(path, error.what());
    }
    return stored;
  }

  [[noreturn]] static void refuse(const std::string& path, const std::string& what) {
    throw Error(ErrorKind::resume_refused, {.file = path,
                                            .what = concat("this is no result of a round of this run: ", what),
                                            .where = "",
                                            .hint = "remove it, the round is then done again"});
  }

  void check_taken(const std::string& path, const AgreedLabels& taken, const Json& told) const {
    const std::size_t rows = prepared_.unlabelled.examples.size() / prepared_.prompts_a_row();
    const auto labels = static_cast<std::int64_t>(prepared_.labels.names.size());
    if (!told.is_object()) refuse(path, "told is no object");
    for (std::size_t i = 0; i < taken.rows.size(); ++i) {
      const std::int64_t label = taken.agreements[i].label;
      if (taken.rows[i] >= rows || label < 0 || label >= labels)
        refuse(path, "it names a row or a label that there is not");
    }
  }

  /// Trains, asks, and keeps what was found; nothing after a signal.
  std::optional<Json> find(std::int64_t round, const FitRequest& own) const {
    if (!own.folder.empty()) std::filesystem::create_directories(own.folder);
    const Fit teacher = is_untouched(round) ? untouched(own) : fit(own);
    if (teacher.result.stopped_by == "signal") return std::nullopt;
    const auto agreements = ask_for_labels(teacher, prepared_.unlabelled, own);
    const auto of_validation = agreements ? ask_for_labels(teacher, prepared_.asked_validation, own) : std::nullopt;
    if (!of_validation) return std::nullopt;
    const metrics::AgreementRule rule = rule_of(options_);
    const std::vector<std::size_t> agreed = metrics::agreed_rows(*agreements, rule);
    const AgreedLabels taken = take_agreed(*agreements, agreed, rule);
    Json told = {{"round", round},
                 {"teacher", is_untouched(round) ? "untouched" : "tuned"},
                 {"trained_rows", is_untouched(round) ? 0 : own.train.size() / prepared_.prompts_a_row()},
                 {"unlabelled", agreements->size()},
                 {"agreed", agreed.size()},
                 {"taken", taken.rows.size()},
                 {"taken_by_label", count_by_label(taken, prepared_)},
                 {"mean_agreement", mean_share(*agreements)}};
    if (!of_validation->empty()) told["validation"] = judge_agreement(*of_validation, prepared_, rule);
    Json found = {{"job", job_fingerprint(prepared_, own)}, {"told", std::move(told)}, {"taken", taken.to_json()}};
    if (!own.folder.empty()) keep(own.folder, found);
    return found;
  }

  /// In place of the checkpoints of its training.
  static void keep(const std::string& folder, const Json& found) {
    files::write_json(file_of_round(folder), found);
    files::remove_folder(folder + "/checkpoints");
    files::remove_folder(folder + "/best");
  }

  /// From now on the labels that the round found are trained on.
  void end(const Json& found) {
    const Json& told = found["told"];
    Json event = {{"event", "round_end"}};
    event.update(told);
    request_.events->emit(event);
    const AgreedLabels taken = AgreedLabels::from_json(found["taken"]);
    if (taken.rows.empty()) refuse_nothing(told);
    told_.push_back(told);
    selected_ += selected_lines(taken, prepared_, told["round"].get<std::int64_t>());
    rows_ = taught_rows(taken, prepared_);
    taught_ = files::sha256_hex(found["taken"].dump());
  }

  [[noreturn]] void refuse_nothing(const Json& told) const {
    throw Error(
        ErrorKind::data,
        {.file = join(prepared_.options.data.unlabelled, ", "),
         .what =
             concat("round ", told["round"].dump(), " of self-training takes none of the ", told["unlabelled"].dump(),
                    " rows: on none do wordings agree as they must (on average ",
                    print_number("%.2f", told["mean_agreement"].get<double>()), " of them give a row the same label)"),
         .where = "tuning.self_training",
         .hint = "lower min_agreement or min_probability, train longer, give more labelled rows, or remove the block"});
  }

  static Fit stopped() {
    Fit fit;
    fit.result.stopped_by = "signal";
    return fit;
  }

  const FitRequest& request_;
  const Prepared& prepared_;
  const adapt::SelfTrainingOptions& options_;
  TaughtRows rows_;     ///< what is trained on behind the first round
  std::string taught_;  ///< hash of the labels that the newest round found
  Json told_ = Json::array();
  std::string selected_;
};

}  // namespace

Fit fit_with_rounds(const FitRequest& request) {
  if (!request.prepared->options.tuning.self_training.enabled) return fit(request);
  return Rounds(request).run();
}

bool check_round(const std::string& round_folder,
                 const std::function<void(const std::string& path, const std::string& job)>& check) {
  const std::string path = file_of_round(round_folder);
  if (!path_exists(path, ErrorKind::resume_refused)) return false;
  const Json found = files::read_json(path, kRoundLimits);
  if (found.is_object() && found.contains("job") && found["job"].is_string())
    check(path, found["job"].get<std::string>());
  return true;
}

Json plan_of_rounds(const Prepared& prepared) {
  const adapt::SelfTrainingOptions& options = prepared.options.tuning.self_training;
  if (!options.enabled) return nullptr;
  return {{"rounds", options.rounds},
          {"trainings", options.rounds + (options.start == "untouched" ? 0 : 1)},
          {"wordings", prepared.prompts_a_row()},
          {"start", options.start}};
}

}  // namespace attune::job
